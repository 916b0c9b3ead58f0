//! A run, as it is printed and written: the documented keys, and those that were missing there.

use crate::finding::{Finding, severity_name};
use crate::level::{Level, rate};
use crate::measure::{Measured, Outcome, State};
use crate::staging::Silence;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use std::cmp::Reverse;

/// Findings that a report prints; `total_violations` counts all.
const INLINE: usize = 1000;

/// Exit code of what could not be done.
pub(crate) const ERROR: u8 = 4;

/// What a run came to.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// When the snapshot was taken; RFC 3339, UTC.
    pub(crate) timestamp: String,
    /// Rows and pairs that were compared, over all checks.
    pub(crate) total_checked: i64,
    pub(crate) consistent: i64,
    pub(crate) inconsistent: i64,
    /// Per cent, two decimals; null when nothing was compared.
    pub(crate) consistency_rate: Option<f64>,
    /// Findings, the worst first; the first ones are printed.
    #[serde(serialize_with = "inline")]
    pub(crate) violations: Vec<Finding>,
    pub(crate) total_violations: i64,
    pub(crate) total_users_monitored: i64,
    pub(crate) status: Level,
    /// What the status would be by the rate alone.
    pub(crate) ratio_status: Level,
    pub(crate) requires_attention: bool,
    /// Whether these are not all checks.
    pub(crate) partial: bool,
    pub(crate) dry_run: bool,
    pub(crate) duration_seconds: f64,
    /// Why the run came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) checks: Vec<Line>,
}

/// How a check came out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) check: String,
    pub(crate) table: Option<String>,
    /// A level, `not_applicable`, or `waiting` where the result before still holds.
    pub(crate) status: String,
    pub(crate) severity: String,
    pub(crate) total: i64,
    pub(crate) inconsistent: i64,
    pub(crate) findings: i64,
    pub(crate) seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Which checks a run did, and whether it leaves a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) partial: bool,
    pub(crate) dry_run: bool,
}

fn inline<S: Serializer>(findings: &[Finding], serializer: S) -> Result<S::Ok, S::Error> {
    findings[..findings.len().min(INLINE)].serialize(serializer)
}

pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Report {
    pub(crate) fn of(measured: Measured, extent: Extent) -> Self {
        let checks: Vec<Line> = measured.results.iter().map(Line::of).collect();
        let total: i64 = checks.iter().map(|line| line.total).sum();
        let inconsistent: i64 = checks.iter().map(|line| line.inconsistent).sum();
        let status = measured.results.iter().filter_map(Outcome::level).max().unwrap_or(Level::Unknown);
        let seen = measured.results.into_iter().filter_map(|outcome| match outcome.state {
            State::Seen(seen) => Some(seen.shown),
            State::Silent(_) => None,
        });
        let mut violations: Vec<Finding> = seen.flatten().collect();
        // The order of the checks stays within a severity.
        violations.sort_by_key(|finding| Reverse(finding.severity));
        Self {
            timestamp: instant(measured.taken),
            total_checked: total,
            consistent: total - inconsistent,
            inconsistent,
            consistency_rate: rate(total, inconsistent),
            total_violations: checks.iter().map(|line| line.findings).sum(),
            total_users_monitored: measured.people,
            status,
            ratio_status: Level::of_ratio(total, inconsistent),
            requires_attention: status != Level::Healthy,
            partial: extent.partial,
            dry_run: extent.dry_run,
            duration_seconds: (measured.seconds * 1000.0).round() / 1000.0,
            error: None,
            violations,
            checks,
        }
    }

    /// A run that came to nothing, which is an outcome too.
    pub(crate) fn failed(error: &str, extent: Extent, now: DateTime<Utc>) -> Self {
        Self {
            timestamp: instant(now),
            total_checked: 0,
            consistent: 0,
            inconsistent: 0,
            consistency_rate: None,
            violations: Vec::new(),
            total_violations: 0,
            total_users_monitored: 0,
            status: Level::Unknown,
            ratio_status: Level::Unknown,
            requires_attention: true,
            partial: extent.partial,
            dry_run: extent.dry_run,
            duration_seconds: 0.0,
            error: Some(error.to_owned()),
            checks: Vec::new(),
        }
    }

    /// The run in a few numbers.
    pub(crate) fn brief(&self) -> Value {
        json!({
            "timestamp": self.timestamp,
            "status": self.status,
            "consistency_rate": self.consistency_rate,
            "inconsistent": self.inconsistent,
            "total_violations": self.total_violations,
        })
    }

    /// The exit code: what could not be done counts most.
    pub(crate) fn code(&self) -> u8 {
        if self.count("unknown") > 0 { ERROR } else { self.status.code() }
    }

    /// How many checks have this status.
    pub(crate) fn count(&self, status: &str) -> usize {
        self.checks.iter().filter(|line| line.status == status).count()
    }

    /// The run in one line.
    pub(crate) fn sentence(&self) -> String {
        let rate = self.consistency_rate.map_or("no rate".to_owned(), |rate| format!("{rate:.2} %"));
        format!(
            "{}: {rate}, {} compared, {} inconsistent, {} findings, {} checks, {} failed, {} not applicable, {} waiting, {:.1} s",
            self.status.name(),
            self.total_checked,
            self.inconsistent,
            self.total_violations,
            self.checks.len(),
            self.count("unknown"),
            self.count("not_applicable"),
            self.count("waiting"),
            self.duration_seconds
        )
    }
}

impl Line {
    fn of(outcome: &Outcome) -> Self {
        let (total, inconsistent, findings) = match &outcome.state {
            State::Seen(seen) => (seen.total, seen.inconsistent, seen.findings),
            State::Silent(_) => (0, 0, 0),
        };
        let status = match (&outcome.state, outcome.level()) {
            (State::Silent(Silence::Waiting(_)), _) => "waiting",
            (_, Some(level)) => level.name(),
            (_, None) => "not_applicable",
        };
        Self {
            check: outcome.check.name.clone(),
            table: outcome.check.table.clone(),
            status: status.to_owned(),
            severity: severity_name(outcome.check.severity).to_owned(),
            total,
            inconsistent,
            findings,
            seconds: (outcome.seconds * 1000.0).round() / 1000.0,
            reason: outcome.reason().map(str::to_owned),
        }
    }
}
