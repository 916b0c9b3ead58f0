//! What is not as it should be, derived from what was measured.

use crate::files::Export;
use crate::measure::{Known, Line, Measured};
use crate::text::{bytes, duration};
use crate::thresholds::{Threshold, is_falling};
use serde::Serialize;
use serde_json::Value;

/// How bad something is; the worst comes last. What was not measured is never [`Level::Ok`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Ok,
    Warning,
    Unknown,
    Critical,
}

impl Level {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        }
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Alert {
    pub(crate) level: Level,
    /// A name of the table of thresholds, or what is away: `database`, `export`, `table`, `jobs`, …
    pub(crate) name: &'static str,
    /// What it is about; empty for the whole.
    pub(crate) subject: String,
    pub(crate) text: String,
}

struct Judge<'a> {
    thresholds: &'a [Threshold],
    alerts: Vec<Alert>,
}

/// Everything that is not as it should be, the worst first.
pub(crate) fn of(measured: &Measured, thresholds: &[Threshold]) -> Vec<Alert> {
    let mut judge = Judge { thresholds, alerts: Vec::new() };
    judge.database(measured);
    for line in &measured.resources {
        judge.export(line);
        judge.table(line, measured.database.get().is_ok());
    }
    judge.host(measured);
    judge.backlog(&measured.backlog);
    judge.jobs(&measured.jobs);
    judge.space(measured);
    judge.alerts.sort_by_key(|alert| std::cmp::Reverse(alert.level));
    judge.alerts
}

