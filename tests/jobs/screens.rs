//! What people and programs are shown.

use crate::Desk;
use serde_json::{Value, json};
use testkit::{Workdir, assert_golden};

/// A desk with runs of every kind, all of them on fixed days but the one that runs.
pub(crate) fn stage() -> Desk {
    let mut desk = Desk::new();
    desk.workdir.write(
        "schedules.toml",
        "[[job]]\nname = 'nightly_sync'\ntype = 'nightly'\ncron = '0 2 * * *'\ngrace = 60\n
         [[job]]\nname = 'live_sync'\ntype = 'live'\ncron = '*/5 * * * *'\ngrace = 10\n",
    );
    let schedules = desk.workdir.path("schedules.toml").display().to_string();
    desk.workdir.set("SCHEDULES_FILE", &schedules);
    desk.database.execute(
        r#"INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, total_items, items_processed,
               items_succeeded, items_failed, items_skipped, items_per_second, started_at, heartbeat_at, completed_at,
               updated_at, exit_code, term_signal, error_message, warning, parent_run, host, pid, lease, checkpoint, metadata)
           SELECT run::uuid, 1, name, kind, status, total, ok + failed + skipped, ok, failed, skipped, rate, started, ended,
               CASE WHEN status <> 'running' THEN ended END, ended, code, signal, error, warning, parent::uuid, 'host', 7, 'l',
               checkpoint::jsonb, metadata::jsonb
           FROM (VALUES
           ('00000000-0000-4000-8000-000000000001', 'nightly_sync', 'nightly', 'partial', 3::bigint, 2, 1, 0, NULL::float8,
               timestamptz '2026-01-05 02:00:00.5Z', timestamptz '2026-01-05 08:48:07Z', 69, NULL::int,
               'load-table: cannot reach PostgreSQL', NULL::text, NULL::text, NULL::text, '{"command": "nightly.sh"}'),
           ('00000000-0000-4000-8000-000000000002', 'fetch_users', 'fetch', 'completed', 900, 897, 0, 3, NULL,
               '2026-01-05 02:00:01Z', '2026-01-05 02:03:36Z', 0, NULL, NULL, 'too fast: 215.0 s, never under 600.0 s in its last 20 runs',
               '00000000-0000-4000-8000-000000000001', '{"page": 9}', '{"command": "fetch-users --export users"}'),
           ('00000000-0000-4000-8000-000000000003', 'load_users', 'load', 'failed', NULL, 40, 2, 0, NULL,
               '2026-01-05 02:04:00Z', '2026-01-05 02:04:45Z', NULL, 9, 'ended by signal 9', NULL,
               '00000000-0000-4000-8000-000000000001', NULL, '{}'),
           ('00000000-0000-4000-8000-000000000004', 'load_users', 'load', 'lost', 10, 0, 0, 0, NULL,
               '2026-01-06 02:04:00Z', '2026-01-06 02:05:00Z', NULL, NULL, 'no heartbeat: killed, or its host is gone', NULL, NULL, NULL, '{}'),
           ('00000000-0000-4000-8000-000000000005', 'token_refresh', 'token', 'cancelled', 1, 0, 0, 0, NULL,
               '2026-01-06 03:00:00Z', '2026-01-06 03:00:01Z', 143, NULL, 'asked to end by signal 15', NULL, NULL, NULL, '{}'),
           ('00000000-0000-4000-8000-000000000006', 'live_sync', 'live', 'completed', 0, 0, 0, 0, NULL,
               '2026-01-06 03:05:00Z', '2026-01-06 03:05:00.2Z', 0, NULL, NULL, NULL, NULL, NULL, '{}')
           ) AS r(run, name, kind, status, total, ok, failed, skipped, rate, started, ended, code, signal, error, warning,
               parent, checkpoint, metadata)"#,
    );
    desk
}

/// The same, and a run that began 100 seconds ago and is heard of.
fn stage_with_a_run() -> Desk {
    let desk = stage();
    desk.database.execute(
        "INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, total_items, items_processed, items_succeeded,
             items_failed, items_per_second, started_at, heartbeat_at, host, pid, lease, metadata)
         VALUES ('00000000-0000-4000-8000-00000000000a', 1, 'fetch_users', 'fetch', 'running', 2847, 1523, 1520, 3, 13.25,
             now() - interval '100.5 s', now(), 'host', 7, 'l', '{\"command\": \"fetch-users --export users\"}')",
    );
    desk
}

