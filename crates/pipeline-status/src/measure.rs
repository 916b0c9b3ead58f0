//! Everything, measured just now, each part by itself: what cannot be read says so and spoils nothing else.

use crate::alert_log::{self, Transition};
use crate::alerts::{self, Alert, Level};
use crate::children;
use crate::database::{self, Database, Table};
use crate::files::{self, Disk, Export, Logs};
use crate::host::{self, TokenView};
use crate::thresholds::Threshold;
use anyhow::{Context, Result};
use api42::{Budget, Calls};
use catalog::Catalog;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use tool::Verdict;

/// What was read, or why not.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Known<T> {
    Is(T),
    Not { error: String },
}

impl<T> Known<T> {
    pub(crate) fn of(read: Result<T>) -> Self {
        read.map_or_else(|error| Self::Not { error: format!("{error:#}") }, Self::Is)
    }

    pub(crate) const fn get(&self) -> Result<&T, &String> {
        match self {
            Self::Is(value) => Ok(value),
            Self::Not { error } => Err(error),
        }
    }
}

/// A resource of the catalog: its export, and its table.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) table: String,
    /// Whether the nightly mirrors it.
    pub(crate) nightly: bool,
    /// Whether its changes are followed.
    pub(crate) followed: bool,
    /// Null when it was never published.
    pub(crate) export: Known<Option<Export>>,
    /// Null when the database cannot be read, or has no such table.
    pub(crate) mirror: Option<Table>,
}

/// The whole, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) status: Level,
    pub(crate) measured_at: DateTime<Utc>,
    pub(crate) cursus: u64,
    pub(crate) alerts: Vec<Alert>,
    /// Alerts of an earlier look that this one could not measure; known to --write-metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) alerts_unmeasured: Vec<Alert>,
    pub(crate) resources: Vec<Line>,
    pub(crate) database: Known<Database>,
    pub(crate) quota: Known<Budget>,
    /// Null when none is kept on this host.
    pub(crate) token: Known<Option<TokenView>>,
    /// What `backlog status --json` says.
    pub(crate) backlog: Known<Value>,
    /// What `job-monitor summary --json` says.
    pub(crate) jobs: Known<Value>,
    /// The jobs of `job-monitor active --json`.
    pub(crate) running: Known<Vec<Value>>,
    /// What `check-integrity status` says.
    pub(crate) integrity: Known<Value>,
    /// Of this host, in the last hour.
    pub(crate) calls: Known<Calls>,
    pub(crate) disks: Vec<Known<Disk>>,
    pub(crate) logs: Known<Logs>,
    /// The newest of the log of alerts, newest first.
    pub(crate) alert_log: Known<Vec<Transition>>,
    /// How a run ends for the database's sake.
    #[serde(skip)]
    pub(crate) database_verdict: Verdict,
}

/// Measures, again and again if need be.
pub(crate) struct Gauge {
    pub(crate) catalog: Catalog,
    pub(crate) cursus: u64,
    pub(crate) thresholds: Vec<Threshold>,
    /// How long each source may take.
    pub(crate) patience: Duration,
    /// The answer of a database that has not come yet: it is not asked again before.
    pending: Option<Receiver<Result<Database>>>,
}

impl Gauge {
    pub(crate) const fn new(
        catalog: Catalog,
        cursus: u64,
        thresholds: Vec<Threshold>,
        patience: Duration,
    ) -> Self {
        Self { catalog, cursus, thresholds, patience, pending: None }
    }

    /// One look at everything; what moved, since an instant of the database's clock. The database and the tools are asked at
    /// the same time.
    pub(crate) fn look(&mut self, since: Option<DateTime<Utc>>) -> Measured {
        let patience = self.patience;
        let ask = |tool: &'static str, arguments: &'static [&str]| {
            thread::spawn(move || children::ask(tool, arguments, patience))
        };
        let jobs = ask("job-monitor", &["summary", "--json"]);
        let running = ask("job-monitor", &["active", "--json"]);
        let integrity = ask("check-integrity", &["status"]);
        let backlog = ask("backlog", &["status", "--json"]);
        self.ask_database(since);
        let host = host::read();
        let exports = files::exports(&self.catalog, self.cursus);
        let (disks, logs) = (files::disks(), Known::of(files::logs()));
        let alert_log = Known::of(alert_log::newest());
        let database = self.database();
        let database_verdict = database.as_ref().map_or_else(Verdict::of, |_| Verdict::Done);
        let mut measured = Measured {
            status: Level::Unknown,
            measured_at: Utc::now(),
            cursus: self.cursus,
            alerts: Vec::new(),
            alerts_unmeasured: Vec::new(),
            resources: lines(&self.catalog, exports, database.as_ref().ok()),
            database: Known::of(database),
            quota: host.quota,
            token: host.token,
            backlog: Known::of(children::joined(backlog)),
            jobs: Known::of(children::joined(jobs)),
            running: Known::of(children::joined(running).and_then(jobs_of)),
            integrity: Known::of(children::joined(integrity)),
            calls: host.calls,
            disks,
            logs,
            alert_log,
            database_verdict,
        };
        measured.judge(&self.thresholds);
        measured
    }

    fn ask_database(&mut self, since: Option<DateTime<Utc>>) {
        if self.pending.is_some() {
            return;
        }
        let tables: Vec<String> =
            self.catalog.resources().iter().map(|resource| resource.table.clone()).collect();
        let (answer, receiver) = channel();
        // A server that is stopped, not dead, never answers: it is waited for elsewhere.
        thread::spawn(move || drop(answer.send(database::read(&tables, since))));
        self.pending = Some(receiver);
    }

    fn database(&mut self) -> Result<Database> {
        let Some(receiver) = self.pending.take() else { return Err(database::silent(self.patience)) };
        match receiver.recv_timeout(self.patience) {
            Ok(read) => read,
            Err(RecvTimeoutError::Timeout) => {
                self.pending = Some(receiver);
                Err(database::silent(self.patience))
            }
            Err(RecvTimeoutError::Disconnected) => Err(anyhow::anyhow!("reading the database ended early")),
        }
    }
}

impl Measured {
    /// Derives the alerts, and the worst of them.
    pub(crate) fn judge(&mut self, thresholds: &[Threshold]) {
        self.alerts = alerts::of(self, thresholds);
        self.status = alerts::worst(&self.alerts);
    }
}

/// The array of a body of the REST API.
fn jobs_of(mut body: Value) -> Result<Vec<Value>> {
    match body["jobs"].take() {
        Value::Array(jobs) => Ok(jobs),
        _ => None.context("job-monitor gives no jobs"),
    }
}

fn lines(catalog: &Catalog, exports: Vec<Known<Option<Export>>>, database: Option<&Database>) -> Vec<Line> {
    let line = |(resource, export): (&catalog::Resource, _)| Line {
        table: resource.table.clone(),
        nightly: resource.nightly,
        followed: resource.live.is_some(),
        export,
        mirror: database.and_then(|database| database.tables.get(&resource.table).cloned()),
    };
    catalog.resources().iter().zip(exports).map(line).collect()
}
