//! Rows whose parent is missing wait, and nothing of them is lost.

use crate::mirror::{CURSUS, Mirror, campuses, lines, text, user, with};
use serde_json::{Value, json};

fn badge(id: u64, user: u64, achievement: u64) -> Value {
    json!({"id": id, "user_id": user, "achievement_id": achievement, "updated_at": "2025-06-01T00:00:00Z"})
}

#[test]
fn a_row_waits_with_its_reason_and_is_released_when_its_parent_arrives() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let waiting = mirror.feed(&["users"], &text([with(user(10), json!({"campus_id": 99}))])).expect(3).json();
    assert_eq!((&waiting["quarantined"], &waiting["inserted"]), (&json!(1), &json!(0)));
    let aside = mirror
        .database
        .rows("SELECT record_key, reason_kind, reason, parent_table, parent_key FROM ops.quarantine");
    let reason = "campuses 99 is not in the mirror";
    let expected = json!({"record_key": "10", "reason_kind": "parent", "reason": reason, "parent_table": "campuses", "parent_key": "99"});
    assert_eq!(aside, [expected]);
    let parent = mirror.load("campus", r#"{"id": 99, "name": "Late"}"#);
    assert_eq!(parent["released_elsewhere"], json!({"users": 1}));
    assert_eq!(mirror.count("ops.quarantine"), 0);
    let row =
        mirror.database.rows("SELECT login, wallet, campus_id, image, active, location FROM users").remove(0);
    let image = json!({"link": null, "versions": {"large": "l"}});
    let expected = json!({"login": "login10", "wallet": 5, "campus_id": 99, "image": image, "active": true, "location": null});
    assert_eq!(row, expected);
}

