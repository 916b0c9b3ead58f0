//! What is not as it should be, derived from what was measured.
//!
//! # Layout
//! - here: levels, alerts, and how a value is held against its threshold.
//! - `mirror`: database, exports, tables. `host`: calls, quota, token, disks, logs. `work`: backlog, jobs, integrity.

mod host;
mod mirror;
mod work;

use crate::measure::Measured;
use crate::thresholds::{Threshold, is_falling};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How bad something is; the worst comes last. What was not measured is never [`Level::Ok`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alert {
    pub(crate) level: Level,
    /// A name of the table of thresholds, or what is away: `database`, `export`, `table`, `jobs`, …
    pub(crate) name: Cow<'static, str>,
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
    judge.mirror(measured);
    judge.host(measured);
    judge.work(measured);
    judge.alerts.sort_by_key(|alert| std::cmp::Reverse(alert.level));
    judge.alerts
}

/// What is not as it should be about the backlog alone, the worst first.
pub(crate) fn of_backlog(backlog: &serde_json::Value, thresholds: &[Threshold]) -> Vec<Alert> {
    let mut judge = Judge { thresholds, alerts: Vec::new() };
    judge.backlog(Ok(backlog));
    judge.alerts.sort_by_key(|alert| std::cmp::Reverse(alert.level));
    judge.alerts
}

/// The worst of several.
pub(crate) fn worst(alerts: &[Alert]) -> Level {
    alerts.iter().map(|alert| alert.level).max().unwrap_or(Level::Ok)
}

/// Whether an alert of this kind would have been seen by this look: else its absence says nothing.
pub(crate) fn is_measured(measured: &Measured, alert: &Alert) -> bool {
    match alert.name.as_ref() {
        "database_bytes" | "table" | "load_age_seconds" | "live_lag_seconds" | "quarantine_records" => {
            measured.database.get().is_ok()
        }
        "jobs" | "overdue" | "job_failures" | "sync_seconds" | "nightly_seconds" => {
            measured.jobs.get().is_ok()
        }
        "backlog_age_seconds" | "backlog_dead" => measured.backlog.get().is_ok(),
        "quota_used_percent" => measured.quota.get().is_ok(),
        "api_calls_minute" | "api_401_hour" | "api_429_hour" => measured.calls.get().is_ok(),
        "secret_days" => matches!(measured.token.get(), Ok(Some(_))),
        "integrity" => measured.integrity.get().is_ok(),
        "export_age_seconds" | "http_429" => {
            let mut lines = measured.resources.iter();
            lines.any(|line| line.table == alert.subject && line.export.get().is_ok())
        }
        "disk_used_percent" => measured.disks.iter().all(|disk| disk.get().is_ok()),
        "logs_bytes" | "token_errors_day" => measured.logs.get().is_ok(),
        // The rest say themselves that something could not be read.
        _ => true,
    }
}

impl Judge<'_> {
    fn say(&mut self, level: Level, name: &'static str, subject: &str, text: impl Into<String>) {
        let (name, text) = (Cow::Borrowed(name), text.into());
        self.alerts.push(Alert { level, name, subject: subject.to_owned(), text });
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
            worst(&judge.alerts)
        };
        values.into_iter().map(one).collect()
    }

    #[test]
    fn a_value_at_its_threshold_is_beyond_it_and_less_may_be_worse() {
        let rising = [Level::Ok, Level::Warning, Level::Critical];
        assert_eq!(levels("live_lag_seconds", [599.9, 600.0, 3600.0]), rising);
        assert_eq!(levels("secret_days", [10.0, 9.0, 2.0]), rising);
        assert_eq!(levels("api_401_hour", [0.0, 1.0, 10.0]), rising);
    }

    #[test]
    fn the_worst_level_is_the_greatest_and_unknown_is_worse_than_a_warning() {
        assert!(
            Level::Critical > Level::Unknown && Level::Unknown > Level::Warning && Level::Warning > Level::Ok
        );
    }
}