impl Judge<'_> {
    fn say(&mut self, level: Level, name: &'static str, subject: &str, text: impl Into<String>) {
        self.alerts.push(Alert { level, name, subject: subject.to_owned(), text: text.into() });
    }

    /// Holds a value against its threshold.
    fn hold(&mut self, name: &'static str, subject: &str, value: f64, text: impl Fn() -> String) {
        let Some(threshold) = self.thresholds.iter().find(|threshold| threshold.name == name) else { return };
        let falling = is_falling(threshold);
        let beyond = |limit: f64| if falling { value < limit } else { value >= limit };
        if beyond(threshold.critical) {
            self.say(Level::Critical, name, subject, text());
        } else if beyond(threshold.warning) {
            self.say(Level::Warning, name, subject, text());
        }
    }

    fn database(&mut self, measured: &Measured) {
        match measured.database.get() {
            Ok(database) => {
                let text = || bytes(database.bytes.unsigned_abs());
                self.hold("database_bytes", "", as_float(database.bytes), text);
            }
            Err(error) if measured.database_verdict == tool::Verdict::Config => {
                self.say(Level::Unknown, "database", "", error.as_str());
            }
            Err(error) => self.say(Level::Critical, "database", "", error.as_str()),
        }
    }

    fn export(&mut self, line: &Line) {
        let table = line.table.as_str();
        match line.export.get() {
            Err(error) => self.say(Level::Critical, "export", table, error.as_str()),
            Ok(None) if line.nightly => self.say(Level::Unknown, "export", table, "was never exported"),
            Ok(None) => {}
            Ok(Some(export)) => self.export_there(line, export),
        }
    }

    fn export_there(&mut self, line: &Line, export: &Export) {
        let table = line.table.as_str();
        if !export.complete {
            self.say(Level::Warning, "export", table, "the export is not complete");
        }
        // Clocks of one host differ from themselves only when they are set.
        if export.age_seconds < -300 {
            self.say(Level::Unknown, "export", table, "the export is of the future: the clock was set back");
        }
        if line.nightly {
            let text = || format!("the export is {} old", duration(as_float(export.age_seconds)));
            self.hold("export_age_seconds", table, as_float(export.age_seconds), text);
        }
        if export.age_seconds < 86_400 {
            let text = || format!("{} answers 429 in the last export", export.throttled);
            self.hold("http_429", table, unsigned(export.throttled), text);
        }
    }

    fn table(&mut self, line: &Line, database: bool) {
        let name = line.table.as_str();
        let Some(table) = &line.mirror else {
            if database {
                self.say(Level::Critical, "table", name, "the table is missing; run init-db");
            }
            return;
        };
        match table.last_load_age_seconds {
            None => self.say(Level::Unknown, "table", name, "was never loaded"),
            Some(age) if line.nightly => {
                self.hold("load_age_seconds", name, age, || {
                    format!("the last load was {} ago", duration(age))
                });
            }
            Some(_) => {}
        }
        match table.live_lag_seconds.filter(|_| line.followed) {
            Some(lag) => {
                self.hold("live_lag_seconds", name, lag, || {
                    format!("the live sync is {} behind", duration(lag))
                });
            }
            None if line.followed => self.say(Level::Unknown, "live_lag_seconds", name, "has no watermark"),
            None => {}
        }
        let waiting: i64 = table.quarantine.values().sum();
        let text = || format!("{waiting} records wait in quarantine");
        self.hold("quarantine_records", name, as_float(waiting), text);
    }

    fn host(&mut self, measured: &Measured) {
        match measured.quota.get() {
            Err(error) => self.say(Level::Unknown, "quota", "", error.as_str()),
            Ok(quota) => {
                let used = unsigned(quota.used) / unsigned(quota.host.max(1)) * 100.0;
                let text = || format!("{} of {} calls of the hour are used", quota.used, quota.host);
                self.hold("quota_used_percent", "", used, text);
            }
        }
        match measured.token.get() {
            Err(error) => self.say(Level::Unknown, "token", "", error.as_str()),
            Ok(None) => self.say(Level::Unknown, "token", "", "no token is kept on this host"),
            Ok(Some(token)) => {
                if token.expires_in.is_some_and(|seconds| seconds <= 0) {
                    self.say(Level::Warning, "token", "", "the token has ended; nobody has renewed it");
                }
                if let Some(days) = token.secret_days_left {
                    let text = || format!("the application's secret ends in {days} days");
                    self.hold("secret_days", "", as_float(days), text);
                }
            }
        }
    }

    fn backlog(&mut self, backlog: &Known<Value>) {
        let backlog = match backlog.get() {
            Err(error) => return self.say(Level::Unknown, "backlog", "", error.as_str()),
            Ok(backlog) => backlog,
        };
        if !backlog["depth"].is_u64() {
            self.say(Level::Unknown, "backlog", "", "backlog status does not say how many wait");
        }
        if let Some(age) = backlog["oldest_age_seconds"].as_f64() {
            let text = || format!("the oldest user has waited for {}", duration(age));
            self.hold("backlog_age_seconds", "", age, text);
        }
        if let Some(dead) = backlog["dead"].as_f64() {
            self.hold("backlog_dead", "", dead, || {
                format!("users given up: {dead}; backlog dead names them")
            });
        }
    }

    fn jobs(&mut self, jobs: &Known<Value>) {
        let jobs = match jobs.get().map(|jobs| jobs["summary"].as_object()) {
            Err(error) => return self.say(Level::Unknown, "jobs", "", error.as_str()),
            Ok(None) => return self.say(Level::Unknown, "jobs", "", "job-monitor gives no summary"),
            Ok(Some(jobs)) => jobs,
        };
        if jobs.is_empty() {
            self.say(Level::Unknown, "jobs", "", "no job is known");
        }
        for (name, job) in jobs {
            if job["status"] == "never_run" {
                self.say(Level::Unknown, "jobs", name, "has never run");
            }
            if job["overdue"] == true {
                self.say(Level::Critical, "overdue", name, "a run should have started and has not");
            }
            let failures = job["consecutive_failures"].as_f64().unwrap_or_default();
            let why = job["error_message"].as_str().unwrap_or("see job-monitor history");
            let text = || format!("failed runs since one went well: {failures}; {why}");
            self.hold("job_failures", name, failures, text);
            if job["status"] == "partial" {
                self.say(Level::Warning, "jobs", name, "its last run was done in part");
            }
            if let Some(warning) = job["warning"].as_str() {
                self.say(Level::Warning, "jobs", name, warning);
            }
        }
    }

    fn space(&mut self, measured: &Measured) {
        for disk in &measured.disks {
            match disk.get() {
                Err(error) => self.say(Level::Unknown, "disk_used_percent", "", error.as_str()),
                Ok(disk) => {
                    let text = || format!("the disk is full to {:.1} %", disk.used_percent);
                    self.hold("disk_used_percent", disk.folder, disk.used_percent, text);
                }
            }
        }
        match measured.logs.get() {
            Err(error) => self.say(Level::Unknown, "logs_bytes", "", error.as_str()),
            Ok(logs) => {
                self.hold("logs_bytes", "", unsigned(logs.bytes), || bytes(logs.bytes));
                let errors = logs.token_errors_day;
                let text =
                    || format!("{errors} renewals of the token failed in 24 hours; see 42_token_refresh.log");
                self.hold("token_errors_day", "", unsigned(errors), text);
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "held against round numbers")]
const fn as_float(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "held against round numbers")]
const fn unsigned(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thresholds::DEFAULTS;

    fn levels(name: &'static str, values: [f64; 3]) -> Vec<Level> {
        let one = |value| {
            let mut judge = Judge { thresholds: &DEFAULTS, alerts: Vec::new() };
            judge.hold(name, "", value, String::new);
            judge.alerts.first().map_or(Level::Ok, |alert| alert.level)
        };
        values.into_iter().map(one).collect()
    }

    #[test]
    fn a_value_at_its_threshold_is_beyond_it_and_less_may_be_worse() {
        let rising = [Level::Ok, Level::Warning, Level::Critical];
        assert_eq!(levels("live_lag_seconds", [599.9, 600.0, 3600.0]), rising);
        assert_eq!(levels("secret_days", [10.0, 9.0, 2.0]), rising);
    }

    #[test]
    fn the_worst_level_is_the_greatest_and_unknown_is_worse_than_a_warning() {
        assert!(
            Level::Critical > Level::Unknown && Level::Unknown > Level::Warning && Level::Warning > Level::Ok
        );
    }
}
