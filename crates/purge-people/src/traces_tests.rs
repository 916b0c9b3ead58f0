use super::*;

/// What becomes of a record when 7 and 11 are erased.
fn fate(table: &str, record: &str) -> Fate {
    let catalog = Catalog::load().unwrap();
    let traces = Traces::of(&catalog, HashSet::from([7, 11])).unwrap();
    traces.fate(catalog.find(table).unwrap(), record)
}

fn replaced(text: &str) -> Fate {
    Fate::Replace(text.to_owned())
}

#[test]
fn a_record_is_of_the_person_that_the_catalog_says() {
    assert_eq!(fate("users", r#"{"id":7,"login":"x"}"#), Fate::Drop);
    assert_eq!(fate("users", r#"{"id":8,"campus_id":7}"#), Fate::Keep);
    assert_eq!(fate("projects_users", r#"{"id":7,"user":{"id":8,"login":"y"}}"#), Fate::Keep);
    assert_eq!(fate("projects_users", r#"{"id":8,"user":{"id":7,"login":"x"}}"#), Fate::Drop);
    assert_eq!(fate("achievements_users", r#"{"id":1,"user_id":11,"login":"x"}"#), Fate::Drop);
    // A badge of somebody else whose own number is that of somebody who is erased.
    assert_eq!(fate("achievements_users", r#"{"id":11,"user_id":8,"login":"y"}"#), Fate::Keep);
    assert_eq!(fate("projects", r#"{"id":7,"parent":{"id":11,"name":"n","url":"u"}}"#), Fate::Keep);
}

#[test]
fn a_record_that_nobody_could_type_is_somebodys_too() {
    for record in [
        r#"{"id":1,"user":{"id":"7"},"x":1e400}"#,
        r#"{"id":1,"user":{"id":7.0},"x":"\ud800"}"#,
        r#"{"x":"\u0000", "user" : { "id" : 7 } }"#,
    ] {
        assert_eq!(fate("cursus_users", record), Fate::Drop, "{record}");
    }
    assert_eq!(fate("cursus_users", r#"{"id":7,"user":[7],"x":1e400}"#), Fate::Keep);
    assert_eq!(fate("cursus_users", "7 is no record"), Fate::Keep);
}

#[test]
fn a_member_of_a_team_of_others_becomes_a_number() {
    let record = r#"{"id":1,"user":{"id":8,"login":"old"},"teams":[{"id":7,"name":"old's group-1","users":[{"id":11,"login":"old","leader":true},{"id":8,"login":"older"}],"repo_url":"git@x:y/uuid-4-old","note":"older, old"},{"name":"old","users":[]}]}"#;
    let clean = r#"{"id":1,"user":{"id":8,"login":"old"},"teams":[{"id":7,"name":"3b3-11's group-1","users":[{"id":11,"login":"3b3-11"},{"id":8,"login":"older"}],"repo_url":"git@x:y/uuid-4-3b3-11","note":"older, 3b3-11"},{"name":"3b3-11","users":[]}]}"#;
    assert_eq!(fate("projects_users", record), replaced(clean));
    assert_eq!(fate("projects_users", clean), Fate::Keep, "and that is the end of it");
    let by_the_api =
        r#"{"id":1,"user":{"id":8},"teams":[{"users":[{"id":7,"login":"3b3-7","leader":true}]}]}"#;
    assert_eq!(fate("projects_users", by_the_api), Fate::Keep);
}

#[test]
fn a_word_is_replaced_where_it_stands_alone() {
    for (text, expected) in
        [("ab", "X"), ("ab-ab", "X-X"), ("abab", "abab"), ("cab ab", "cab X"), ("ab's, äab", "X's, äab")]
    {
        assert_eq!(replace_word(text, "ab", "X"), expected);
    }
}

#[test]
fn the_earlier_of_two_dates_counts_and_none_is_never() {
    let catalog = Catalog::load().unwrap();
    let people = catalog.people().unwrap();
    let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let due = |record: &str| is_due(people, record, now);
    assert!(due(r#"{"data_erasure_date":"2026-01-01T01:00:00.000+01:00","anonymize_date":null}"#));
    assert!(due(
        r#"{"data_erasure_date":"2027-01-01T00:00:00Z","anonymize_date":"2025-01-01T00:00:00Z","x":1e400}"#
    ));
    assert!(!due(r#"{"data_erasure_date":"2026-01-01T00:00:00.001Z","anonymize_date":"no date"}"#));
    assert!(!due("{}"));
}
