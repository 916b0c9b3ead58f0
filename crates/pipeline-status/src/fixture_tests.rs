//! An invented look, with something of everything.

use crate::alert_log::Transition;
use crate::alerts::Level;
use crate::database::{Database, Errors, Moved, Recent, Table};
use crate::files::{Disk, Export, Logs};
use crate::host::TokenView;
use crate::measure::{Known, Line, Measured};
use anyhow::anyhow;
use api42::{Answers, Budget, Calls, Class};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tool::Verdict;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
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
        hour: Moved { inserted: 3, updated: if followed { 12_345 } else { 0 }, deleted: 1 },
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

fn calls() -> Calls {
    let mut calls = Calls { last_minute: 96, ..Calls::default() };
    calls.by_minute.iter_mut().zip(0..).for_each(|(count, minute)| *count = minute % 20 * 2);
    calls.answers = Answers { ok: 880, unauthorized: 0, throttled: 2, failed: 7 };
    calls
}

fn database() -> Database {
    let mut errors = Errors { day: 2, day_before: 7, ..Errors::default() };
    (errors.by_hour[4], errors.by_hour[23]) = (1, 1);
    Database {
        version: "15.20 (Debian 15.20-0+deb12u1)".to_owned(),
        bytes: 2_345_678_901,
        connections: 3,
        max_connections: 100,
        failed_runs_day: 2,
        failed_runs_day_before: 7,
        errors,
        now: at("2026-01-06T04:20:00Z"),
        tables: BTreeMap::new(),
        recent: Recent::default(),
    }
}

fn jobs() -> Value {
    json!({"summary": {
        "nightly_sync": {"last_run": "2026-01-06T02:00:00.5Z", "status": "running", "duration_seconds": 8400,
            "progress": "13/26 (50.0%)", "next_scheduled": "2026-01-07T02:00:00Z", "overdue": false,
            "consecutive_failures": 0},
        "evil\u{1b}]0;x\u{7}": {"status": "failed", "error_message": "\u{1b}[2Jgone", "overdue": true,
            "last_run": "2026-01-05T02:00:00.5Z", "duration_seconds": 3, "consecutive_failures": 2},
        "token_refresh": {"status": "never_run", "overdue": false, "consecutive_failures": 0},
        "load_users": {"status": "completed", "last_run": "2026-01-06T02:12:00Z", "duration_seconds": 9,
            "overdue": false, "consecutive_failures": 0}}})
}

fn running() -> Vec<Value> {
    let job = |id: i64, name: &str, parent: Value, more: Value| {
        let mut job = json!({"id": id, "job_name": name, "items_failed": 0, "metadata": parent});
        job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        job
    };
    vec![
        job(
            7,
            "nightly_sync",
            json!({"heartbeat_at": "2026-01-06T04:19:55Z"}),
            json!({"items_processed": 13, "total_items": 26, "progress_percent": 50.0, "elapsed_seconds": 8400,
                "estimated_remaining_seconds": 7200, "items_per_second": 0.002}),
        ),
        job(
            8,
            "evil\u{1b}[2J",
            json!({"heartbeat_at": "2026-01-06T04:18:30Z"}),
            json!({"items_processed": 3, "total_items": null, "progress_percent": null, "elapsed_seconds": 90}),
        ),
        job(
            9,
            "fetch_projects_users",
            json!({"parent_id": 7, "heartbeat_at": "2026-01-06T04:19:58Z"}),
            json!({"items_processed": 152_300, "items_failed": 4, "total_items": 900_000, "progress_percent": 16.92,
                "elapsed_seconds": 700, "estimated_remaining_seconds": 3450, "items_per_second": 216.7}),
        ),
    ]
}

fn alert_log() -> Vec<Transition> {
    let line = |text: &str| serde_json::from_str(text).unwrap();
    vec![
        line(
            r#"{"at":"2026-01-06T04:02:00Z","event":"cleared","level":"warning","name":"backlog_age_seconds","subject":"","text":"the oldest user has waited for 1h 1m"}"#,
        ),
        line(
            r#"{"at":"2026-01-06T03:14:00Z","event":"raised","level":"critical","name":"live_lag_seconds","subject":"cursus_users","text":"the live sync is 1h 0m behind"}"#,
        ),
    ]
}

