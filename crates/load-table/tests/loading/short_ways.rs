//! What is at hand, a file or an export, may be loaded by shorter ways than a stream. They must come to the same.

use crate::mirror::{CURSUS, Mirror, campuses, lines, text};
use serde_json::{Value, json};

const STUDENTS: u64 = 300;

/// Numbers that look like chance, and are the same for a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A student with every column that the list of users fills.
fn student(dice: &mut Dice, id: u64) -> Value {
    let link =
        if dice.below(9) == 0 { json!(null) } else { json!(format!("https://example.invalid/{id}.jpg")) };
    let day = 1 + dice.below(4);
    json!({
        "campus_id": 1 + dice.below(2), "id": id, "email": format!("{id}@example.invalid"), "login": format!("login{id}"),
        "first_name": "É\"\\\n", "last_name": "", "usual_full_name": "x y", "usual_first_name": null, "url": "u",
        "phone": {}, "displayname": "d".repeat(200), "kind": "student",
        "image": {"versions": {"large": link, "small": 2.5, "mid": [1, {"b": 1, "aa": 0}]}, "link": link},
        "staff?": false, "correction_point": dice.below(3), "pool_month": "july", "pool_year": "2024",
        "location": null, "wallet": 5, "anonymize_date": "2028-12-12T00:00:00.000+01:00",
        "data_erasure_date": "2028-12-12T00:00:00.000+01:00", "created_at": "2024-01-01T00:00:00.000Z",
        "updated_at": format!("2025-06-0{day}T00:00:00.000Z"), "alumnized_at": null, "alumni?": false, "active?": true,
    })
}

/// Something that is not as it should be, or not as it was.
fn odd(dice: &mut Dice, mut record: Value) -> Value {
    match dice.below(40) {
        0 => record["wallet"] = json!("much"),
        1 => record["campus_id"] = json!(99),
        2 => drop(record.as_object_mut().unwrap().remove("wallet")),
        3 => record["alumni?"] = json!(true),
        4 => record["wallet"] = json!(6.0),
        5 => record["correction_point"] = json!(-1),
        6 => record["id"] = json!("none"),
        _ => {}
    }
    record
}

/// Most of the students as they are in the world, some of them twice, in any order.
fn batch(dice: &mut Dice, world: &[Value]) -> Vec<Value> {
    let mut batch: Vec<Value> = Vec::new();
    for record in world {
        for _ in 0..[0, 1, 1, 1, 1, 1, 1, 1, 1, 2][usize::try_from(dice.below(10)).unwrap()] {
            let place = if dice.below(2) == 0 { batch.len() } else { 0 };
            let record = odd(dice, record.clone());
            batch.insert(place, record);
        }
    }
    batch
}

fn world(dice: &mut Dice) -> Vec<Value> {
    (1000..1000 + STUDENTS).map(|id| student(dice, id)).collect()
}

/// Changes a few students.
fn turn(dice: &mut Dice, world: &mut [Value]) {
    for record in world.iter_mut() {
        if dice.below(10) == 0 {
            *record = student(dice, record["id"].as_u64().unwrap());
        }
    }
}

/// The table and what waits, without when and by which load.
fn held(mirror: &Mirror) -> (Vec<Value>, Vec<Value>) {
    let table = "SELECT to_jsonb(u) - 'ingested_at' AS row FROM users u ORDER BY id";
    let waiting = "SELECT record_key, reason_kind, regexp_replace(reason, '^line [0-9]+', ''), row, record
        FROM ops.quarantine ORDER BY record_key";
    (mirror.database.rows(table), mirror.database.rows(waiting))
}

fn counts(summary: &Value) -> Vec<(String, Value)> {
    let words = ["source", "seconds", "released_elsewhere"];
    let counts = summary.as_object().unwrap().iter().filter(|(name, _)| !words.contains(&name.as_str()));
    counts.map(|(name, count)| (name.clone(), count.clone())).collect()
}

