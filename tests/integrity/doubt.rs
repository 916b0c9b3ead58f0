//! What is never green: nothing, something old, something that failed.

use crate::{Rig, Things, assert_status};
use serde_json::{Value, json};

#[test]
fn before_the_first_run_everything_is_unknown() {
    let things = Things::new();
    things.fill(10, 0);
    let status = things.check(&["status"]).expect(3);
    assert_status(&status, "unknown", true);
    let body = status.json();
    assert_eq!((&body["last_check"], &body["consistency_rate"]), (&Value::Null, &Value::Null));
    assert!(body.get("violations").is_none() && body["reason"] == "no check has run yet", "{body:#}");
    let error = "No health reports available yet. The first check runs in 5 minutes.";
    assert_eq!(things.check(&["latest-report"]).expect(3).json(), json!({ "error": error }));
    assert_eq!(things.check(&["violations"]).expect(3).json(), json!([]));
    assert_status(&things.check(&["metrics"]).expect(3), "unknown", true);
}

#[test]
fn an_empty_database_is_unknown() {
    let things = Things::new();
    let run = things.check(&["run"]).expect(3);
    assert_status(&run, "unknown", true);
    let report = run.json();
    assert_eq!((&report["total_checked"], &report["consistency_rate"]), (&json!(0), &Value::Null));
    assert!(
        report["checks"].as_array().unwrap().iter().all(|check| check["status"] == "not_applicable"),
        "{report:#}"
    );
    assert_status(&things.check(&["status"]).expect(3), "unknown", true);
    assert_eq!(things.check(&["status"]).json()["reason"], "there is nothing to compare");
}

#[test]
fn a_run_that_is_older_than_twice_its_period_is_unknown_everywhere() {
    let things = Things::new();
    things.fill(1000, 1);
    assert_status(&things.check(&["run"]).expect(0), "healthy", false);
    things.wait(9);
    assert_status(&things.check(&["status"]).expect(0), "healthy", false);
    things.wait(2);
    let status = things.check(&["status"]).expect(3);
    assert_status(&status, "unknown", true);
    let body = status.json();
    assert_eq!((&body["consistency_rate"], &body["ratio_status"]), (&Value::Null, &json!("unknown")));
    assert!(body["reason"].as_str().unwrap().contains("the last check was 11 minutes ago"), "{body:#}");
    assert_eq!(body["total_violations"], 1, "what was open is not forgotten");
    let metrics = things.check(&["metrics"]).expect(3);
    assert_status(&metrics, "unknown", true);
    assert_eq!(metrics.json()["consistency_rate"], Value::Null);
    assert_status(&things.check(&["latest-report"]).expect(3), "unknown", true);
    drop(things.check(&["violations"]).expect(3));
    let text = things.check(&["metrics", "--prometheus"]).expect(3).stdout;
    assert!(!text.contains("status=\"healthy\"} 1"), "{text}");
    assert!(text.contains("check=\"things_have_names\",table=\"things\",status=\"unknown\"} 1"), "{text}");
    // One of tomorrow is no better: the clock was set.
    things.database.execute("UPDATE ops.integrity_runs SET finished_at = now() + interval '1 day'");
    assert_status(&things.check(&["status"]).expect(3), "unknown", true);
    assert_status(&things.check(&["run"]).expect(0), "healthy", false);
}

#[test]
fn the_period_is_that_of_the_schedule() {
    let mut things = Things::new();
    things.fill(10, 0);
    let file = things.workdir.path("schedules.toml").display().to_string();
    things.workdir.write(
        "schedules.toml",
        "[[job]]\nname='integrity_check'\ntype='health'\ncron='0 * * * *'\ngrace=5\n",
    );
    things.workdir.set("SCHEDULES_FILE", &file);
    drop(things.check(&["run"]).expect(0));
    things.wait(119);
    drop(things.check(&["status"]).expect(0));
    things.wait(2);
    drop(things.check(&["status"]).expect(3));
}

#[test]
fn a_check_that_cannot_be_done_is_unknown_and_spoils_no_other() {
    let things = Things::new();
    let broken = crate::THINGS.replace("'id', id)", "'id', 1 / (id - id))");
    things.workdir.write("catalog/01_things.toml", &broken);
    things.fill(10, 1);
    let run = things.check(&["run"]).expect(4);
    assert_status(&run, "unknown", true);
    let report = run.json();
    let check = |name: &str| {
        report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == json!(name))
            .unwrap()
            .clone()
    };
    assert_eq!(check("things_have_names")["status"], "unknown");
    assert!(
        check("things_have_names")["reason"].as_str().unwrap().contains("division by zero"),
        "{report:#}"
    );
    assert_eq!(check("watermark_vs_data")["status"], "not_applicable", "looked into after it");
    let status = things.check(&["status"]).expect(3);
    assert_status(&status, "unknown", true);
    assert!(status.json()["reason"].as_str().unwrap().contains("division by zero"), "{status:#?}");
}

