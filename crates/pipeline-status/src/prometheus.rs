//! The same in the classic text format of Prometheus. What is not known has no sample.

use crate::alerts::Level;
use crate::measure::Measured;
use chrono::{DateTime, Utc};
use serde_json::Value;

const LEVELS: [Level; 4] = [Level::Ok, Level::Warning, Level::Unknown, Level::Critical];

/// Every family whole, in one place.
#[derive(Default)]
struct Text(String);

impl Text {
    /// A gauge, with a sample for each set of labels.
    fn gauge<'a, V: ToString>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Vec<(&'a str, &'a str)>, Option<V>)>,
    ) {
        let mut text = String::new();
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            if let Some(value) = value {
                text.push_str(&format!("mirror42_{name}{labels} {}\n", value.to_string()));
            }
        }
        if !text.is_empty() {
            self.0.push_str(&format!("# HELP mirror42_{name} {help}\n# TYPE mirror42_{name} gauge\n{text}"));
        }
    }
}

/// Control characters are made visible too: a name comes from data.
fn escaped(value: &str) -> String {
    tool::printable(value).replace('\\', r"\\").replace('"', "\\\"")
}

fn seconds(at: Option<DateTime<Utc>>) -> Option<i64> {
    at.map(|at| at.timestamp())
}

/// All families.
pub(crate) fn of(measured: &Measured) -> String {
    let mut text = Text::default();
    let is = |level| u8::from(measured.status == level);
    text.gauge(
        "status",
        "1 for the level that the whole is at.",
        LEVELS.map(|level| (vec![("level", level.name())], Some(is(level)))),
    );
    let count = |level| measured.alerts.iter().filter(|alert| alert.level == level).count();
    let bad = LEVELS.into_iter().skip(1);
    text.gauge(
        "alerts",
        "What is not as it should be.",
        bad.map(|level| (vec![("level", level.name())], Some(count(level)))),
    );
    let at = measured.measured_at.timestamp();
    text.gauge("status_timestamp_seconds", "When everything here was measured.", [(vec![], Some(at))]);
    exports(&mut text, measured);
    tables(&mut text, measured);
    host(&mut text, measured);
    work(&mut text, measured);
    text.0
}

fn label<'a>(table: &&'a str) -> Vec<(&'a str, &'a str)> {
    vec![("table", *table)]
}

fn exports(text: &mut Text, measured: &Measured) {
    let there: Vec<_> = measured
        .resources
        .iter()
        .filter_map(|line| Some((line.table.as_str(), line.export.get().ok()?.as_ref()?)))
        .collect();
    let finished = there.iter().map(|(table, export)| (label(table), Some(export.finished.timestamp())));
    text.gauge("export_timestamp_seconds", "When the last full export was published.", finished);
    let rows = there.iter().map(|(table, export)| (label(table), Some(export.rows)));
    text.gauge("export_records", "Records of the last full export.", rows);
    let bytes = there.iter().map(|(table, export)| (label(table), Some(export.bytes)));
    text.gauge("export_bytes", "Size of the last full export.", bytes);
    let complete = there.iter().map(|(table, export)| (label(table), Some(u8::from(export.complete))));
    text.gauge("export_complete", "1 when every record that the API announced is in it.", complete);
    let throttled = there.iter().map(|(table, export)| (label(table), Some(export.throttled)));
    text.gauge("export_throttled_calls", "Answers 429 that it met.", throttled);
}

