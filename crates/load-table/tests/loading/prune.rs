//! What left the API leaves the mirror, by a complete export only, and only so much at once.

use crate::mirror::{CURSUS, Mirror, WORLD, campuses, lines, text, user, with};
use chrono::TimeDelta;
use exports::Scope;
use serde_json::{Value, json};

/// A mirror of so many users of campus 1, from an export.
fn filled(users: u64) -> Mirror {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.export("08_users", CURSUS, &lines((0..users).map(user)));
    assert_eq!(mirror.load_export("users", &[]).expect(0).json()["inserted"], users);
    mirror
}

#[test]
fn rows_that_a_complete_export_lacks_are_deleted_with_what_hangs_on_them() {
    let mirror = filled(100);
    mirror.load("achievements", r#"{"id": 5}"#);
    let badges = (0..10).map(|id| json!({"id": id, "user_id": id % 5, "achievement_id": 5}));
    mirror.load("achievements_users", &text(badges));
    mirror.export("08_users", CURSUS, &lines((2..100).map(user)));
    let dry = mirror.load_export("users", &["--dry-run"]).expect(0);
    assert!(dry.stderr.contains("delete 0\n") && dry.stderr.contains("delete 1\n"), "{dry:#?}");
    assert_eq!(mirror.count("users"), 100);
    let summary = mirror.load_export("users", &[]).expect(0).json();
    assert_eq!((&summary["deleted"], &summary["cascaded"]), (&json!(2), &json!({"achievements_users": 4})));
    assert_eq!((mirror.count("users"), mirror.count("achievements_users")), (98, 6));
    assert_eq!(mirror.load_export("users", &[]).expect(0).json()["deleted"], 0);
}

#[test]
fn a_fetch_cut_to_a_quarter_never_prunes() {
    let mirror = filled(400);
    mirror.export("08_users", CURSUS, &lines((0..100).map(user)));
    let words = ["lacks 300 of 400 rows", "--max-prune 0.05", "--no-prune", "nothing was written"];
    let _refused = mirror.load_export("users", &[]).expect(65).complains(&words);
    assert_eq!(mirror.count("users"), 400);
    assert_eq!(mirror.load_export("users", &["--no-prune"]).expect(0).json()["deleted"], 0);
    assert_eq!(mirror.load_export("users", &["--max-prune", "0.75"]).expect(0).json()["deleted"], 300);
}

#[test]
fn fifty_rows_may_go_whatever_the_share() {
    let mirror = filled(60);
    mirror.export("08_users", CURSUS, &lines((50..60).map(user)));
    assert_eq!(mirror.load_export("users", &[]).expect(0).json()["deleted"], 50);
}

#[test]
fn an_empty_export_empties_nothing() {
    let mirror = filled(3);
    mirror.export("08_users", CURSUS, &[]);
    let _refused =
        mirror.load_export("users", &["--max-prune", "1"]).expect(65).complains(&["is empty", "3 rows"]);
    assert_eq!(mirror.count("users"), 3);
    mirror.export("09_coalitions", WORLD, &[]);
    assert_eq!(mirror.load_export("coalitions", &[]).expect(0).json()["read"], 0);
}

#[test]
fn an_export_that_is_not_complete_prunes_nothing_and_leaves_the_watermark() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text((0..3).map(user)));
    mirror.export_as("08_users", CURSUS, &lines([user(0)]), false, mirror.now());
    assert_eq!(mirror.load_export("users", &[]).expect(0).json()["deleted"], 0);
    assert_eq!(mirror.workdir.run("load-table", &["users", "--watermark"]).expect(0).stdout, "\n");
}

#[test]
fn the_export_of_one_campus_prunes_nothing_and_leaves_the_watermark() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let of = |id, campus: u64| with(user(id), json!({"campus_id": campus}));
    mirror.load("users", &text([of(10, 1), of(11, 1), of(20, 2)]));
    let scope = Scope { cursus: Some(21), campus: Some(1) };
    mirror.export("08_users", scope, &lines([of(10, 1)]));
    // Who is missing may have moved to another campus.
    assert_eq!(mirror.load_export("users", &["--campus", "1"]).expect(0).json()["deleted"], 0);
    assert_eq!(mirror.count("users"), 3);
    assert_eq!(mirror.workdir.run("load-table", &["users", "--watermark"]).expect(0).stdout, "\n");
}

#[test]
fn a_row_that_came_while_the_walk_was_running_stays() {
    let mirror = filled(10);
    let started = mirror.now();
    mirror.load("users", &text([user(10), with(user(3), json!({"wallet": 9}))]));
    mirror.export_as("08_users", CURSUS, &lines((0..9).filter(|id| *id != 3).map(user)), true, started);
    let summary = mirror.load_export("users", &[]).expect(0).json();
    assert_eq!(summary["deleted"], 1);
    assert_eq!(
        mirror.value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM users"),
        "0 1 2 3 4 5 6 7 8 10"
    );
}

#[test]
fn rows_that_are_set_aside_are_not_pruned() {
    let mirror = filled(10);
    let mut records: Vec<Value> = (0..10).map(user).collect();
    records[3] = with(user(3), json!({"campus_id": 99}));
    records[4] = with(user(4), json!({"wallet": "x"}));
    mirror.export("08_users", CURSUS, &lines(records));
    let summary = mirror.load_export("users", &["--max-rejects", "1"]).expect(3).json();
    assert_eq!((&summary["deleted"], mirror.count("users")), (&json!(0), 10));
}

#[test]
fn a_record_without_a_key_might_be_any_row_so_nothing_is_pruned() {
    let mirror = filled(10);
    let records = (0..9).map(user).chain([json!({"login": "nobody"})]);
    mirror.export("08_users", CURSUS, &lines(records));
    let run = mirror.load_export("users", &["--max-rejects", "1"]).expect(3);
    assert!(run.stderr.contains("nothing is pruned"), "{run:#?}");
    assert_eq!((run.json()["deleted"].as_u64(), mirror.count("users")), (Some(0), 10));
}

#[test]
fn the_watermark_is_the_start_of_the_walk_minus_five_minutes_and_never_goes_back() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let watermark = || mirror.workdir.run("load-table", &["users", "--watermark"]).expect(0).stdout;
    assert_eq!(watermark(), "\n");
    let walk = |started: &str, users: u64| {
        let started = started.parse().unwrap();
        mirror.export_as("08_users", CURSUS, &lines((0..users).map(user)), true, started);
        mirror.load_export("users", &[]).code
    };
    assert_eq!(walk("2025-12-13T08:24:00Z", 1), 0);
    assert_eq!(watermark(), "2025-12-13T08:19:00.000Z\n");
    assert_eq!(walk("2025-12-13T08:00:00Z", 2), 65, "an older walk is refused");
    assert_eq!(watermark(), "2025-12-13T08:19:00.000Z\n");
    assert_eq!(walk("2025-12-13T09:24:00.987Z", 3), 0);
    assert_eq!(watermark(), "2025-12-13T09:19:00.987Z\n");
    // A load that is refused does not move it.
    let later = mirror.now() + TimeDelta::days(1);
    mirror.export_as("08_users", CURSUS, &[], true, later);
    let _refused = mirror.load_export("users", &[]).expect(65);
    assert_eq!(watermark(), "2025-12-13T09:19:00.987Z\n");
}
