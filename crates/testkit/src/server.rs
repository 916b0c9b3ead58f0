//! A private PostgreSQL server.

use crate::wait::until;
use crate::workdir::root;
use postgres::{Client, NoTls};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A PostgreSQL server that a test may do anything to. It is stopped when it is dropped, or when the test is gone.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    url: String,
    janitor: Child,
    _made: Option<TempDir>,
}

/// How a server is made to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Sessions are ended, what is under way is rolled back: `pg_ctl stop -m fast`.
    Fast,
    /// As after a crash: `pg_ctl stop -m immediate`.
    Immediate,
}

/// Processes that stand still until this is dropped.
#[derive(Debug)]
#[must_use = "what is frozen thaws when this is dropped"]
pub struct Frozen {
    processes: Vec<Pid>,
}

impl Server {
    /// Brings a server up, with its data in a temporary folder.
    #[must_use]
    pub fn start() -> Self {
        let made = TempDir::new().expect("a temporary folder");
        // Root does not run PostgreSQL, and who does has to come through.
        fs::set_permissions(made.path(), Permissions::from_mode(0o711)).expect("a folder of ours");
        let folder = made.path().to_owned();
        let mut server = Self::start_in(&folder);
        server._made = Some(made);
        server
    }

    /// Brings a server up with its data in a folder, which another user may have to reach.
    #[must_use]
    pub fn start_in(folder: &Path) -> Self {
        let folder = folder.join("postgres");
        let janitor = watch_over(&folder);
        let mut server = Self { folder, url: String::new(), janitor, _made: None };
        server.again();
        server.url = server.script("url");
        // What a test does to a server, the machine survives: nothing has to reach the disk.
        let mut session = server.connect().expect("the server answers");
        for statement in ["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"] {
            session.batch_execute(statement).expect("the server is ours");
        }
        server
    }

    /// What `DATABASE_URL` would be for its first database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process of the server, and those that it has started.
    #[must_use]
    pub fn processes(&self) -> Vec<Pid> {
        let Some(server) = self.pid() else { return Vec::new() };
        let parent = format!("PPid:\t{}\n", server.as_raw_nonzero());
        let ids = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
        let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let is_child = |id: &i32| {
            fs::read_to_string(format!("/proc/{id}/status")).is_ok_and(|status| status.contains(&parent))
        };
        [server].into_iter().chain(ids.filter(is_child).filter_map(Pid::from_raw)).collect()
    }

    /// Lets it stand still, with all its sessions.
    pub fn freeze(&self) -> Frozen {
        let frozen = Frozen { processes: self.processes() };
        assert!(!frozen.processes.is_empty(), "the server does not run");
        frozen.send(Signal::STOP);
        frozen
    }

    /// Stops it.
    pub fn stop(&self, how: Stop) {
        let signal = if how == Stop::Fast { Signal::INT } else { Signal::QUIT };
        let processes = self.processes();
        kill_process(*processes.first().expect("a server that runs"), signal).expect("a server of ours");
        until("the server goes", || processes.iter().all(|process| !is_alive(*process)));
    }

    /// Starts it again, if it does not run.
    pub fn again(&self) {
        self.script("start");
    }

    /// Waits until it takes connections again after a crash of its own; one that gave up meanwhile is started again.
    pub fn recovered(&self) {
        until("the server answers again", || {
            if self.processes().iter().all(|process| !is_alive(*process)) {
                self.again();
            }
            self.connect().is_ok()
        });
    }

    /// Everything that it wrote into its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.data().join("server.log")).unwrap_or_default()
    }

    fn connect(&self) -> Result<Client, postgres::Error> {
        Client::connect(&self.url, NoTls)
    }

    fn pid(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.parse().ok()?)
    }

    /// The folder of its data, named for the version.
    fn data(&self) -> PathBuf {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        let mut folders = entries.map(|entry| entry.path()).filter(|path| path.join("PG_VERSION").exists());
        folders.next().unwrap_or_default()
    }

    fn script(&self, action: &str) -> String {
        let mut command = Command::new(root().join("scripts/db.sh"));
        let output = private(&mut command, &self.folder).arg(action).output().expect("scripts/db.sh runs");
        assert!(output.status.success(), "db.sh {action}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        drop(self.janitor.wait());
    }
}

impl Frozen {
    fn send(&self, signal: Signal) {
        for process in &self.processes {
            // One that has gone meanwhile needs no signal.
            let _ = kill_process(*process, signal);
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.send(Signal::CONT);
    }
}

/// URL of the server of all tests: `TEST_DATABASE_URL`, or one that is brought up for this process.
pub(crate) fn usual() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    static SERVER: OnceLock<Server> = OnceLock::new();
    URL.get_or_init(|| {
        let given = std::env::var("TEST_DATABASE_URL");
        given.unwrap_or_else(|_| SERVER.get_or_init(Server::start).url.clone())
    })
}

/// Points a command at the private server in a folder, whatever server the environment names.
fn private<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command.env("DB_DIR", folder);
    command.env_remove("DATABASE_URL").env_remove("PGHOST").env_remove("DB_HOST")
}

/// Starts a process that stops the server when this one is gone, however it went: its input ends then.
fn watch_over(folder: &Path) -> Child {
    let script = r#"trap "" INT TERM HUP; cat >/dev/null; "$0" stop; rm -rf "$1""#;
    let mut janitor = Command::new("sh");
    janitor.arg("-c").arg(script).arg(root().join("scripts/db.sh")).arg(folder);
    private(&mut janitor, folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    janitor.spawn().expect("sh runs")
}

/// Whether a process is there; one that has ended and was not fetched yet is not.
fn is_alive(process: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}