/// The look.
pub(crate) fn measured() -> Measured {
    let token = TokenView {
        kind: api42::TokenKind::Application,
        expires_at: Some(at("2026-01-06T06:00:00Z")),
        expires_in: Some(6000),
        secret_valid_until: Some(at("2026-01-14T00:00:00Z")),
        secret_days_left: Some(7),
    };
    let backlog = json!({"store": "files", "at": "2026-01-06T04:20:00.123456Z", "depth": 5, "due": 2, "leased": 1,
        "delayed": 2, "dead": 1, "processed": 90, "oldest_age_seconds": 95, "oldest_added": "2026-01-06T04:18:25Z",
        "reasons": {"missing": 2, "asked": 3}, "delayed_errors": {"HTTP #\u{1b}[2J": 2}, "dead_errors": {"no such user": 1},
        "outcomes": {"absent": 2, "loaded": 88}, "last_processed": "2026-01-06T04:19:00Z", "success_rate": 0.968,
        "processing_seconds": {"median": 1.25, "p95": 3.4, "last": 1.1}, "unreadable": 0});
    let integrity = json!({"status": "degraded", "last_check": "2026-01-06T04:18:00Z", "consistency_rate": 98.67,
        "total_violations": 2, "total_users_monitored": 150, "requires_attention": true});
    let disk = |folder| Disk { folder, free_bytes: 1 << 33, total_bytes: 1 << 36, used_percent: 87.5 };
    Measured {
        status: Level::Unknown,
        measured_at: at("2026-01-06T04:20:00Z"),
        cursus: 21,
        alerts: Vec::new(),
        alerts_unmeasured: Vec::new(),
        resources: vec![
            line("users", true, Some(360.0)),
            line("cursus_users", true, Some(4000.0)),
            line("coalitions", false, None),
        ],
        database: Known::Is(database()),
        quota: Known::Is(quota()),
        token: Known::Is(Some(token)),
        backlog: Known::Is(backlog),
        jobs: Known::Is(jobs()),
        running: Known::Is(running()),
        integrity: Known::Is(integrity),
        calls: Known::Is(calls()),
        disks: vec![Known::Is(disk("exports")), Known::of(Err(anyhow!("logs: no such path")))],
        logs: Known::Is(Logs { files: 4, bytes: 104_857_600, token_errors_day: 0 }),
        alert_log: Known::Is(alert_log()),
        database_verdict: Verdict::Done,
    }
}

/// The same without the database.
pub(crate) fn away() -> Measured {
    let mut away = measured();
    away.database = Known::of(Err(anyhow!("cannot reach PostgreSQL")));
    away.jobs = Known::of(Err(anyhow!("job-monitor: cannot reach PostgreSQL")));
    away.running = Known::of(Err(anyhow!("job-monitor: cannot reach PostgreSQL")));
    away.integrity = Known::of(Err(anyhow!("check-integrity: cannot reach PostgreSQL")));
    away.alert_log = Known::of(Err(anyhow!("logs/alerts.ndjson: permission denied")));
    away.database_verdict = Verdict::Unreachable;
    for line in &mut away.resources {
        line.mirror = None;
    }
    away
}

/// The same with everything as it should be.
pub(crate) fn well() -> Measured {
    let mut well = measured();
    well.resources.truncate(1);
    well.jobs = Known::Is(json!({"summary": {"a": {"status": "completed", "consecutive_failures": 0}}}));
    well.backlog = Known::Is(json!({"depth": 0, "dead": 0, "oldest_age_seconds": null}));
    well.integrity = Known::Is(json!({"status": "healthy", "consistency_rate": 100.0, "total_violations": 0,
        "last_check": "2026-01-06T04:18:00Z"}));
    well.calls = Known::Is(Calls { answers: Answers { ok: 5, ..Answers::default() }, ..calls() });
    if let Known::Is(Some(token)) = &mut well.token {
        token.secret_days_left = Some(20);
    }
    well.disks.pop();
    well
}
