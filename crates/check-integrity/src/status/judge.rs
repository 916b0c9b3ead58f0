//! What is known of the whole, by what is known of the last run and of each check.

use super::{Known, Last};
use crate::checks::freshness::OWN_JOB;
use crate::files;
use crate::level::Level;
use crate::report::Line;
use chrono::{DateTime, TimeDelta, Utc};

/// How often the checks are done where no schedule says so.
const USUAL_PERIOD: TimeDelta = TimeDelta::minutes(5);

/// What lies between two checks, by their schedule.
pub(super) fn period(now: DateTime<Utc>) -> TimeDelta {
    let schedules = journal::schedules().unwrap_or_else(|error| {
        log::warn!("{error:#}");
        Vec::new()
    });
    let own = schedules.into_iter().find(|job| job.name == OWN_JOB);
    own.and_then(|job| job.schedule.period(now)).unwrap_or(USUAL_PERIOD)
}

/// Why the last run came to nothing: by the database, or by the file, when the database was away then.
pub(super) fn failure(attempt: Option<&Last>) -> Option<String> {
    if let Some(error) = attempt.and_then(|attempt| attempt.error.clone()) {
        return Some(error);
    }
    let latest = files::latest()?;
    let error = latest["error"].as_str()?;
    let at: DateTime<Utc> = latest["timestamp"].as_str()?.parse().ok()?;
    attempt.is_none_or(|attempt| at > attempt.finished).then(|| error.to_owned())
}

/// How the whole is, and why it is not better.
pub(super) fn whole(
    attempt: Option<&Last>,
    failure: Option<String>,
    checks: &[Known],
    period: TimeDelta,
) -> (Level, Option<String>) {
    let unknown = |reason: String| (Level::Unknown, Some(reason));
    let minutes = period.num_minutes();
    #[expect(clippy::cast_precision_loss, reason = "minutes")]
    let is_old = |age: f64| age > 2.0 * 60.0 * minutes as f64;
    if let Some(error) = failure {
        return unknown(format!("the last check failed: {error}"));
    }
    let Some(attempt) = attempt else { return unknown("no check has run yet".to_owned()) };
    if is_old(attempt.age) {
        let age = attempt.age / 60.0;
        return unknown(format!("the last check was {age:.0} minutes ago, and is due every {minutes}"));
    }
    let judged = checks.iter().filter_map(|known| {
        let Line { check, table, status, reason, findings, .. } = &known.line;
        let name = table.as_ref().map_or(check.clone(), |table| format!("{check}:{table}"));
        let reason = reason.clone().unwrap_or_else(|| format!("{findings} findings"));
        match Level::of_name(status)? {
            Level::Unknown => Some((Level::Unknown, format!("{name}: {reason}"))),
            _ if is_old(known.age) => Some((Level::Unknown, format!("{name}: not looked at any more"))),
            level => Some((level, format!("{name}: {reason}"))),
        }
    });
    // Of equals the first.
    let worst = judged.reduce(|worst, other| if other.0 > worst.0 { other } else { worst });
    match worst {
        None => unknown("there is nothing to compare".to_owned()),
        Some((Level::Healthy, _)) => (Level::Healthy, None),
        Some((level, reason)) => (level, Some(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(age: f64) -> Last {
        Last {
            at: String::new(),
            age,
            error: None,
            people: 0,
            finished: DateTime::<Utc>::UNIX_EPOCH,
            total: 1,
            inconsistent: 0,
            findings: 0,
            status: "healthy".to_owned(),
            seconds: 0.1,
        }
    }

    fn known(check: &str, status: &str, age: f64) -> Known {
        let line = Line {
            check: check.to_owned(),
            table: None,
            status: status.to_owned(),
            severity: "error".to_owned(),
            total: 1,
            inconsistent: 0,
            findings: 2,
            seconds: 0.1,
            reason: None,
        };
        Known { line, checked_at: String::new(), age }
    }

    /// How the whole is, five minutes being the period.
    fn check(age: Option<f64>, failure: Option<&str>, checks: &[Known], level: Level, words: &str) {
        let failure = failure.map(str::to_owned);
        let (found, reason) = whole(age.map(run).as_ref(), failure, checks, TimeDelta::minutes(5));
        assert_eq!((found, reason.unwrap_or_default().as_str()), (level, words));
    }

    #[test]
    fn the_whole_is_its_worst_check_and_nothing_old_is_green() {
        let checks =
            |statuses: &[&str]| statuses.iter().map(|status| known(status, status, 60.0)).collect::<Vec<_>>();
        let good = checks(&["not_applicable", "healthy"]);
        check(Some(600.0), None, &good, Level::Healthy, "");
        check(
            Some(601.0),
            None,
            &good,
            Level::Unknown,
            "the last check was 10 minutes ago, and is due every 5",
        );
        check(Some(1.0), Some("no disk"), &good, Level::Unknown, "the last check failed: no disk");
        check(None, None, &[], Level::Unknown, "no check has run yet");
        let nothing = checks(&["not_applicable"]);
        check(Some(1.0), None, &nothing, Level::Unknown, "there is nothing to compare");
        let bad = checks(&["healthy", "degraded", "unknown", "critical"]);
        check(Some(1.0), None, &bad, Level::Critical, "critical: 2 findings");
        check(Some(1.0), None, &bad[..3], Level::Unknown, "unknown: 2 findings");
        check(Some(1.0), None, &bad[..2], Level::Degraded, "degraded: 2 findings");
        let waits = [known("a", "healthy", 1.0), known("b", "healthy", 601.0)];
        check(Some(1.0), None, &waits, Level::Unknown, "b: not looked at any more");
    }
}
