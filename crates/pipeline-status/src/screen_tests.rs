use super::*;
use crate::database::Database;
use crate::files::{Disk, Export, Logs};
use crate::measure::Known;
use crate::thresholds::{self, DEFAULTS};
use anyhow::anyhow;
use api42::{Budget, Class};
use serde_json::json;
use std::collections::BTreeMap;
use tool::Verdict;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn line(table: &str, followed: bool, lag: Option<f64>) -> Line {
    let export = Export {
        finished: at("2026-01-06T02:10:00Z"),
        age_seconds: 7800,
        rows: 40_335,
        bytes: 123_456_789,
        complete: table != "coalitions",
        calls: 404,
        throttled: 0,
    };
    let mirror = Table {
        rows: Some(40_320),
        rows_counted: !followed,
        bytes: 98_765_432,
        last_load: Some(at("2026-01-06T04:15:00Z")),
        last_load_age_seconds: Some(300.0),
        last_change: Some(at("2026-01-06T02:12:00Z")),
        watermark: lag.map(|_| at("2026-01-06T04:14:00Z")),
        live_lag_seconds: lag,
        quarantine: BTreeMap::from([("parent".to_owned(), 15)]),
    };
    let export = Known::Is(Some(export));
    Line { table: table.to_owned(), nightly: true, followed, export, mirror: Some(mirror) }
}

fn quota() -> Budget {
    Budget {
        per_second: 2,
        per_hour: 1200,
        host: 1200,
        used: 900,
        by_class: Class::ALL.map(|class| (class, 0)),
        remaining: 300,
        remaining_by_header: None,
        waiting: Vec::new(),
        held_until: Some(at("2026-01-06T04:21:00Z")),
        oldest_leaves: None,
    }
}

fn measured() -> Measured {
    let database = Database {
        version: "15.20".to_owned(),
        bytes: 2_345_678_901,
        connections: 3,
        max_connections: 100,
        failed_runs_day: 2,
        failed_runs_day_before: 7,
        tables: BTreeMap::new(),
    };
    let token = TokenView {
        kind: api42::TokenKind::Application,
        expires_at: Some(at("2026-01-06T06:00:00Z")),
        expires_in: Some(6000),
        secret_valid_until: Some(at("2026-01-14T00:00:00Z")),
        secret_days_left: Some(7),
    };
    let backlog = json!({"depth": 5, "due": 2, "dead": 1, "processed": 90, "oldest_age_seconds": 95});
    let jobs = json!({"summary": {
        "nightly_sync": {"last_run": "2026-01-06T02:00:00.5Z", "status": "running", "duration_seconds": 8400,
            "progress": "13/26 (50.0%)", "next_scheduled": "2026-01-07T02:00:00Z", "overdue": false,
            "consecutive_failures": 0},
        "evil\u{1b}]0;x\u{7}": {"status": "failed", "error_message": "\u{1b}[2Jgone", "overdue": true,
            "last_run": "2026-01-05T02:00:00.5Z", "duration_seconds": 3, "consecutive_failures": 2},
        "token_refresh": {"status": "never_run", "overdue": false, "consecutive_failures": 0}}});
    let disk = |folder| Disk { folder, free_bytes: 1 << 33, total_bytes: 1 << 36, used_percent: 87.5 };
    Measured {
        status: Level::Unknown,
        measured_at: at("2026-01-06T04:20:00Z"),
        cursus: 21,
        alerts: Vec::new(),
        resources: vec![
            line("users", true, Some(360.0)),
            line("cursus_users", true, Some(4000.0)),
            line("coalitions", false, None),
        ],
        database: Known::Is(database),
        quota: Known::Is(quota()),
        token: Known::Is(Some(token)),
        backlog: Known::Is(backlog),
        jobs: Known::Is(jobs),
        disks: vec![Known::Is(disk("exports")), Known::of(Err(anyhow!("logs: no such path")))],
        logs: Known::Is(Logs { files: 4, bytes: 104_857_600, token_errors_day: 0 }),
        database_verdict: Verdict::Done,
    }
}

fn shown(mut measured: Measured) -> String {
    measured.judge(&DEFAULTS);
    of(&measured, Paint::Plain)
}

#[test]
fn the_screen_is_as_it_was_looked_at() {
    let screen = shown(measured());
    assert!(screen.chars().all(|character| character == '\n' || !character.is_control()));
    testkit::assert_golden("crates/pipeline-status/tests/golden/screen.txt", &screen);
}

#[test]
fn without_the_database_its_numbers_are_not_there() {
    let mut away = measured();
    away.database = Known::of(Err(anyhow!("cannot reach PostgreSQL")));
    away.jobs = Known::of(Err(anyhow!("job-monitor: cannot reach PostgreSQL")));
    away.database_verdict = Verdict::Unreachable;
    for line in &mut away.resources {
        line.mirror = None;
    }
    testkit::assert_golden("crates/pipeline-status/tests/golden/away.txt", &shown(away));
}

#[test]
fn nothing_that_could_be_measured_wrongly_is_green() {
    let mut well = measured();
    well.resources.truncate(1);
    well.jobs = Known::Is(json!({"summary": {"a": {"status": "completed", "consecutive_failures": 0}}}));
    well.backlog = Known::Is(json!({"depth": 0, "dead": 0, "oldest_age_seconds": null}));
    well.token = Known::Is(None);
    well.disks.pop();
    well.judge(&DEFAULTS);
    assert_eq!(well.status, Level::Unknown, "no token: {:?}", well.alerts);
    well.token = measured().token;
    well.judge(&DEFAULTS);
    assert_eq!(well.status, Level::Warning, "only the secret: {:?}", well.alerts);
    well.judge(&thresholds::replaced(&[thresholds::parse("secret_days=5:1").unwrap()]));
    assert_eq!((well.status, well.alerts.len()), (Level::Ok, 0));
    for spoil in [
        (|measured: &mut Measured| measured.backlog = Known::Is(json!({}))) as fn(&mut Measured),
        |measured| measured.jobs = Known::Is(json!({})),
        |measured| measured.logs = Known::of(Err(anyhow!("no"))),
        |measured| measured.quota = Known::of(Err(anyhow!("no"))),
        |measured| measured.resources[0].export = Known::Is(None),
        |measured| measured.resources[0].mirror = None,
    ] {
        let mut spoilt = measured();
        spoilt.resources.truncate(1);
        spoilt.jobs =
            Known::Is(json!({"summary": {"a": {"status": "completed", "consecutive_failures": 0}}}));
        spoilt.disks.pop();
        spoil(&mut spoilt);
        spoilt.judge(&DEFAULTS);
        assert!(spoilt.status >= Level::Unknown, "{spoilt:?}");
    }
}
