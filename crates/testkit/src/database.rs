//! A fresh database on a private server.

use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, NoTls};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database of its own for a test, dropped with it.
#[derive(Debug)]
pub struct Database {
    url: String,
    /// What is dropped.
    name: Option<String>,
}

impl Database {
    /// Makes an empty database.
    #[must_use]
    pub fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        maintenance().batch_execute(&format!("CREATE DATABASE {name}")).expect("CREATE DATABASE");
        Self { url: with_database(server(), &name), name: Some(name) }
    }

    /// A database of a server that the test has brought up itself.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), name: None }
    }

    /// What `DATABASE_URL` is to be.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// A connection.
    #[must_use]
    pub fn connect(&self) -> Client {
        Client::connect(&self.url(), NoTls).expect("the test database answers")
    }

    /// Runs statements.
    pub fn execute(&self, sql: &str) {
        self.connect().batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The rows of a query as JSON objects, in the query's order.
    #[must_use]
    pub fn rows(&self, query: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        self.each(query, |row| rows.push(row));
        rows
    }

    /// Gives the rows of a query one by one, for tables that are too long to be held.
    pub fn each(&self, query: &str, mut give: impl FnMut(Value)) {
        let sql = format!("SELECT to_jsonb(q)::text FROM ({query}) q");
        let mut client = self.connect();
        let nothing: [&str; 0] = [];
        let mut rows = client.query_raw(&sql, nothing).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        while let Some(row) = rows.next().unwrap_or_else(|error| panic!("{query}: {error:?}")) {
            give(serde_json::from_str(row.get(0)).expect("PostgreSQL writes JSON"));
        }
    }

    /// The only value of a query, as text; empty when null.
    #[must_use]
    pub fn value(&self, query: &str) -> String {
        let sql = format!("SELECT coalesce((({query}))::text, '')");
        let row = self.connect().query_one(&sql, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        row.get(0)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // A failing test drops it too, and must fail for its own reason.
            drop(maintenance().batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        }
    }
}

fn maintenance() -> Client {
    Client::connect(server(), NoTls).expect("the private PostgreSQL answers")
}

/// `postgresql:///mirror42?host=…` → the same with another database.
fn with_database(url: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (host, rest) = rest.split_once('/').expect("a URL with a database");
    let (_, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    format!("{scheme}://{host}/{name}?{parameters}")
}

/// URL of the server: `TEST_DATABASE_URL`, or one that is brought up for this process by `scripts/db.sh`.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER.get_or_init(|| std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| bring_up()))
}

fn bring_up() -> String {
    let folder = std::env::temp_dir().join(format!("mirror42-test-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a temporary folder");
    watch_over(&folder);
    let script = |action: &str| {
        let mut command = Command::new(root().join("scripts/db.sh"));
        let output = private(&mut command, &folder).arg(action).output().expect("scripts/db.sh runs");
        assert!(output.status.success(), "db.sh {action}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    script("start");
    script("url")
}

/// Points a command at the private server in a folder, whatever server the environment names.
fn private<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command.env("DB_DIR", folder.join("postgres"));
    command.env_remove("DATABASE_URL").env_remove("PGHOST").env_remove("DB_HOST")
}

/// Starts a process that stops the server when this one is gone, however it went: its input ends then.
fn watch_over(folder: &Path) {
    let script = r#"trap "" INT TERM HUP; cat >/dev/null; "$0" stop; rm -rf "$1""#;
    let mut janitor = Command::new("sh");
    janitor.arg("-c").arg(script).arg(root().join("scripts/db.sh")).arg(folder);
    private(&mut janitor, folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = janitor.spawn().expect("sh runs");
    // The pipe stays open as long as this process lives.
    std::mem::forget(child);
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder")
}
