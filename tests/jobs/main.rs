//! Jobs on record: job-run and job-monitor on a real PostgreSQL.
//!
//! - `runs`: one run, from start to end.
//! - `lease`: two at once, and runs that were killed.
//! - `outage`: the database away, at the start, in the middle, at the end.
//! - `history`: what is conspicuous, what is kept, what a clock does that was set.
//! - `screens`: what people and programs are shown.
//! - `remote`: the same through a monitor-server.
//! - `scripts`: those of cron, on record.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod history;
mod lease;
mod outage;
mod remote;
mod runs;
mod screens;
mod scripts;

use serde_json::Value;
use std::process::{Child, Stdio};
use testkit::{Database, Run, Workdir, until};

/// A database with tables, and a folder to run jobs in.
struct Desk {
    database: Database,
    workdir: Workdir,
}

impl Desk {
    fn new() -> Self {
        let database = Database::create();
        let mut workdir = Workdir::new();
        workdir.set("DATABASE_URL", &database.url());
        drop(workdir.run("init-db", &[]).expect(0));
        Self { database, workdir }
    }

    /// Runs a line of shell as a job.
    fn job(&self, name: &str, line: &str) -> Run {
        self.workdir.run("job-run", &["--job", name, "--", "sh", "-c", line])
    }

    /// Starts a line of shell as a job, and waits until its row runs.
    fn start(&self, name: &str, line: &str) -> Child {
        let child = start(&self.workdir, name, line);
        self.wait(
            &format!(
                "SELECT count(*) FROM ops.job_executions WHERE job_name = '{name}' AND status = 'running'"
            ),
            "1",
        );
        child
    }

    /// The only row of a job.
    fn row(&self, name: &str) -> Value {
        let mut rows = self.rows(name);
        assert_eq!(rows.len(), 1, "{rows:#?}");
        rows.remove(0)
    }

    /// The rows of a job, oldest first.
    fn rows(&self, name: &str) -> Vec<Value> {
        self.database.rows(&format!("SELECT * FROM ops.job_executions WHERE job_name = '{name}' ORDER BY id"))
    }

    /// Waits until a query gives this value.
    fn wait(&self, query: &str, value: &str) {
        until(query, || self.database.value(query) == value);
    }
}

/// Starts a line of shell as a job.
fn start(workdir: &Workdir, name: &str, line: &str) -> Child {
    // Whoever runs the tests in the background of a shell has SIGINT ignored, and everything below it too.
    let mut command = workdir.command("/usr/bin/env");
    command.args(["--default-signal", "job-run", "--job", name, "--", "sh", "-c", line]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal to a process.
fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = std::process::Command::new("kill").args(["-s", name, &id]).status().unwrap();
    assert!(status.success());
}

/// Appends a line to `$JOB_PROGRESS`, in a shell.
fn say(line: &str) -> String {
    format!("echo '{line}' >>\"$JOB_PROGRESS\"; ")
}

/// Whether a process lives; one that ended and was not fetched yet does not.
fn alive(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}
