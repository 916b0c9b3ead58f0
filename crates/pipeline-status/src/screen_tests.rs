use super::*;
use crate::fixture::{away, measured, well};
use crate::measure::Known;
use crate::thresholds::{self, DEFAULTS};
use anyhow::anyhow;
use api42::{Answers, Calls};
use serde_json::json;

fn shown(mut measured: Measured) -> String {
    measured.judge(&DEFAULTS);
    of(View { measured: &measured, width: 132, since: None }, Paint::Plain)
}

#[test]
fn the_screen_is_as_it_was_looked_at() {
    let screen = shown(measured());
    assert!(screen.chars().all(|character| character == '\n' || !character.is_control()));
    testkit::assert_golden("crates/pipeline-status/tests/golden/screen.txt", &screen);
}

#[test]
fn without_the_database_its_numbers_are_not_there() {
    testkit::assert_golden("crates/pipeline-status/tests/golden/away.txt", &shown(away()));
}

#[test]
fn nothing_that_could_be_measured_wrongly_is_green() {
    let mut green = well();
    green.judge(&DEFAULTS);
    assert_eq!((green.status, green.alerts.len()), (Level::Ok, 0), "{:?}", green.alerts);
    for spoil in [
        (|measured: &mut Measured| measured.backlog = Known::Is(json!({}))) as fn(&mut Measured),
        |measured| measured.jobs = Known::Is(json!({})),
        |measured| measured.running = Known::of(Err(anyhow!("no"))),
        |measured| measured.integrity = Known::of(Err(anyhow!("no such tool"))),
        |measured| measured.integrity = Known::Is(json!({"status": "unknown", "total_violations": 0})),
        |measured| measured.integrity = Known::Is(json!({"status": "stale", "consistency_rate": 100.0})),
        |measured| measured.logs = Known::of(Err(anyhow!("no"))),
        |measured| measured.quota = Known::of(Err(anyhow!("no"))),
        |measured| measured.calls = Known::of(Err(anyhow!("no"))),
        |measured| measured.token = Known::Is(None),
        |measured| measured.disks = vec![Known::of(Err(anyhow!("no")))],
        |measured| measured.resources[0].export = Known::Is(None),
        |measured| measured.resources[0].mirror = None,
    ] {
        let mut spoilt = well();
        spoil(&mut spoilt);
        spoilt.judge(&DEFAULTS);
        assert!(spoilt.status >= Level::Unknown, "{spoilt:?}");
    }
}

#[test]
fn the_thresholds_that_people_know_are_held_against() {
    fn answers(answers: Answers) -> Known<Calls> {
        Known::Is(Calls { answers, ..Calls::default() })
    }
    fn took(name: &str, seconds: u64) -> Known<serde_json::Value> {
        Known::Is(json!({"summary": {name: {"status": "completed", "duration_seconds": seconds}}}))
    }
    fn bytes(measured: &mut Measured, bytes: i64) {
        if let Known::Is(database) = &mut measured.database {
            database.bytes = bytes;
        }
    }
    for (name, level, spoil) in [
        (
            "api_401_hour",
            Level::Warning,
            (|measured: &mut Measured| {
                measured.calls = answers(Answers { unauthorized: 1, ..Answers::default() });
            }) as fn(&mut Measured),
        ),
        ("api_429_hour", Level::Critical, |measured| {
            measured.calls = answers(Answers { throttled: 30, ..Answers::default() });
        }),
        ("api_calls_minute", Level::Warning, |measured| {
            measured.calls = Known::Is(Calls { last_minute: 120, ..Calls::default() });
        }),
        ("sync_seconds", Level::Warning, |measured| measured.jobs = took("live_sync", 600)),
        ("nightly_seconds", Level::Critical, |measured| measured.jobs = took("nightly_sync", 79_200)),
        ("database_bytes", Level::Warning, |measured| bytes(measured, 10 << 30)),
        ("logs_bytes", Level::Warning, |measured| {
            measured.logs = Known::Is(crate::files::Logs { bytes: 1 << 30, ..crate::files::Logs::default() });
        }),
        ("integrity", Level::Warning, |measured| {
            measured.integrity = Known::Is(json!({"status": "degraded"}))
        }),
        ("integrity", Level::Critical, |measured| {
            measured.integrity = Known::Is(json!({"status": "critical"}))
        }),
    ] {
        let mut spoilt = well();
        spoil(&mut spoilt);
        spoilt.judge(&DEFAULTS);
        let alerts: Vec<_> = spoilt.alerts.iter().map(|alert| (alert.name.as_ref(), alert.level)).collect();
        assert_eq!(alerts, [(name, level)]);
        assert!(crate::alerts::is_measured(&spoilt, &spoilt.alerts[0]), "{name}");
    }
    // Where the API allows more a second, a minute may have more calls.
    let mut fast = well();
    fast.calls = Known::Is(Calls { last_minute: 400, ..Calls::default() });
    if let Known::Is(quota) = &mut fast.quota {
        quota.per_second = 8;
    }
    fast.judge(&DEFAULTS);
    assert_eq!(fast.status, Level::Ok);
    fast.judge(&thresholds::replaced(&[thresholds::parse("api_calls_minute=100:101").unwrap()]));
    assert_eq!(fast.status, Level::Warning);
}

#[test]
fn what_could_not_be_measured_is_not_taken_to_be_over() {
    use crate::alerts::{Alert, is_measured};
    let alert = |name: &'static str, subject: &str| Alert {
        level: Level::Warning,
        name: name.into(),
        subject: subject.to_owned(),
        text: String::new(),
    };
    for name in
        ["live_lag_seconds", "quarantine_records", "overdue", "job_failures", "sync_seconds", "integrity"]
    {
        assert!(
            is_measured(&measured(), &alert(name, "users")) && !is_measured(&away(), &alert(name, "users")),
            "{name}"
        );
    }
    for name in ["database", "export_age_seconds", "backlog_dead", "secret_days", "api_429_hour"] {
        assert!(is_measured(&away(), &alert(name, "users")), "{name}");
    }
    assert!(!is_measured(&measured(), &alert("export_age_seconds", "a table that left the catalog")));
}
