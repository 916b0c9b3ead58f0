//! What is conspicuous, what is kept, what a clock does that was set.

use crate::{Desk, say};
use serde_json::json;

/// Runs of a job that are over, the newest a day ago: so many, each of so many seconds and items.
fn past(desk: &Desk, job: &str, runs: u32, seconds: &str, items: &str) {
    desk.database.execute(&format!(
        "INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, items_processed, items_succeeded,
             started_at, heartbeat_at, completed_at, host, pid, lease)
         SELECT gen_random_uuid(), 1, '{job}', 'other', 'completed', {items}, {items}, start, start,
             start + make_interval(secs => {seconds}), 'h', 1, 'l'
         FROM (SELECT n, now() - make_interval(days => 1, mins => n) AS start FROM generate_series(1, {runs}) n) AS s"
    ));
}

fn latest(desk: &Desk, job: &str) -> serde_json::Value {
    desk.rows(job).pop().unwrap()
}

#[test]
fn a_run_that_is_far_too_fast_or_too_small_for_its_history_is_flagged() {
    let mut desk = Desk::new();
    desk.workdir.write("none.toml", "job = []");
    let schedules = desk.workdir.path("none.toml").display().to_string();
    desk.workdir.set("SCHEDULES_FILE", &schedules);
    past(&desk, "fast", 6, "60 + n", "0");
    past(&desk, "small", 6, "0", "1000 + n");
    past(&desk, "varied", 6, "60 * (n % 2)", "1000 * (n % 2)");
    past(&desk, "young", 4, "60", "1000");
    past(&desk, "usual", 6, "0.1", "30");
    let run = desk.job("fast", "true").expect(0);
    drop(run.complains(&["fast: too fast: 0.", "never under 61.0 s in its last 6 runs"]));
    let items = say(r#"{"ev":"item","ok":true,"n":100}"#);
    drop(
        desk.job("small", &items)
            .expect(0)
            .complains(&["too few: 100 items, never under 1001 in its last 6 runs"]),
    );
    assert!(latest(&desk, "small")["warning"].as_str().unwrap().starts_with("too few: 100 items"));
    drop(desk.workdir.run("job-monitor", &["summary"]).expect(3));
    drop(desk.job("usual", &say(r#"{"ev":"item","ok":true,"n":20}"#)).expect(0));
    for quiet in ["varied", "young"] {
        drop(desk.job(quiet, "true").expect(0));
    }
    for quiet in ["varied", "young", "usual"] {
        assert!(latest(&desk, quiet)["warning"].is_null(), "{quiet}");
    }
    drop(desk.job("fast", "exit 1").expect(1));
    assert!(latest(&desk, "fast")["warning"].is_null(), "one that failed is bad enough");
}

#[test]
fn what_was_flagged_is_no_measure_until_it_is_the_new_habit() {
    let desk = Desk::new();
    past(&desk, "changed", 6, "60", "0");
    for _ in 0..5 {
        drop(desk.job("changed", "true").expect(0));
        assert!(latest(&desk, "changed")["warning"].is_string());
    }
    for _ in 0..2 {
        drop(desk.job("changed", "true").expect(0));
        assert!(latest(&desk, "changed")["warning"].is_null());
    }
}

#[test]
fn old_runs_go_and_the_last_success_and_the_last_failure_stay() {
    let desk = Desk::new();
    past(&desk, "often", 4000, "1", "0");
    past(&desk, "rare", 250, "1", "0");
    desk.database.execute(
        "UPDATE ops.job_executions SET started_at = started_at - interval '100 days' WHERE job_name = 'rare';
         UPDATE ops.job_executions SET status = 'failed'
             WHERE id IN (SELECT id FROM ops.job_executions WHERE job_name = 'often' ORDER BY started_at LIMIT 2)",
    );
    for _ in 0..2 {
        drop(desk.job("often", "true").expect(0));
        drop(desk.job("rare", "true").expect(0));
    }
    let count = |condition: &str| {
        desk.database.value(&format!("SELECT count(*) FROM ops.job_executions WHERE {condition}"))
    };
    assert_eq!(count("job_name = 'often' AND status = 'completed'"), "3000");
    assert_eq!(count("job_name = 'often' AND status = 'failed'"), "1", "the latest failure, however old");
    assert_eq!(count("job_name = 'rare'"), "200", "a job that runs rarely keeps its past");
}

#[test]
fn a_clock_that_was_set_back_ten_days_blocks_nobody_and_shows_no_negative_time() {
    let desk = Desk::new();
    for (job, start, beat) in [("beat", "-1 min", "10 days"), ("both", "9 days 23 hours", "10 days")] {
        desk.database.execute(&format!(
            "INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, host, pid, lease)
             VALUES (gen_random_uuid(), 1, '{job}', 'other', 'running', now() + interval '{start}',
                 now() + interval '{beat}', 'h', 1, 'l')"
        ));
        drop(desk.job(job, "true").expect(0));
        let rows = desk.rows(job);
        assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&json!("lost"), &json!("completed")));
        assert_eq!(rows[0]["completed_at"], rows[0]["heartbeat_at"]);
    }
    past(&desk, "future", 1, "-5", "0");
    desk.database.execute(
        "UPDATE ops.job_executions SET started_at = now() + interval '10 days' WHERE job_name = 'future'",
    );
    let run = desk.workdir.run("job-monitor", &["history", "--job", "future", "--json"]).expect(0);
    assert_eq!(run.json()["jobs"][0]["elapsed_seconds"], 0);
}

#[test]
fn a_clock_that_was_set_forward_ten_days_loses_a_run_only_until_it_speaks() {
    let desk = Desk::new();
    let line =
        format!("while ! [ -e wake ]; do sleep 0.05; done; {} sleep 3", say(r#"{"ev":"item","ok":true}"#));
    let mut child = desk.start("x", &line);
    desk.database.execute("UPDATE ops.job_executions SET heartbeat_at = heartbeat_at - interval '10 days'");
    drop(desk.workdir.run("job-monitor", &["active"]).expect(0));
    assert_eq!(desk.row("x")["status"], "lost");
    desk.workdir.write("wake", "");
    assert!(child.wait().unwrap().success());
    let row = desk.row("x");
    assert_eq!(row["status"], "completed");
    // How long it took is by a clock that nobody sets.
    let seconds =
        "SELECT extract(epoch FROM completed_at - started_at) BETWEEN 3 AND 60 FROM ops.job_executions";
    assert_eq!(desk.database.value(seconds), "true", "{row:#}");
}

#[test]
fn the_table_refuses_what_does_not_add_up() {
    let desk = Desk::new();
    drop(desk.job("x", "true").expect(0));
    for (wrong, constraint) in [
        ("items_processed = 1", "items_check"),
        ("status = 'paused'", "status_check"),
        ("status = 'running'", "completed_check"),
        ("metadata = 'null'", "metadata_check"),
        ("metadata = '[]'", "metadata_check"),
        ("checkpoint = to_jsonb(repeat('x', 3000))", "checkpoint_check"),
    ] {
        let error = desk
            .database
            .connect()
            .batch_execute(&format!("UPDATE ops.job_executions SET {wrong}"))
            .unwrap_err();
        let refused = error.as_db_error().unwrap().constraint().unwrap_or_default().to_owned();
        assert_eq!(refused, format!("job_executions_{constraint}"), "{wrong}");
    }
}