#[test]
fn a_file_comes_to_the_same_as_a_stream() {
    let (streamed, mut filed) = (Mirror::new(), Mirror::new());
    filed.workdir.set("RUST_LOG", "warehouse=info");
    for mirror in [&streamed, &filed] {
        mirror.load("campus", &campuses());
    }
    let mut dice = Dice(42);
    let mut students = world(&mut dice);
    for round in 0..8 {
        let input = text(batch(&mut dice, &students));
        filed.workdir.write("users.ndjson", &input);
        let one = streamed.feed(&["users", "--max-rejects", "1"], &input);
        let other = filed.workdir.run("load-table", &["users", "users.ndjson", "--max-rejects", "1"]);
        assert_eq!(other.stderr.contains("reading what the table holds"), round > 0, "{}", other.stderr);
        let [one, other] = [one.expect(3).json(), other.expect(3).json()];
        // A record that was dropped early is unchanged, one that lost among the staged is a duplicate.
        let apart = |mut counts: Vec<(String, Value)>| {
            let both = counts.iter().filter(|(name, _)| name == "unchanged" || name == "duplicates");
            let sum: u64 = both.filter_map(|(_, count)| count.as_u64()).sum();
            counts.retain(|(name, _)| name != "unchanged" && name != "duplicates");
            (counts, sum)
        };
        assert_eq!(apart(counts(&one)), apart(counts(&other)), "round {round}");
        assert_eq!(held(&streamed), held(&filed), "round {round}");
        turn(&mut dice, &mut students);
    }
}

#[test]
fn an_export_leaves_what_it_holds_and_nothing_else() {
    let mut mirror = Mirror::new();
    mirror.workdir.set("RUST_LOG", "warehouse=info");
    mirror.load("campus", &campuses());
    let mut dice = Dice(7);
    let mut students = world(&mut dice);
    for round in 0..6 {
        let there: Vec<Value> = students.iter().filter(|_| dice.below(20) > 0).cloned().collect();
        let mut told = there.clone();
        // A walk may give a record twice, the later one as it is.
        told.insert(0, student(&mut dice, there[5]["id"].as_u64().unwrap()));
        told[0]["updated_at"] = json!("2025-05-01T00:00:00.000Z");
        mirror.export("08_users", CURSUS, &lines(told));
        let before = mirror.count("users");
        let run = mirror.load_export("users", &["--max-prune", "1"]).expect(0);
        assert_eq!(run.stderr.contains("reading what the table holds"), round > 0, "{}", run.stderr);
        let summary = run.json();
        let expected = text(there.clone());
        let fresh = Mirror::new();
        fresh.load("campus", &campuses());
        fresh.load("users", &expected);
        assert_eq!(held(&mirror), held(&fresh), "round {round}");
        assert_eq!(summary["duplicates"], 1);
        let kept = before + summary["inserted"].as_u64().unwrap() - summary["deleted"].as_u64().unwrap();
        assert_eq!(kept, there.len() as u64, "round {round}");
        // The same again is not even looked at by the server.
        let versions = mirror.versions("users");
        let again = mirror.load_export("users", &[]).expect(0).json();
        assert_eq!(
            again["unchanged"].as_u64().unwrap()
                + again["duplicates"].as_u64().unwrap()
                + again["stale"].as_u64().unwrap(),
            there.len() as u64 + 1
        );
        assert_eq!(versions, mirror.versions("users"));
        for record in &mut students {
            if dice.below(10) == 0 {
                record["wallet"] = json!(dice.below(1000) + 10);
            }
        }
    }
}

#[test]
fn an_empty_table_is_filled_at_once_and_who_lacks_a_parent_waits() {
    let (streamed, mut filed) = (Mirror::new(), Mirror::new());
    filed.workdir.set("RUST_LOG", "warehouse=info");
    let mut dice = Dice(11);
    for round in 0..6 {
        for mirror in [&streamed, &filed] {
            mirror.database.execute("TRUNCATE campuses CASCADE; DELETE FROM ops.quarantine");
            mirror.load("campus", &campuses());
        }
        let mut students = world(&mut dice);
        for student in &mut students {
            match dice.below(30) {
                0 => student["campus_id"] = json!(null),
                1 | 2 => student["campus_id"] = json!(99),
                _ => {}
            }
        }
        // Of one key, one record lacks its parent and another does not: before or behind it, older or newer.
        if round > 2 {
            let (mut again, place) = (students[5 * round].clone(), dice.below(STUDENTS));
            again["campus_id"] = json!(if again["campus_id"] == json!(99) { 1 } else { 99 });
            again["updated_at"] = json!(format!("2025-06-0{}T00:00:00.000Z", 1 + dice.below(5)));
            students.insert(usize::try_from(place).unwrap(), again);
        }
        let input = text(students);
        filed.workdir.write("users.ndjson", &input);
        let one = streamed.feed(&["users"], &input).expect(3).json();
        let other = filed.workdir.run("load-table", &["users", "users.ndjson"]).expect(3);
        assert_eq!(other.stderr.contains("the long way"), round > 2, "{}", other.stderr);
        assert_eq!(counts(&one), counts(&other.json()), "round {round}");
        assert!(one["quarantined"].as_u64() > Some(0), "{one}");
        assert_eq!(held(&streamed), held(&filed), "round {round}");
    }
}

