//! What the mirror holds already is not written again.

use crate::mirror::{Mirror, campuses, text, user, with};
use serde_json::json;

#[test]
fn loading_twice_touches_no_row() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let mut records: Vec<_> = (10..60).map(user).collect();
    records.push(with(user(60), json!({"campus_id": 99})));
    records.push(with(user(61), json!({"wallet": "much"})));
    let input = text(records);
    let first = mirror.feed(&["users", "--max-rejects", "1"], &input).expect(3).json();
    assert_eq!(
        (&first["inserted"], &first["quarantined"], &first["rejected"]),
        (&json!(50), &json!(1), &json!(1))
    );
    let tables = ["users", "campuses", "ops.quarantine", "ops.watermarks"];
    let before = tables.map(|table| mirror.versions(table));
    let second = mirror.feed(&["users", "--max-rejects", "1"], &input).expect(3).json();
    assert_eq!(
        (&second["unchanged"], &second["inserted"], &second["updated"]),
        (&json!(50), &json!(0), &json!(0))
    );
    assert_eq!(before, tables.map(|table| mirror.versions(table)));
}

#[test]
fn only_rows_that_differ_are_written_and_ingested_at_moves_only_then() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text((10..20).map(user)));
    let before = mirror.versions("users");
    // The API changes things without moving updated_at.
    let changed = with(user(15), json!({"active?": false}));
    let summary =
        mirror.load("users", &text((10..20).map(|id| if id == 15 { changed.clone() } else { user(id) })));
    assert_eq!((&summary["updated"], &summary["unchanged"]), (&json!(1), &json!(9)));
    let after = mirror.versions("users");
    let same = before.iter().filter(|row| after.contains(row)).count();
    assert_eq!(same, 9);
    let moved = |rows: &[serde_json::Value]| {
        rows.iter().find(|row| row["id"] == 15).map(|row| row["ingested_at"].clone()).unwrap()
    };
    assert_ne!(moved(&before), moved(&after));
}

#[test]
fn a_dry_run_changes_nothing_and_gives_examples() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text([user(10), user(11)]));
    let tables = ["users", "ops.quarantine", "ops.loads", "ops.watermarks"];
    // Without xmax: a transaction that was rolled back leaves its number there.
    let rows = |table| mirror.database.rows(&format!("SELECT ctid, xmin, t.* FROM {table} t ORDER BY ctid"));
    let before = tables.map(rows);
    let changed = with(user(10), json!({"wallet": 6, "location": "c1r1s1"}));
    let orphan = with(user(13), json!({"campus_id": 99}));
    let run = mirror.feed(&["users", "--dry-run"], &text([changed, user(12), orphan])).expect(3);
    let summary = run.json();
    assert_eq!(summary["dry_run"], true);
    assert_eq!(
        (&summary["updated"], &summary["inserted"], &summary["quarantined"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert!(run.stderr.contains("update 10 (location, wallet)"), "{run:#?}");
    assert!(run.stderr.contains("insert 12\n"), "{run:#?}");
    assert!(run.stderr.contains("set aside 13: campuses 99 is not in the mirror"), "{run:#?}");
    assert_eq!(before, tables.map(rows));
}