pub(crate) fn shown(desk: &Desk, arguments: &[&str], code: i32) -> String {
    let run = desk.workdir.run("job-monitor", arguments).expect(code);
    assert!(run.stderr.is_empty(), "{run:#?}");
    run.stdout
}

/// The body with what depends on the time of day replaced, once it was looked at.
fn settled(text: &str, instants: &[&str]) -> String {
    let mut text = text.to_owned();
    for key in instants {
        let start = text.find(&format!("\"{key}\":\"20")).unwrap_or_else(|| panic!("no {key}: {text}"))
            + key.len()
            + 4;
        let end = start + text[start..].find('"').unwrap();
        assert!(
            text[start..end].ends_with('Z') && text.as_bytes()[start + 10] == b'T',
            "{}",
            &text[start..end]
        );
        text.replace_range(start..end, "INSTANT");
    }
    text
}

#[test]
fn the_bodies_are_those_of_the_rest_api_byte_for_byte() {
    let desk = stage();
    assert_golden("tests/jobs/golden/history.json", &shown(&desk, &["history", "--json"], 0));
    assert_golden("tests/jobs/golden/status.json", &shown(&desk, &["status", "--id", "2", "--json"], 0));
    assert_eq!(shown(&desk, &["active", "--json"], 0), "{\"jobs\":[]}\n");
    let summary = shown(&desk, &["summary", "--json"], 1);
    let summary = settled(&summary, &["next_scheduled"]);
    assert_golden("tests/jobs/golden/summary.json", &settled(&summary, &["next_scheduled"]));
    let desk = stage_with_a_run();
    let active = shown(&desk, &["active", "--json"], 0);
    assert_golden(
        "tests/jobs/golden/active.json",
        &settled(&active, &["started_at", "updated_at", "heartbeat_at"]),
    );
}

#[test]
fn the_screens_are_aligned() {
    let desk = stage_with_a_run();
    assert_golden("tests/jobs/golden/history.txt", &shown(&desk, &["history", "--status", "failed"], 0));
    assert_golden("tests/jobs/golden/status.txt", &shown(&desk, &["status", "--id", "2"], 0));
    let active = shown(&desk, &["active"], 0);
    assert_golden("tests/jobs/golden/active.txt", &active);
    for line in active.lines() {
        assert_eq!(line.chars().count(), 68, "{line}");
    }
    let watched = shown(&desk, &["watch", "--count", "2", "--interval", "1"], 0);
    let screens: Vec<_> = watched.split("Active Jobs (updated ").skip(1).collect();
    assert_eq!(screens.len(), 2);
    for screen in screens {
        let (head, rest) = screen.split_once('\n').unwrap();
        assert!(head.len() == 13 && head.ends_with(" UTC)"), "{head}");
        assert!(rest.starts_with(&format!("{}\n╔", "=".repeat(80))) && !rest.contains('\u{1b}'), "{rest}");
    }
}