#[test]
fn who_was_erased_and_what_waits_keep_a_table_from_being_filled_at_once() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.database.execute("INSERT INTO ops.tombstones VALUES (1003, '2026-01-01', 'due')");
    mirror.workdir.write("users.ndjson", &text(world(&mut Dice(5))));
    let summary = mirror.workdir.run("load-table", &["users", "users.ndjson"]).expect(0).json();
    assert_eq!((&summary["erased"], &summary["inserted"]), (&json!(1), &json!(STUDENTS - 1)));
    let fill = |records: Vec<Value>| {
        mirror.workdir.write("projects.ndjson", &text(records));
        let file = ["projects", "projects.ndjson", "--max-rejects", "1"];
        mirror.workdir.run("load-table", &file)
    };
    let _rejected = fill(vec![json!({"id": 7, "name": []})]).expect(3);
    assert_eq!(mirror.count("ops.quarantine"), 1);
    let summary = fill(vec![json!({"id": 7, "name": "x"})]).expect(0).json();
    assert_eq!((&summary["inserted"], mirror.count("ops.quarantine")), (&json!(1), 0));
}

#[test]
fn a_file_of_blank_lines_holds_no_records() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.workdir.write("blank.ndjson", &"\n".repeat(1 << 16));
    let summary = mirror.workdir.run("load-table", &["campus", "blank.ndjson"]).expect(0).json();
    assert_eq!((&summary["read"], mirror.count("campuses")), (&json!(0), 2));
}

#[test]
fn parents_of_another_type_than_the_catalogs_are_found_by_the_server() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.database.execute("ALTER TABLE campuses ALTER id TYPE integer");
    mirror.workdir.write("users.ndjson", &text([student(&mut Dice(3), 1000)]));
    let summary = mirror.workdir.run("load-table", &["users", "users.ndjson"]).expect(0).json();
    assert_eq!(summary["inserted"], 1);
}

#[test]
fn a_row_that_was_changed_by_hand_is_put_right() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let students = world(&mut Dice(3));
    mirror.export("08_users", CURSUS, &lines(students));
    drop(mirror.load_export("users", &[]).expect(0));
    let right = held(&mirror);
    mirror.database.execute(
        "UPDATE users SET wallet = 7 WHERE id = 1001; UPDATE users SET image = '{}' WHERE id = 1002;
         UPDATE users SET last_name = NULL WHERE id = 1003; DELETE FROM users WHERE id = 1004",
    );
    let summary = mirror.load_export("users", &[]).expect(0).json();
    assert_eq!((&summary["updated"], &summary["inserted"]), (&json!(3), &json!(1)));
    assert_eq!(held(&mirror), right);
}

#[test]
fn an_empty_table_is_filled_at_once_unless_something_is_unusual() {
    let mut mirror = Mirror::new();
    mirror.workdir.set("RUST_LOG", "warehouse=info");
    let campus = |id: u64| json!({"id": id, "name": "Here"});
    let load = |records: Vec<Value>, code| {
        mirror.database.execute("DELETE FROM campuses; DELETE FROM ops.quarantine");
        mirror.workdir.write("campuses.ndjson", &text(records));
        let run = mirror
            .workdir
            .run("load-table", &["campus", "campuses.ndjson", "--max-rejects", "1"])
            .expect(code);
        (run.stderr.contains("the long way"), run.json())
    };
    let (is_long, summary) = load((1..50).map(campus).collect(), 0);
    assert_eq!((is_long, &summary["inserted"]), (false, &json!(49)));
    let (is_long, summary) = load((1..50).chain([7]).map(campus).collect(), 0);
    assert_eq!((is_long, &summary["inserted"], &summary["duplicates"]), (true, &json!(49), &json!(1)));
    let (is_long, summary) = load(vec![campus(1), json!({"id": 2, "users_count": "many"})], 3);
    assert_eq!((is_long, &summary["inserted"], &summary["rejected"]), (true, &json!(1), &json!(1)));
    // A column of somebody's own that must be filled, or one of another type, is nothing for the short way.
    mirror.database.execute("ALTER TABLE campuses ALTER COLUMN name TYPE varchar(9)");
    let (_, summary) = load((1..50).map(campus).collect(), 0);
    assert_eq!(summary["inserted"], 49);
}
