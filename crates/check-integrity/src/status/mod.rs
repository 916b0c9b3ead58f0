//! How the mirror is, by what runs have left: never better than what was measured last, and unknown when that is long ago.
//!
//! # Layout
//! - this file: what is known, and the documented bodies.
//! - `read`: the SQL. `judge`: what it comes to.

mod judge;
mod read;

use crate::files;
use crate::level::{Level, rate};
use crate::report::Line;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

/// What is known.
pub(crate) struct Status {
    pub(crate) level: Level,
    /// Why it is not better.
    pub(crate) reason: Option<String>,
    /// When a run of all checks ended last that came to something.
    pub(crate) last_check: Option<String>,
    pub(crate) checks: Vec<Known>,
    /// Findings that are open, those of checks that show only their first ones included.
    pub(crate) findings: i64,
    /// Rows of findings that two runs in a row have seen.
    pub(crate) confirmed_rows: i64,
    pub(crate) people: i64,
    /// The first open findings, as they are printed.
    pub(crate) open: Vec<Value>,
    pub(crate) trend: Vec<Day>,
    attempt: Option<Last>,
}

/// A check's last result.
#[derive(Serialize)]
pub(crate) struct Known {
    #[serde(flatten)]
    pub(crate) line: Line,
    /// RFC 3339, UTC.
    pub(crate) checked_at: String,
    #[serde(skip)]
    age: f64,
}

/// The runs of a day.
#[derive(Serialize)]
pub(crate) struct Day {
    day: String,
    runs: i64,
    failed: i64,
    /// Of its last run that compared anything.
    consistency_rate: Option<f64>,
    inconsistent: Option<i64>,
    lowest_rate: Option<f64>,
}

/// A run that was kept.
struct Last {
    at: String,
    age: f64,
    error: Option<String>,
    people: i64,
    finished: DateTime<Utc>,
    total: i64,
    inconsistent: i64,
    findings: i64,
    status: String,
    seconds: f64,
}

impl Status {
    /// Tells the last run from others.
    pub(crate) fn evidence(&self) -> String {
        let attempt = self.attempt.as_ref().map_or_else(String::new, |attempt| attempt.at.clone());
        let failed = files::latest().filter(|latest| latest["error"].is_string());
        failed.map_or(attempt.clone(), |latest| format!("{attempt} {}", latest["timestamp"]))
    }

    /// Rows that were compared, and those inconsistent, over all checks.
    pub(crate) fn totals(&self) -> (i64, i64) {
        let sum = |of: fn(&Line) -> i64| self.checks.iter().map(|known| of(&known.line)).sum();
        (sum(|line| line.total), sum(|line| line.inconsistent))
    }

    /// The documented summary; what is unknown has no rate and lists nothing.
    pub(crate) fn summary(&self) -> Value {
        let (total, bad) = self.totals();
        let mut body = json!({
            "status": self.level,
            "last_check": self.last_check,
            "consistency_rate": self.rate(),
            "total_violations": self.findings,
            "total_users_monitored": self.people,
            "requires_attention": self.level != Level::Healthy,
        });
        let mut more = json!({
            "reason": self.reason,
            "ratio_status": self.ratio(),
            "total_checked": total,
            "inconsistent": bad,
            "checks": self.checks,
            "trend": self.trend,
        });
        if self.level != Level::Unknown {
            body["violations"] = json!(self.open);
        }
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object_mut()) {
            body.append(more);
        }
        body
    }

    /// The last run of all checks, as it was reported, but for its status where that is not known any more; none before the
    /// first.
    pub(crate) fn report(&self) -> Option<Value> {
        let last = self.attempt.as_ref()?;
        let then = Level::of_name(&last.status).unwrap_or(Level::Unknown);
        let (status, ratio) = match self.level {
            Level::Unknown => (Level::Unknown, Level::Unknown),
            _ => (then, Level::of_ratio(last.total, last.inconsistent)),
        };
        let mut body = json!({
            "timestamp": last.at,
            "total_checked": last.total,
            "consistent": last.total - last.inconsistent,
            "inconsistent": last.inconsistent,
            "consistency_rate": rate(last.total, last.inconsistent),
            "violations": self.open,
            "total_violations": last.findings,
            "total_users_monitored": last.people,
            "status": status,
            "ratio_status": ratio,
            "requires_attention": status != Level::Healthy,
            "partial": false,
            "dry_run": false,
            "duration_seconds": (last.seconds * 1000.0).round() / 1000.0,
            "checks": self.checks,
        });
        if let Some(error) = &last.error {
            body["error"] = json!(error);
        }
        Some(body)
    }

    /// The documented metrics.
    pub(crate) fn metrics(&self) -> Value {
        let (total, bad) = self.totals();
        json!({
            "consistency_rate": self.rate(),
            "violations_count": self.findings,
            "status": self.level,
            "last_check": self.last_check,
            "requires_attention": self.level != Level::Healthy,
            "total_users": self.people,
            "consistent": total - bad,
            "inconsistent": bad,
            "total_users_monitored": self.people,
            "reason": self.reason,
            "ratio_status": self.ratio(),
            "checks": self.checks,
            "trend": self.trend,
        })
    }

    fn rate(&self) -> Option<f64> {
        let (total, bad) = self.totals();
        rate(total, bad).filter(|_| self.level != Level::Unknown)
    }

    fn ratio(&self) -> Level {
        let (total, bad) = self.totals();
        if self.level == Level::Unknown { Level::Unknown } else { Level::of_ratio(total, bad) }
    }
}