#[test]
fn history_is_newest_first_and_can_be_narrowed_and_paged() {
    let desk = stage();
    let ids = |arguments: &[&str]| {
        let body: Value =
            serde_json::from_str(&shown(&desk, &[&["history", "--json"], arguments].concat(), 0)).unwrap();
        let jobs = body["jobs"].as_array().unwrap().clone();
        jobs.iter().map(|job| job["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), [6, 5, 4, 3, 2, 1]);
    assert_eq!(ids(&["--limit", "2"]), [6, 5]);
    assert_eq!(ids(&["--limit", "2", "--before", "5"]), [4, 3]);
    assert_eq!(ids(&["--job", "load_users"]), [4, 3]);
    assert_eq!(ids(&["--job", "load_users", "--status", "failed"]), [3]);
    assert!(ids(&["--job", "it's none"]).is_empty());
    assert_eq!(shown(&desk, &["history", "--job", "none"], 0), "No job history found\n");
    for wrong in [["--limit", "0"], ["--limit", "101"], ["--status", "paused"]] {
        drop(desk.workdir.run("job-monitor", &[&["history"], wrong.as_slice()].concat()).expect(2));
    }
}

#[test]
fn the_exit_code_says_how_it_stands() {
    let desk = stage();
    for (id, code) in [("1", 3), ("2", 0), ("3", 1), ("4", 1), ("5", 1), ("6", 0)] {
        drop(shown(&desk, &["status", "--id", id], code));
    }
    let run = desk.workdir.run("job-monitor", &["status", "--id", "99"]).expect(2);
    assert!(run.stdout.is_empty());
    drop(run.complains(&["there is no run 99"]));
    drop(desk.workdir.run("job-monitor", &["status"]).expect(2));
}

#[test]
fn a_job_that_is_due_and_did_not_start_is_overdue_even_if_it_never_ran() {
    let mut desk = Desk::new();
    let summary = |desk: &Desk, code: i32| -> Value {
        serde_json::from_str(&shown(desk, &["summary", "--json"], code)).unwrap()
    };
    desk.workdir.write("s.toml", "[[job]]\nname = 'daily'\ntype = 'x'\ncron = '0 0 * * *'\ngrace = 0\n");
    let schedules = desk.workdir.path("s.toml").display().to_string();
    desk.workdir.set("SCHEDULES_FILE", &schedules);
    let fresh = summary(&desk, 0);
    assert_eq!(
        (&fresh["summary"]["daily"]["status"], &fresh["summary"]["daily"]["overdue"]),
        (&json!("never_run"), &json!(false))
    );
    assert!(fresh["summary"]["daily"]["next_scheduled"].is_string(), "known before it ever ran");
    drop(desk.job("other", "true").expect(0));
    desk.database.execute("UPDATE ops.job_executions SET started_at = started_at - interval '2 days'");
    let never = summary(&desk, 1);
    assert_eq!(never["summary"]["daily"]["overdue"], json!(true), "{never:#}");
    assert!(never["summary"]["other"]["next_scheduled"].is_null(), "{never:#}");
    drop(desk.job("daily", "true").expect(0));
    assert_eq!(summary(&desk, 0)["summary"]["daily"]["overdue"], json!(false));
    desk.database.execute(
        "UPDATE ops.job_executions SET started_at = started_at - interval '1 day' WHERE job_name = 'daily'",
    );
    let late = summary(&desk, 1);
    assert_eq!(
        (&late["summary"]["daily"]["status"], &late["summary"]["daily"]["overdue"]),
        (&json!("completed"), &json!(true))
    );
    desk.workdir.write("s.toml", "[[job]]\nname = 'daily'\n");
    drop(desk.workdir.run("job-monitor", &["summary"]).expect(78).complains(&["SCHEDULES_FILE"]));
    drop(desk.job("other", "true").expect(0));
}

#[test]
fn no_answer_is_never_an_empty_one() {
    let mut workdir = Workdir::new();
    let commands: [&[&str]; 6] = [
        &["active"],
        &["active", "--json"],
        &["watch", "--count", "1"],
        &["history"],
        &["summary"],
        &["status", "--id", "1"],
    ];
    for (url, code, words) in [
        ("postgresql:///x?host=/nonexistent&user=nobody", 69, "cannot reach PostgreSQL"),
        ("postgresql://127.0.0.1:1/x?user=nobody", 69, "cannot reach PostgreSQL"),
    ] {
        workdir.set("DATABASE_URL", url);
        for command in commands {
            let run = workdir.run("job-monitor", command).expect(code);
            assert!(run.stdout.is_empty(), "{run:#?}");
            drop(run.complains(&[words]));
        }
    }
    let database = testkit::Database::create();
    workdir.set("DATABASE_URL", &database.url());
    for command in commands {
        let run = workdir.run("job-monitor", command).expect(78);
        assert!(run.stdout.is_empty(), "{run:#?}");
        drop(run.complains(&["ops.job_executions", "run init-db"]));
    }
}

#[test]
fn what_is_shown_cannot_drive_a_terminal() {
    let desk = stage_with_a_run();
    desk.database.execute(
        r#"UPDATE ops.job_executions SET error_message = E'\x1b]52;c;eA==\x07\x1b[2J\u202e' || error_message,
               job_name = CASE WHEN status = 'running' THEN E'evil\x1b[2J\n' ELSE job_name END, job_type = E'\x1b[31m',
               warning = E'\x1b[A', metadata = metadata || '{"current_item": "\u001b[2J", "command": "\u001b[H"}'"#,
    );
    for arguments in [
        &["active"][..],
        &["history"],
        &["summary"],
        &["status", "--id", "4"],
        &["status", "--id", "2"],
        &["watch", "--count", "1"],
    ] {
        let run = desk.workdir.run("job-monitor", arguments);
        assert!(!run.stdout.is_empty() && !run.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{run:#?}");
    }
    for line in desk.workdir.run("job-monitor", &["active"]).stdout.lines() {
        assert_eq!(line.chars().count(), 68, "{line}");
    }
}