fn tables(text: &mut Text, measured: &Measured) {
    let up = u8::from(measured.database.get().is_ok());
    text.gauge("database_up", "1 when the database answered just now.", [(vec![], Some(up))]);
    if let Ok(database) = measured.database.get() {
        text.gauge("database_bytes", "Size of the database.", [(vec![], Some(database.bytes))]);
        text.gauge("database_connections", "Clients of the server.", [(vec![], Some(database.connections))]);
        let help = "Runs of jobs that failed or were lost in 24 hours.";
        text.gauge("failed_runs_day", help, [(vec![], Some(database.failed_runs_day))]);
    }
    let there: Vec<_> = measured
        .resources
        .iter()
        .filter_map(|line| Some((vec![("table", line.table.as_str())], line.mirror.as_ref()?)))
        .collect();
    let each = |take: fn(&crate::database::Table) -> Option<i64>| {
        there.iter().map(move |(labels, table)| (labels.clone(), take(table))).collect::<Vec<_>>()
    };
    text.gauge("table_rows", "Rows; of large tables the server's estimate.", each(|table| table.rows));
    text.gauge("table_bytes", "Size with indexes.", each(|table| Some(table.bytes)));
    let help = "When the last load was committed.";
    text.gauge("table_load_timestamp_seconds", help, each(|table| seconds(table.last_load)));
    let help = "When a load last wrote or deleted a row.";
    text.gauge("table_change_timestamp_seconds", help, each(|table| seconds(table.last_change)));
    let help = "Up to when the changes are in the mirror.";
    text.gauge("table_watermark_timestamp_seconds", help, each(|table| seconds(table.watermark)));
    // A reason that nothing waits for is 0, so that a rise from nothing is seen.
    let reasons = |table: &crate::database::Table| {
        ["parent", "type"].map(|reason| (reason, table.quarantine.get(reason).copied().unwrap_or(0)))
    };
    let waiting = there.iter().flat_map(|(labels, table)| {
        reasons(table).map(|(reason, count)| {
            let labels: Vec<_> = labels.iter().copied().chain([("reason", reason)]).collect();
            (labels, Some(count))
        })
    });
    text.gauge("quarantine_records", "Records that wait, by the kind of reason.", waiting);
}

fn host(text: &mut Text, measured: &Measured) {
    if let Ok(quota) = measured.quota.get() {
        text.gauge("quota_used_calls", "Calls of this host in the last hour.", [(vec![], Some(quota.used))]);
        text.gauge("quota_calls", "Calls an hour that this host may make.", [(vec![], Some(quota.host))]);
    }
    if let Ok(Some(token)) = measured.token.get() {
        text.gauge(
            "token_end_timestamp_seconds",
            "When the kept token ends.",
            [(vec![], seconds(token.expires_at))],
        );
        let help = "When the application's secret ends.";
        text.gauge("secret_end_timestamp_seconds", help, [(vec![], seconds(token.secret_valid_until))]);
    }
    let disks: Vec<_> = measured.disks.iter().filter_map(|disk| disk.get().ok()).collect();
    let free = disks.iter().map(|disk| (vec![("folder", disk.folder)], Some(disk.free_bytes)));
    text.gauge("disk_free_bytes", "Free space where the folder is.", free);
    let total = disks.iter().map(|disk| (vec![("folder", disk.folder)], Some(disk.total_bytes)));
    text.gauge("disk_bytes", "Size of the disk where the folder is.", total);
    if let Ok(logs) = measured.logs.get() {
        text.gauge("logs_bytes", "Size of the folder of logs.", [(vec![], Some(logs.bytes))]);
        let help = "Renewals of the token that failed in 24 hours.";
        text.gauge("token_errors_day", help, [(vec![], Some(logs.token_errors_day))]);
    }
}

fn work(text: &mut Text, measured: &Measured) {
    if let Ok(backlog) = measured.backlog.get() {
        let states = ["due", "leased", "delayed", "dead"];
        let items = states.map(|state| (vec![("state", state)], backlog[state].as_u64()));
        text.gauge("backlog_users", "Users of the backlog.", items);
        let added = parsed(&backlog["oldest_added"]);
        text.gauge("backlog_oldest_timestamp_seconds", "Since when the oldest waits.", [(vec![], added)]);
    }
    let jobs = measured.jobs.get().ok().and_then(|jobs| jobs["summary"].as_object());
    let jobs: Vec<_> =
        jobs.into_iter().flatten().map(|(name, job)| (vec![("job", name.as_str())], job)).collect();
    let each = |take: &dyn Fn(&Value) -> Option<i64>| {
        jobs.iter().map(|(labels, job)| (labels.clone(), take(job))).collect::<Vec<_>>()
    };
    let help = "Start of the latest run.";
    text.gauge("job_run_timestamp_seconds", help, each(&|job| parsed(&job["last_run"])));
    let help = "Start of the latest run that completed, at least in part.";
    text.gauge("job_success_timestamp_seconds", help, each(&|job| parsed(&job["last_success"])));
    let help = "When it is due next.";
    text.gauge("job_next_timestamp_seconds", help, each(&|job| parsed(&job["next_scheduled"])));
    let help = "1 when a run should have started and has not.";
    text.gauge("job_overdue", help, each(&|job| job["overdue"].as_bool().map(i64::from)));
    let help = "Runs that failed since one went well.";
    text.gauge("job_failures", help, each(&|job| job["consecutive_failures"].as_i64()));
}

fn parsed(value: &Value) -> Option<i64> {
    seconds(value.as_str()?.parse().ok())
}
