//! Whose time has come, by the database's clock.

use crate::desk::{Desk, user, with, words};
use serde_json::{Value, json};

#[test]
fn the_earlier_of_the_two_dates_counts_and_no_date_is_never() {
    let desk = Desk::new();
    desk.erase_at(10, "now() + interval '1 minute'");
    desk.erase_at(11, "now() - interval '1 second'");
    desk.database.execute("UPDATE users SET anonymize_date = NULL, data_erasure_date = NULL WHERE id = 12");
    desk.database.execute("INSERT INTO users (id, anonymize_date) VALUES (13, now())");
    let report = desk.report(&["run"]);
    assert_eq!((&report["due"], &report["tables"]), (&json!([11, 13]), &json!({"users": 2})));
    assert_eq!(desk.count("users"), 2);
    let stones =
        "SELECT string_agg(user_id || why || (lifted_at IS NULL), ' ' ORDER BY user_id) FROM ops.tombstones";
    assert_eq!(desk.database.value(stones), "11duetrue 13duetrue");
}

#[test]
fn a_rehearsal_says_the_same_and_changes_nothing() {
    let desk = Desk::full();
    desk.erase_at(11, "now()");
    let before = desk.traces_of(11);
    let rehearsed = desk.report(&["run", "--dry-run"]);
    assert_eq!(desk.traces_of(11), before);
    assert_eq!(desk.count("ops.tombstones"), 0);
    assert!(!desk.workdir.path("backups/tombstones.ndjson").exists());
    let done = desk.report(&["run"]);
    let same = |report: &Value| {
        let mut report = report.clone();
        report.as_object_mut().unwrap().retain(|key, _| !["seconds", "dry_run"].contains(&key.as_str()));
        report
    };
    assert_eq!(same(&rehearsed), same(&done));
    assert_eq!(rehearsed["dry_run"], true);
}

#[test]
fn who_waits_in_quarantine_is_due_too() {
    let desk = Desk::new();
    let past = json!({"campus_id": 99, "data_erasure_date": "2020-01-01T00:00:00Z"});
    desk.load("users", &[with(user(20), past.clone()), with(user(21), json!({"campus_id": 99}))], 3);
    desk.load("users", &[with(with(user(22), past), json!({"wallet": []}))], 3);
    assert_eq!(desk.count("ops.quarantine"), 3);
    let report = desk.report(&["run"]);
    assert_eq!((&report["due"], &report["quarantine"]["deleted"]), (&json!([20]), &json!(2)));
    assert_eq!(desk.database.places_of(&[words(20), words(22)].concat()), Vec::<String>::new());
    assert!(!desk.database.places_of(&words(21)).is_empty());
}

#[test]
fn a_clock_that_is_far_ahead_erases_nobody() {
    let desk = Desk::new();
    desk.database.execute(
        "INSERT INTO users (id, data_erasure_date) SELECT id, now() FROM generate_series(100, 159) id",
    );
    let run = desk.purge(&["run"]).expect(65);
    let words = ["60 of 63 users are due", "--max-erase 0.3", "clock", "nothing was erased"];
    drop(run.complains(&words));
    assert_eq!((desk.count("users"), desk.count("ops.tombstones")), (63, 0));
    drop(desk.purge(&["run", "--max-erase", "1"]).expect(0));
    assert_eq!(desk.count("users"), 3);
}

#[test]
fn a_student_who_returns_with_a_later_date_is_mirrored_again_and_erased_again() {
    let desk = Desk::new();
    desk.erase_at(11, "now()");
    drop(desk.purge(&["run"]).expect(0));
    let returned = with(user(11), json!({"updated_at": "2998-01-01T00:00:00.000Z"}));
    assert_eq!(desk.load("users", &[returned], 0)["inserted"], 1);
    let report = desk.report(&["run"]);
    assert_eq!((&report["due"], &report["kept_away"], desk.count("users")), (&json!([]), &json!(0), 3));
    desk.erase_at(11, "now()");
    assert_eq!(desk.report(&["run"])["due"], json!([11]));
    assert_eq!(desk.count("ops.tombstones WHERE lifted_at IS NULL"), 1);
}
