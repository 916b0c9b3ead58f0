//! A fresh database.

use crate::server::usual;
use crate::{Server, markers};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, NoTls};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database of its own for a test, dropped with it.
#[derive(Debug)]
pub struct Database {
    url: String,
    /// The server and the name of what is dropped.
    own: Option<(String, String)>,
}

impl Database {
    /// Makes an empty database on the server of all tests.
    #[must_use]
    pub fn create() -> Self {
        Self::create_at(usual())
    }

    /// Makes an empty database on a server of the test's own.
    #[must_use]
    pub fn create_on(server: &Server) -> Self {
        Self::create_at(server.url())
    }

    fn create_at(server: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        maintenance(server).batch_execute(&format!("CREATE DATABASE {name}")).expect("CREATE DATABASE");
        Self { url: with_database(server, &name), own: Some((server.to_owned(), name)) }
    }

    /// A database of a server that the test has brought up itself.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), own: None }
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

impl Database {
    /// Looks through what the tools note of their work: neither people nor what opens doors. Records that wait are data.
    fn inspect(&self) {
        // One that is gone, or stands still, is the test's own doing.
        let Ok(mut client) = self
            .url()
            .parse::<postgres::Config>()
            .and_then(|mut config| config.connect_timeout(std::time::Duration::from_secs(5)).connect(NoTls))
        else {
            return;
        };
        let tables = "SELECT string_agg(format('SELECT %L, (to_jsonb(t) - ''record'' - ''row'')::text FROM %s t', oid::regclass, oid::regclass), ' UNION ALL ')
            FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace('ops')";
        let Some(all) =
            client.query_one(tables, &[]).expect("the system's catalogs").get::<_, Option<String>>(0)
        else {
            return;
        };
        let search = format!("SELECT * FROM ({all}) notes (place, note) WHERE note ~ $1 LIMIT 1");
        let found = client
            .query_opt(&search, &[&markers::pattern()])
            .unwrap_or_else(|error| panic!("{search}: {error:?}"));
        if let Some(row) = found {
            panic!("{} holds what it may not: {}", row.get::<_, String>(0), row.get::<_, String>(1));
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.own.is_some() && !std::thread::panicking() {
            self.inspect();
        }
        if let Some((server, name)) = &self.own {
            // A failing test drops it too, and must fail for its own reason.
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            drop(Client::connect(server, NoTls).and_then(|mut client| client.batch_execute(&sql)));
        }
    }
}

fn maintenance(server: &str) -> Client {
    Client::connect(server, NoTls).expect("the private PostgreSQL answers")
}

/// `postgresql:///mirror42?host=…` → the same with another database.
fn with_database(url: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (host, rest) = rest.split_once('/').expect("a URL with a database");
    let (_, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    format!("{scheme}://{host}/{name}?{parameters}&password={}", markers::PASSWORD)
}
