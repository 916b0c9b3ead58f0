//! People who were erased are turned away, with all that hangs on them, until something newer shows that they may come.

use crate::mirror::{CURSUS, Mirror, campuses, lines, text, user, with};
use serde_json::{Value, json};

const FUTURE: &str = "2999-01-01T00:00:00.000+01:00";

/// A student with dates, as of a time.
fn dated(id: u64, erase: &str, updated: &str) -> Value {
    with(user(id), json!({"anonymize_date": erase, "data_erasure_date": erase, "updated_at": updated}))
}

/// What a student does on a project that is mirrored.
fn project_user(id: u64, user: u64) -> Value {
    json!({"id": id, "project": {"id": 7}, "user": {"id": user, "login": format!("login{user}")}, "final_mark": 100})
}

/// A mirror of students 10 and 11, the second of whom was erased at an instant.
fn mirror(why: &str, erased_at: &str) -> Mirror {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("projects", &text([json!({"id": 7, "name": "x"})]));
    mirror.load("users", &text([user(10)]));
    mirror.database.execute(&format!("INSERT INTO ops.tombstones VALUES (11, {erased_at}, '{why}')"));
    mirror
}

fn erased(mirror: &Mirror, table: &str, records: impl IntoIterator<Item = Value>) -> u64 {
    mirror.load(table, &text(records))["erased"].as_u64().unwrap()
}

#[test]
fn old_records_of_somebody_who_was_erased_are_counted_and_leave_no_trace() {
    let mirror = mirror("due", "'2026-01-01'");
    let records = [
        user(10),
        dated(11, FUTURE, "2025-12-31T23:59:59.999Z"),
        with(user(11), json!({"campus_id": 99})),
        with(user(11), json!({"wallet": []})),
    ];
    let summary = mirror.load("users", &text(records));
    let counts = ["unchanged", "erased", "duplicates", "quarantined", "rejected"].map(|name| &summary[name]);
    assert_eq!(counts, [1, 2, 1, 0, 0], "{summary}");
    let hanging = [
        project_user(1, 10),
        project_user(2, 11),
        with(project_user(3, 11), json!({"project": {"id": 99}})),
        with(project_user(4, 11), json!({"final_mark": "x"})),
    ];
    assert_eq!(erased(&mirror, "projects_users", hanging), 3);
    assert_eq!((mirror.count("users"), mirror.count("projects_users")), (1, 1));
    assert_eq!(mirror.count("ops.quarantine"), 0);
    assert_eq!(mirror.value("SELECT sum(erased) FROM ops.loads"), "5");
}

#[test]
fn what_waited_in_quarantine_is_turned_away_when_its_time_comes() {
    let mirror = mirror("left", "now()");
    mirror.database.execute("UPDATE ops.tombstones SET lifted_at = now()");
    let waiting = with(project_user(2, 11), json!({"project": {"id": 8}}));
    drop(mirror.feed(&["projects_users"], &text([waiting])).expect(3));
    mirror.database.execute("UPDATE ops.tombstones SET lifted_at = NULL");
    let summary = mirror.load("projects", &text([json!({"id": 8, "name": "y"})]));
    assert_eq!(summary["released_elsewhere"], json!({"projects_users": 1}));
    assert_eq!(mirror.value("SELECT erased FROM ops.loads WHERE kind = 'release'"), "1");
    assert_eq!(mirror.count("projects_users") + mirror.count("ops.quarantine"), 0);
}

/// Loads student 11 and says whether the tombstone was lifted, and then the student is there.
fn comes_again(mirror: &Mirror, record: Value) -> bool {
    let refused = erased(mirror, "users", [record]);
    let there = mirror.count("users WHERE id = 11") == 1;
    let lifted = mirror.count("ops.tombstones WHERE lifted_at IS NOT NULL") == 1;
    assert_eq!((there, refused), (lifted, u64::from(!lifted)));
    there
}

#[test]
fn a_change_after_the_erasure_brings_somebody_back_who_is_not_due_again() {
    let (before, after) = ("2025-12-31T00:00:00.000Z", "2026-01-02T00:00:00.000Z");
    for why in ["due", "left"] {
        let back = |record| comes_again(&mirror(why, "'2026-01-01'"), record);
        assert!(back(dated(11, FUTURE, after)));
        assert!(back(with(dated(11, FUTURE, after), json!({"anonymize_date": null}))));
        assert!(!back(dated(11, FUTURE, before)), "last week's record");
        assert!(!back(dated(11, "2026-03-01T00:00:00.000Z", after)), "still due");
        let one_is_due = json!({"anonymize_date": "2026-03-01T00:00:00.000Z"});
        assert!(!back(with(dated(11, FUTURE, after), one_is_due)), "the earlier date counts");
        assert!(!back(with(user(11), json!({"updated_at": after}))), "a record that says nothing of dates");
    }
    assert!(!comes_again(&mirror("request", "'2026-01-01'"), dated(11, FUTURE, after)));
}