#[test]
fn a_run_without_a_database_is_an_outcome_that_is_not_forgotten() {
    let mut things = Things::new();
    things.fill(10, 0);
    drop(things.check(&["run"]).expect(0));
    let url = things.database.url();
    things.workdir.set("DATABASE_URL", "postgresql:///mirror42?host=/nowhere&user=nobody");
    let run = things.check(&["run"]).expect(4);
    assert_status(&run, "unknown", true);
    assert!(run.json()["error"].as_str().unwrap().contains("cannot reach PostgreSQL"), "{run:#?}");
    let latest: Value =
        serde_json::from_str(&things.workdir.read("logs/integrity_checks/latest.json")).unwrap();
    assert_eq!(latest, run.json());
    for command in ["status", "latest-report", "violations", "metrics"] {
        let run = things.check(&[command]).expect(4);
        assert!(run.json()["error"].as_str().unwrap().contains("cannot reach PostgreSQL"), "{run:#?}");
    }
    things.workdir.set("DATABASE_URL", &url);
    let status = things.check(&["status"]).expect(3);
    assert_status(&status, "unknown", true);
    assert!(
        status.json()["reason"].as_str().unwrap().starts_with("the last check failed: cannot reach"),
        "{status:#?}"
    );
    drop(things.check(&["run"]).expect(0));
    assert_status(&things.check(&["status"]).expect(0), "healthy", false);
}

#[test]
fn a_run_that_fails_with_a_database_is_on_record() {
    let things = Things::new();
    things.fill(10, 0);
    drop(things.check(&["run"]).expect(0));
    things.database.execute("ALTER TABLE ops.quarantine RENAME TO elsewhere");
    drop(things.check(&["run"]).expect(4));
    std::fs::remove_dir_all(things.workdir.path("logs")).unwrap();
    let status = things.check(&["status"]).expect(3);
    assert!(status.json()["reason"].as_str().unwrap().contains("run init-db"), "{status:#?}");
    assert_eq!(
        things.database.value("SELECT count(error) || ' of ' || count(*) FROM ops.integrity_runs"),
        "1 of 2"
    );
}

#[test]
fn a_run_that_is_ended_is_an_outcome_too() {
    let things = Things::new();
    things.fill(10, 0);
    drop(things.check(&["run"]).expect(0));
    // Another run holds everybody up.
    let mut other = things.database.connect();
    other.batch_execute("SELECT pg_advisory_lock(43, 1)").unwrap();
    let run = things.check(&["run", "--deadline", "1"]).expect(75);
    assert!(run.stdout.is_empty() && run.stderr.contains("deadline"), "{run:#?}");
    drop(other);
    let status = things.check(&["status"]).expect(3);
    assert_eq!(status.json()["reason"], "the last check failed: ended before it was done");
    drop(things.check(&["run"]).expect(0));
    assert_status(&things.check(&["status"]).expect(0), "healthy", false);
}

#[test]
fn a_database_of_another_time_wants_its_tables() {
    let things = Things::new();
    things.database.execute("DROP TABLE ops.integrity_runs, ops.integrity_checks, ops.integrity_violations");
    assert!(things.check(&["run"]).expect(4).stderr.contains("run init-db"));
    assert!(things.check(&["status"]).expect(4).stderr.contains("run init-db"));
}

#[test]
fn a_wrong_command_line_is_an_error_and_never_a_status() {
    let things = Things::new();
    drop(things.check(&["run", "--no-such-option"]).expect(4));
    drop(things.check(&["run", "--check", "nope"]).expect(4).complains(&["no check `nope`"]));
    drop(things.check(&["nope"]).expect(4));
    assert_eq!(things.database.value("SELECT count(*) FROM ops.integrity_runs"), "0", "no run began");
}

#[test]
fn evidence_that_is_gone_resolves_nothing() {
    let rig = Rig::new();
    rig.execute("DELETE FROM coalitions_users WHERE id = (SELECT min(id) FROM coalitions_users)");
    assert_eq!(rig.only(&[])["check"], "export_rows_in_db");
    rig.forget_exports(&["13_coalitions_users"]);
    let run = rig.check(&["run"]).expect(4);
    let reason = "there is no export, and 1 findings are open";
    let checks = run.json()["checks"].clone();
    let check = checks.as_array().unwrap().iter().find(|check| check["reason"] == json!(reason));
    assert_eq!(check.unwrap()["status"], "unknown", "{run:#?}");
    let open = "SELECT count(*) FROM ops.integrity_violations WHERE check_name = 'export_rows_in_db' AND resolved_at IS NULL";
    assert_eq!(rig.value(open), "1");
}

