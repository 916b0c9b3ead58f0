//! The script of cron.

use crate::Things;
use serde_json::json;

const SCRIPT: &str = "scripts/cron/integrity_check.sh";

#[test]
fn what_is_found_fails_nothing_and_what_cannot_be_done_does() {
    let things = Things::new();
    things.fill(100, 10);
    let run = things.workdir.script(SCRIPT, &[]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "silent, whatever was found");
    // Seven jobs of the schedule count too, once one is on record.
    let log = things.workdir.read("logs/integrity_check.log");
    assert!(
        log.contains("exit 0\ncheck-integrity: critical: 90.65 %, 107 compared, 10 inconsistent"),
        "{log}"
    );
    let job = || {
        things
            .database
            .rows("SELECT * FROM ops.job_executions WHERE job_name = 'integrity_check' ORDER BY id")
            .pop()
            .unwrap()
    };
    let first = job();
    assert_eq!(
        (&first["status"], &first["job_type"], &first["exit_code"]),
        (&json!("completed"), &json!("health"), &json!(0))
    );
    let [total, ok, failed, skipped] = ["total_items", "items_succeeded", "items_failed", "items_skipped"]
        .map(|key| first[key].as_i64().unwrap());
    assert_eq!((total, ok, failed, skipped), (6, 2, 0, 4), "{first:#}");
    things
        .workdir
        .write("catalog/01_things.toml", &crate::THINGS.replace("'id', id)", "'id', 1 / (id - id))"));
    let run = things.workdir.script(SCRIPT, &[]).expect(4);
    assert!(run.stderr.contains("unknown"), "{run:#?}");
    assert_eq!((&job()["status"], &job()["items_failed"]), (&json!("failed"), &json!(1)));
}

#[test]
fn one_at_a_time_and_nothing_to_say_without_arguments() {
    let things = Things::new();
    things.fill(10, 0);
    drop(things.workdir.shell("mkdir -p logs").expect(0));
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(SCRIPT);
    let run =
        things.workdir.shell(&format!("flock logs/.integrity_check.lock {}", script.display())).expect(75);
    assert_eq!(run.stderr, "");
    drop(things.workdir.script(SCRIPT, &["now"]).expect(2));
    drop(things.workdir.script(SCRIPT, &[]).expect(0));
}

#[test]
fn a_database_that_is_away_is_said_and_told() {
    let mut things = Things::new();
    let heard = things.workdir.path("heard").display().to_string();
    things.workdir.set("ALERT_COMMAND", &format!("cat >> {heard}"));
    things.workdir.set("DATABASE_URL", "postgresql:///mirror42?host=/nowhere&user=nobody");
    for _ in 0..2 {
        let run = things.workdir.script(SCRIPT, &[]).expect(4);
        assert!(run.stderr.contains("cannot reach PostgreSQL"), "{run:#?}");
    }
    assert!(things.workdir.read("heard").contains("the integrity check fails: cannot reach PostgreSQL"));
}