#[test]
fn what_a_waiting_record_lacks_is_still_left_alone_when_it_is_released() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text([with(user(10), json!({"location": "c1r1s1"}))]));
    let _waits = mirror.feed(&["users"], r#"{"id": 10, "campus_id": 99, "wallet": null}"#).expect(3);
    mirror.load("campus", r#"{"id": 99}"#);
    let row = mirror.database.rows("SELECT campus_id, wallet, location, login FROM users").remove(0);
    assert_eq!(row, json!({"campus_id": 99, "wallet": null, "location": "c1r1s1", "login": "login10"}));
}

#[test]
fn a_row_that_lacks_two_parents_waits_for_one_after_the_other() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let _both = mirror.feed(&["achievements_users"], &text([badge(1, 10, 5)])).expect(3);
    let reason = || mirror.value("SELECT reason FROM ops.quarantine");
    assert_eq!(reason(), "achievements 5 is not in the mirror");
    let first = mirror.load("achievements", r#"{"id": 5}"#);
    assert_eq!(first["released_elsewhere"], json!({"achievements_users": 1}));
    assert_eq!((reason().as_str(), mirror.count("achievements_users")), ("users 10 is not in the mirror", 0));
    mirror.load("users", &text([user(10)]));
    assert_eq!((mirror.count("ops.quarantine"), mirror.count("achievements_users")), (0, 1));
}

#[test]
fn release_goes_down_as_far_as_it_can() {
    let mirror = Mirror::new();
    mirror.load("achievements", r#"{"id": 5}"#);
    let _waits = mirror.feed(&["users"], &text([user(10)])).expect(3);
    let _waits = mirror.feed(&["achievements_users"], &text([badge(1, 10, 5)])).expect(3);
    let summary = mirror.load("campus", &campuses());
    assert_eq!(summary["released_elsewhere"], json!({"users": 1, "achievements_users": 1}));
    assert_eq!((mirror.count("ops.quarantine"), mirror.count("achievements_users")), (0, 1));
}

#[test]
fn a_load_of_the_table_itself_releases_too_and_a_newer_record_wins() {
    let mirror = Mirror::new();
    let _waits = mirror.feed(&["users"], &text([user(10), user(11)])).expect(3);
    // The parent comes by another way, so that nobody releases.
    mirror.database.execute("INSERT INTO campuses (id) VALUES (1)");
    let summary = mirror.load("users", &text([with(user(10), json!({"wallet": 9}))]));
    assert_eq!(
        (&summary["released"], &summary["inserted"], &summary["duplicates"]),
        (&json!(2), &json!(2), &json!(1))
    );
    let wallets = mirror.value("SELECT string_agg(wallet::text, ' ' ORDER BY id) FROM users");
    assert_eq!((wallets.as_str(), mirror.count("ops.quarantine")), ("9 5", 0));
}

#[test]
fn a_whole_feed_may_wait() {
    let mirror = Mirror::new();
    let feed: Vec<_> = (0..500).map(|id| with(user(10 + id), json!({"campus_id": 1 + id % 2}))).collect();
    let summary = mirror.feed(&["users"], &text(feed)).expect(3).json();
    assert_eq!((&summary["quarantined"], &summary["rejected"]), (&json!(500), &json!(0)));
    let summary = mirror.load("campus", &campuses());
    assert_eq!(summary["released_elsewhere"], json!({"users": 500}));
    assert_eq!((mirror.count("users"), mirror.count("ops.quarantine")), (500, 0));
}

#[test]
fn what_waits_and_is_not_in_a_complete_export_is_forgotten() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let orphan = |id| with(user(id), json!({"campus_id": 99}));
    let _waits = mirror.feed(&["users"], &text([orphan(10), orphan(11)])).expect(3);
    mirror.export("08_users", CURSUS, &lines([orphan(10), user(12)]));
    let summary = mirror.load_export("users", &[]).expect(3).json();
    assert_eq!((&summary["quarantined"], &summary["deleted"]), (&json!(1), &json!(0)));
    assert_eq!(mirror.value("SELECT string_agg(record_key, ' ') FROM ops.quarantine"), "10");
}

#[test]
fn what_waits_under_other_types_does_not_stop_the_load() {
    let mirror = Mirror::new();
    let _waits = mirror.feed(&["users"], &text([user(10)])).expect(3);
    mirror.database.execute("UPDATE ops.quarantine SET row = row || '{\"wallet\": \"much\"}'; INSERT INTO campuses (id) VALUES (1)");
    let run = mirror.feed(&["users"], &text([user(11)])).expect(0);
    assert!(run.stderr.contains("does not fit the columns any more"), "{run:#?}");
    assert_eq!((mirror.count("users"), mirror.count("ops.quarantine")), (1, 1));
}

#[test]
fn an_older_version_never_displaces_a_newer_one_that_waits() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let version = |campus: u64, wallet: u64, day: u64| {
        let updated = format!("2025-06-{day:02}T00:00:00Z");
        text([with(user(10), json!({"campus_id": campus, "wallet": wallet, "updated_at": updated}))])
    };
    let _newer = mirror.feed(&["users"], &version(99, 2, 9)).expect(3);
    let _older = mirror.feed(&["users"], &version(99, 1, 8)).expect(3);
    assert_eq!(mirror.value("SELECT row ->> 'wallet' FROM ops.quarantine"), "2");
    // Nor one whose parent is there: the newest waits, and nothing older takes its place.
    let _older = mirror.feed(&["users"], &version(1, 1, 7)).expect(3);
    assert_eq!(mirror.count("users"), 0);
    mirror.load("campus", r#"{"id": 99}"#);
    assert_eq!(mirror.value("SELECT wallet || ' ' || campus_id FROM users"), "2 99");
}

#[test]
fn a_waiting_row_keeps_what_a_later_record_lacks() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let _full = mirror.feed(&["users"], &text([with(user(10), json!({"campus_id": 99}))])).expect(3);
    let _part = mirror.feed(&["users"], r#"{"id": 10, "campus_id": 99, "wallet": 77}"#).expect(3);
    mirror.load("campus", r#"{"id": 99}"#);
    assert_eq!(mirror.value("SELECT login || ' ' || wallet FROM users"), "login10 77");
}

#[test]
fn what_waits_is_not_forgotten_for_an_export_with_a_record_nobody_can_name() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let _waits = mirror.feed(&["users"], &text([with(user(10), json!({"campus_id": 99}))])).expect(3);
    mirror.export("08_users", CURSUS, &lines([user(1), user(2), json!({"id": "10"})]));
    let _loaded = mirror.load_export("users", &[]).expect(3);
    assert_eq!(mirror.value("SELECT count(*) FROM ops.quarantine WHERE record_key = '10'"), "1");
}