#[test]
fn a_walk_after_the_erasure_brings_back_whose_dates_moved_in_silence_and_one_before_does_not() {
    let record = || dated(11, FUTURE, "2020-01-01T00:00:00.000Z");
    for (erased_at, back) in [("now() - interval '1 hour'", true), ("now() + interval '1 hour'", false)] {
        let mirror = mirror("due", erased_at);
        mirror.export("08_users", CURSUS, &lines([user(10), record()]));
        let summary = mirror.load_export("users", &["--no-prune"]).expect(0).json();
        assert_eq!(summary["inserted"], u64::from(back), "{summary}");
        assert_eq!(summary["erased"], u64::from(!back));
    }
    assert_eq!(
        erased(&mirror("due", "now() - interval '1 hour'"), "users", [record()]),
        1,
        "a stream has no time"
    );
}

#[test]
fn who_is_missing_in_a_complete_export_is_remembered_and_forgotten_again_on_return() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let both = [dated(10, FUTURE, "2025-06-01T00:00:00.000Z"), dated(11, FUTURE, "2025-06-01T00:00:00.000Z")];
    mirror.load("users", &text(both.clone()));
    mirror.export("08_users", CURSUS, &lines([both[0].clone()]));
    assert_eq!(mirror.load_export("users", &["--dry-run"]).expect(0).json()["deleted"], 1);
    assert_eq!(mirror.count("ops.tombstones"), 0, "a rehearsal remembers nobody");
    assert_eq!(mirror.load_export("users", &[]).expect(0).json()["deleted"], 1);
    let stone = "SELECT user_id || why || (lifted_at IS NULL) || (erased_at = (SELECT max(walk_started) FROM ops.loads))
        FROM ops.tombstones";
    assert_eq!(mirror.value(stone), "11lefttruetrue");
    assert_eq!(erased(&mirror, "users", both.clone()), 1, "an old stream");
    mirror.export("08_users", CURSUS, &lines(both.clone()));
    assert_eq!(mirror.load_export("users", &[]).expect(0).json()["inserted"], 1, "a new walk");
    mirror.export("08_users", CURSUS, &lines([both[0].clone()]));
    drop(mirror.load_export("users", &[]).expect(0));
    assert_eq!(mirror.value(stone), "11lefttruetrue", "and gone again");
}

#[test]
fn people_who_go_with_their_campus_are_remembered_too() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text([user(10), with(user(11), json!({"campus_id": 2}))]));
    mirror.export("02_campus", crate::mirror::WORLD, &lines([json!({"id": 1, "name": "Here"})]));
    let summary = mirror.load_export("campus", &[]).expect(0).json();
    assert_eq!(summary["cascaded"], json!({"users": 1}));
    assert_eq!(mirror.value("SELECT string_agg(user_id || why, ' ') FROM ops.tombstones"), "11left");
}

#[test]
fn the_short_way_into_an_empty_table_is_not_for_people() {
    let mut mirror = Mirror::without_tables();
    let people = "about = \"x\"\ntable = \"members\"\ngroup = \"users\"\nkey = [\"id\"]\nerase_at = [\"gone_at\"]\n\
        columns = [{ name = \"id\", type = \"bigint\", null = false }, { name = \"gone_at\", type = \"timestamptz\" }]\n\
        [fetch]\npath = \"/v2/members\"\n";
    mirror.workdir.write("catalog/01_members.toml", people);
    mirror.workdir.set("CATALOG_DIR", &mirror.workdir.path("catalog").display().to_string());
    drop(mirror.workdir.run("init-db", &[]).expect(0));
    mirror.database.execute("INSERT INTO ops.tombstones VALUES (2, now(), 'request')");
    mirror.workdir.write("members.ndjson", "{\"id\": 1}\n{\"id\": 2}\n");
    let summary = mirror.feed(&["members", "members.ndjson"], "").expect(0).json();
    assert_eq!((&summary["inserted"], &summary["erased"]), (&json!(1), &json!(1)));
    assert_eq!(mirror.value("SELECT string_agg(id::text, ' ') FROM members"), "1");
}
