//! The scripts of cron, on record.

use end_to_end::{HANGING, NIGHTLY, World};
use serde_json::{Value, json};

/// The rows of jobs whose names start like this, oldest first.
fn rows(world: &World, start: &str) -> Vec<Value> {
    let query = "SELECT *, (SELECT p.job_name FROM ops.job_executions p WHERE p.run = j.parent_run) AS parent
        FROM ops.job_executions j WHERE job_name LIKE";
    world.database.rows(&format!("{query} '{start}%' ORDER BY id"))
}

#[test]
fn a_nightly_is_a_job_and_each_stage_a_job_within_it() {
    let world = World::new(&["--students", "300"]);
    let code = world.workdir.script("scripts/cron/nightly_stable_tables.sh", &[]).code;
    let whole = rows(&world, "nightly_sync").remove(0);
    // Fetched and loaded, and at last who is due is erased.
    let stages = 2 * (NIGHTLY.len() + HANGING.len()) + 1;
    assert_eq!((&whole["job_type"], &whole["exit_code"]), (&json!("nightly"), &json!(code)));
    assert_eq!(
        (&whole["total_items"], &whole["items_processed"]),
        (&json!(stages), &json!(stages)),
        "{whole:#}"
    );
    for table in NIGHTLY.into_iter().chain(HANGING) {
        for stage in ["fetch", "load"] {
            let rows = rows(&world, &format!("{stage}_{table}"));
            let row = &rows[0];
            assert_eq!(
                (&row["parent"], &row["job_type"]),
                (&json!("nightly_sync"), &json!(stage)),
                "{row:#}"
            );
        }
    }
    // Each stage told how far it came.
    let users: i64 = world.database.value("SELECT count(*) FROM users").parse().unwrap();
    for stage in ["fetch_users", "load_users"] {
        assert_eq!(rows(&world, stage)[0]["items_succeeded"], json!(users), "{stage}");
    }
}

#[test]
fn a_stage_that_fails_is_on_record_with_its_words() {
    let world = World::new(&["--students", "100"]);
    world.mock.faults(r#"[{"kind": "html403", "path": "/v2/coalitions"}]"#);
    let run =
        world.workdir.script("scripts/cron/nightly_stable_tables.sh", &["cursus", "coalitions"]).expect(69);
    let failed = rows(&world, "fetch_coalitions").remove(0);
    assert_eq!((&failed["status"], &failed["exit_code"]), (&json!("failed"), &json!(69)));
    assert!(run.stderr.contains(failed["error_message"].as_str().unwrap()), "{failed:#} {run:#?}");
    let whole = rows(&world, "nightly_sync").remove(0);
    assert_eq!(
        (&whole["status"], &whole["items_failed"], &whole["total_items"]),
        (&json!("failed"), &json!(1), &json!(4))
    );
    drop(world.run("job-monitor", &["summary"]).expect(1));
}

#[test]
fn an_empty_live_run_is_on_record_too() {
    let world = World::new(&["--students", "100"]);
    drop(world.workdir.script("scripts/cron/nightly_stable_tables.sh", &[]));
    for _ in 0..2 {
        drop(world.workdir.script("scripts/cron/live_db_sync.sh", &[]));
    }
    assert_eq!(rows(&world, "live_sync").len(), 2);
    let stages = rows(&world, "live_fetch_users");
    assert_eq!(
        (stages.len(), &stages[1]["parent"], &stages[1]["job_type"]),
        (2, &json!("live_sync"), &json!("live"))
    );
    assert!(rows(&world, "fetch_users").len() == 1, "the nightly's stages have names of their own");
}