#[test]
fn an_export_that_was_damaged_fails_its_checks_and_one_that_is_not_complete_says_nothing() {
    let rig = Rig::new();
    let path = rig.world.workdir.path("exports/09_coalitions/all.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"id\":", "\"ID\":", 1)).unwrap();
    let run = rig.check(&["run"]).expect(4);
    assert!(run.stdout.contains("was damaged: not the bytes its manifest promises"), "{run:#?}");
    std::fs::write(&path, text).unwrap();
    rig.change_manifest("09_coalitions", &json!({ "complete": false }));
    let report = rig.check(&["run", "--check", "export_rows_in_db:coalitions"]).expect(3).json();
    assert_eq!(report["checks"][0]["reason"], "the last export is not complete", "{report:#}");
}

#[test]
fn a_table_that_is_being_loaded_waits_and_keeps_its_result() {
    let rig = Rig::new();
    rig.execute("DELETE FROM coalitions_users WHERE id = (SELECT min(id) FROM coalitions_users)");
    assert_eq!(rig.only(&[])["check"], "export_rows_in_db");
    rig.execute(
        "INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, host, pid, lease)
         VALUES (gen_random_uuid(), 1, 'live_load_coalitions_users', 'live', 'running', now(), now(), 'h', 1, 'l')",
    );
    let waiting = |report: &Value| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().filter(|check| check["status"] == "waiting").count()
    };
    let report = rig.report(&["--check", "export_rows_in_db"]);
    assert_eq!((waiting(&report), report["violations"].as_array().unwrap().len()), (1, 0), "{report:#}");
    let status = rig.check(&["status"]).json();
    assert!(
        crate::names(&status["violations"]).iter().any(|name| name.contains("export_rows_in_db")),
        "{status:#}"
    );
    // It may wait once, not for ever.
    rig.execute("UPDATE ops.integrity_checks SET checked_at = now() - interval '11 minutes' WHERE table_name = 'coalitions_users'");
    let status = rig.check(&["status"]).expect(3).json();
    assert!(status["reason"].as_str().unwrap().ends_with(": not looked at any more"), "{status:#}");
    // One without a heartbeat is dead; a lock that is held is alive.
    rig.execute("UPDATE ops.job_executions SET heartbeat_at = now() - interval '3 minutes'");
    assert_eq!(waiting(&rig.report(&[])), 0);
    let mut loader = rig.world.database.connect();
    loader.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(42, hashtext('coalitions_users'))").unwrap();
    assert_eq!(waiting(&rig.report(&["--check", "export_rows_in_db"])), 1);
}

#[test]
fn what_is_younger_than_ten_minutes_is_not_judged() {
    let rig = Rig::new();
    rig.execute(
        "UPDATE projects_users SET final_mark = NULL, ingested_at = now() - interval '9 minutes'
             WHERE id = (SELECT min(id) FROM projects_users WHERE status = 'finished');
         INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, parent_table, parent_key, row, load_id, first_seen)
         VALUES ('coalitions_users', '1', 'parent', 'r', 'coalitions', '987', '{\"coalition_id\": 987}', 1, now() - interval '9 minutes')",
    );
    assert_eq!(rig.found(&[]), rig.usual);
    rig.execute(
        "UPDATE projects_users SET ingested_at = ingested_at - interval '2 minutes' WHERE final_mark IS NULL AND status = 'finished';
         UPDATE ops.quarantine SET first_seen = first_seen - interval '2 minutes' WHERE parent_key = '987'",
    );
    assert_eq!(rig.found(&[]).len(), rig.usual.len() + 2);
}

#[test]
fn people_who_were_erased_are_not_missed() {
    let rig = Rig::new();
    rig.execute(
        "CREATE TABLE IF NOT EXISTS ops.tombstones (user_id bigint PRIMARY KEY, erased_at timestamptz NOT NULL, why text NOT NULL,
             lifted_at timestamptz);
         INSERT INTO ops.tombstones (user_id, erased_at, why) SELECT min(id), now(), 'request' FROM users;
         DELETE FROM users WHERE id = (SELECT min(id) FROM users)",
    );
    assert_eq!(rig.found(&[]), rig.usual);
    rig.execute("UPDATE ops.tombstones SET lifted_at = now()");
    assert_eq!(rig.only(&[])["check"], "export_rows_in_db", "who may come again is missed again");
}
