//! Every value arrives as what it is, and absent, null, empty and false are four things.

use crate::mirror::{Mirror, campuses, text, user, with};
use serde_json::{Value, json};

/// The only row of a table, without what the server adds.
fn row(mirror: &Mirror, table: &str, id: u64) -> Value {
    mirror.database.rows(&format!("SELECT * FROM {table} WHERE id = {id}")).remove(0)
}

#[test]
fn an_absent_key_leaves_the_column_alone_and_null_empties_it() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let full = with(user(10), json!({"location": "c1r1s1", "phone": "hidden", "wallet": 7}));
    mirror.load("users", &text([full]));
    mirror.load("users", r#"{"id": 10, "location": null, "phone": "", "active?": false}"#);
    let after = row(&mirror, "users", 10);
    assert_eq!(after["wallet"], 7);
    assert_eq!((&after["campus_id"], &after["login"]), (&json!(1), &json!("login10")));
    assert_eq!(
        (&after["location"], &after["phone"], &after["active"]),
        (&Value::Null, &json!(""), &json!(false))
    );
}

#[test]
fn records_that_lack_different_keys_are_each_left_alone_where_they_say_nothing() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text((10..13).map(user)));
    let mixed = "{\"id\": 10, \"wallet\": 1}\n{\"id\": 11, \"login\": \"other\"}\n{\"id\": 12, \"wallet\": 5}\n{\"id\": 13}\n";
    let summary = mirror.load("users", mixed);
    assert_eq!(
        (&summary["updated"], &summary["unchanged"], &summary["inserted"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(row(&mirror, "users", 10)["login"], "login10");
    assert_eq!(row(&mirror, "users", 10)["wallet"], 1);
    assert_eq!(row(&mirror, "users", 11)["wallet"], 5);
    assert_eq!(row(&mirror, "users", 13)["login"], Value::Null);
}

#[test]
fn keys_that_end_in_a_question_mark_are_read() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text([user(10), with(user(11), json!({"active?": false, "staff?": true}))]));
    let flags = |id| {
        let row = row(&mirror, "users", id);
        (row["active"].clone(), row["staff"].clone(), row["alumni"].clone())
    };
    assert_eq!(flags(10), (json!(true), Value::Null, json!(false)));
    assert_eq!(flags(11), (json!(false), json!(true), json!(false)));
}

#[test]
fn texts_arrive_byte_for_byte() {
    let mirror = Mirror::new();
    let odd = [
        "",
        " outer ",
        "tab\there",
        "line\r\nfeed",
        "back\\slash",
        "\\.",
        "\\N",
        "quote\"'",
        "{}",
        "naïve – 漢字 🦀",
        "e\u{301}",
    ];
    let records = odd.iter().enumerate().map(|(id, name)| json!({"id": id, "name": name}));
    mirror.load("coalitions", &text(records).replace('\n', "\r\n"));
    let stored = mirror.database.rows("SELECT id, name FROM coalitions ORDER BY id");
    let stored: Vec<_> = stored.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(stored, odd);
}

#[test]
fn every_type_arrives() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text([user(10)]));
    mirror.load("cursus", r#"{"id": 21, "name": "42cursus", "kind": "main"}"#);
    let enrolment = json!({
        "id": 1, "user": {"id": 10, "kind": "student", "alumni?": false}, "cursus_id": 21, "grade": {}, "level": 4.25,
        "skills": [{"id": 1, "name": "x\\u0000", "level": 1.5}], "begin_at": "2025-01-01T01:00:00.123+01:00",
        "end_at": "2025-01-02 03:04:05 UTC", "blackholed_at": "2025-01-03", "has_coalition": true,
    });
    mirror.load("cursus_users", &text([enrolment]));
    let row = row(&mirror, "cursus_users", 1);
    assert_eq!((&row["user_id"], &row["grade"], &row["level"]), (&json!(10), &Value::Null, &json!(4.25)));
    assert_eq!(row["skills"], json!([{"id": 1, "name": "x\\u0000", "level": 1.5}]));
    let instants = "SELECT begin_at AT TIME ZONE 'UTC' || '/' || (end_at AT TIME ZONE 'UTC') || '/' || (blackholed_at AT TIME ZONE 'UTC') FROM cursus_users";
    assert_eq!(mirror.value(instants), "2025-01-01 00:00:00.123/2025-01-02 03:04:05/2025-01-03 00:00:00");
}

#[test]
fn of_one_key_the_newest_version_counts_and_older_ones_are_not_taken() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let version = |wallet: u64, day: u64| {
        with(user(10), json!({"wallet": wallet, "updated_at": format!("2025-06-{day:02}T00:00:00Z")}))
    };
    let summary = mirror.load("users", &text([version(1, 9), version(3, 9), version(2, 8)]));
    assert_eq!((&summary["inserted"], &summary["duplicates"]), (&json!(1), &json!(2)));
    assert_eq!(row(&mirror, "users", 10)["wallet"], 3);
    let summary = mirror.load("users", &text([version(4, 6)]));
    assert_eq!((&summary["stale"], &summary["updated"]), (&json!(1), &json!(0)));
    assert_eq!(row(&mirror, "users", 10)["wallet"], 3);
    // Equal versions with different content are changes that the API does not announce.
    assert_eq!(mirror.load("users", &text([version(5, 9)]))["updated"], 1);
    assert_eq!(mirror.load("users", r#"{"id": 10, "wallet": 6}"#)["updated"], 1);
}

#[test]
fn a_number_keeps_every_digit() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text([user(10)]));
    mirror.load("cursus", r#"{"id": 21}"#);
    let level = r#"{"id": 1, "user": {"id": 10}, "cursus_id": 21, "level": 11.399999999999999, "skills": [9.069999999999999]}"#;
    mirror.load("cursus_users", level);
    assert_eq!(
        mirror.value("SELECT level || ' ' || skills FROM cursus_users"),
        "11.399999999999999 [9.069999999999999]"
    );
}

#[test]
fn what_postgresql_could_not_hold_is_set_aside_and_the_rest_is_loaded() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    for odd in [json!({"alumnized_at": "-9999-01-01 00:00:00 UTC"}), json!({"login": "x".repeat(12_000)})] {
        let run = mirror.feed(&["users"], &text([user(1), with(user(2), odd), user(3)])).expect(3);
        assert_eq!((&run.json()["rejected"], mirror.count("users")), (&json!(1), 2), "one is never too many");
    }
}

#[test]
fn one_key_many_times_is_no_hard_work() {
    let mirror = Mirror::new();
    let input = r#"{"id": 1, "name": "x"}"#.to_owned() + "\n";
    // Compared pair by pair these would take minutes: the deadline would end it.
    let summary = mirror.feed(&["coalitions", "--deadline", "60"], &input.repeat(60_000)).expect(0).json();
    assert_eq!(summary["duplicates"], 59_999);
}
