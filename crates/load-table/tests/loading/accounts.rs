//! Every load leaves a row in `ops.loads`, and its counts add up (`mirror::adding_up` checks that of every test).

use crate::mirror::{CURSUS, Mirror, campuses, lines, text, user, with};
use serde_json::json;

#[test]
fn a_load_is_recorded_with_everything_it_counted() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let records = [
        user(10),
        user(11),
        with(user(11), json!({"wallet": 6})),
        with(user(12), json!({"campus_id": 99})),
        with(user(13), json!({"alumni?": true})),
        with(user(14), json!({"wallet": []})),
    ];
    mirror.export("08_users", CURSUS, &lines(records));
    let summary = mirror.load_export("users", &["--max-rejects", "1"]).expect(3).json();
    let counts = "table_name, kind, scope, read, inserted, updated, unchanged, deleted, quarantined, rejected, out_of_scope, duplicates, stale, cascaded";
    let row =
        mirror.database.rows(&format!("SELECT {counts} FROM ops.loads WHERE table_name = 'users'")).remove(0);
    let expected = json!({
        "table_name": "users", "kind": "full", "scope": {"cursus": 21, "campus": null}, "read": 6, "inserted": 2, "updated": 0,
        "unchanged": 0, "deleted": 0, "quarantined": 1, "rejected": 1, "out_of_scope": 1, "duplicates": 1, "stale": 0,
        "cascaded": {},
    });
    assert_eq!(row, expected);
    for name in ["read", "inserted", "quarantined", "rejected", "out_of_scope", "duplicates"] {
        assert_eq!(row[name], summary[name], "{name}");
    }
    let times = "SELECT (finished_at > started_at AND seconds > 0 AND length(sha256) = 64 AND walk_started IS NOT NULL) FROM ops.loads WHERE table_name = 'users'";
    assert_eq!(mirror.value(times), "true");
}

#[test]
fn people_out_of_scope_are_counted_and_dropped_never_set_aside() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let strangers =
        [json!({"alumni?": true, "campus_id": 99}), json!({"kind": "admin"}), json!({"kind": null})];
    let strangers = strangers.into_iter().zip(20..).map(|(members, id)| with(user(id), members));
    let summary = mirror.load("users", &text(strangers.chain([user(10)])));
    assert_eq!((&summary["out_of_scope"], &summary["inserted"]), (&json!(3), &json!(1)));
    assert_eq!(mirror.count("ops.quarantine"), 0);
}
