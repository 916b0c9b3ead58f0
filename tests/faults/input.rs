//! Records that are cut, odd, or not as they used to be.

use crate::calls::some;
use crate::fault::{Fault, dice, rounds};
use catalog::{Catalog, Column, Resource, Type};
use end_to_end::{HANGING, NIGHTLY, World};
use serde_json::{Value, json};

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

#[test]
fn real_records_cut_at_any_byte_are_refused_unless_the_cut_is_between_two() {
    let world = World::new(&["--students", "20"]);
    let records = world.mock.all("/v2/achievements");
    let whole = lines(&records[..3]);
    let mut fault = Fault::of(15);
    for end in some(61).map(|end| end as usize).take_while(|end| *end < whole.len()) {
        std::fs::write(world.workdir.path("cut.ndjson"), &whole.as_bytes()[..end]).unwrap();
        let run = world.run("load-table", &["achievements", "cut.ndjson"]);
        let (before, last) = whole.as_bytes().split_at(end);
        // A record that lacks only its line feed is whole.
        let is_whole = before.ends_with(b"\n") || last.starts_with(b"\n");
        assert_eq!(run.code, if is_whole { 0 } else { 65 }, "cut after {end} bytes: {run:#?}");
        if !is_whole {
            drop(run.complains(&["load-table: achievements: cut.ndjson line ", "nothing was written"]));
            fault.happened(1);
        }
    }
    drop(world.mirror("fetch-cursus", "achievements"));
    fault.survived(&world, &["achievements"]);
}

/// A good record, and one with this member.
fn with(member: &str) -> String {
    format!("{{\"id\": 900000001, \"name\": \"good\"}}\n{{\"id\": 900000002, {member}}}\n")
}

#[test]
fn legal_json_that_postgresql_cannot_hold_is_set_aside_or_refused_and_never_made_up() {
    let world = World::new(&["--students", "20"]);
    drop(world.mirror("fetch-cursus", "coalitions"));
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let mut fault = Fault::of(17);
    // A record of which one member is this is set aside, and the others are loaded.
    for (member, reason) in [
        (r#""name": "a\u0000b""#, "which PostgreSQL cannot hold"),
        (r#""name": "\ud800""#, "column name: "),
        (r#""score": 1e400"#, "number out of range"),
        (r#""score": 12345678901234567890123"#, "out of range for integer"),
        (r#""score": 1.5"#, "1.5 is no integer"),
        (&format!(r#""score": {deep}"#), "recursion limit"),
    ] {
        let run = world.workdir.feed("load-table", &["coalitions"], &with(member)).expect(3);
        fault.happened(1);
        assert_eq!(run.json()["rejected"], 1, "{member}");
        let told = world.database.value("SELECT string_agg(reason, ' ') FROM ops.quarantine");
        assert!(told.starts_with("line 2, column ") && told.contains(reason), "{member}: {told}");
        let held = world.database.value("SELECT string_agg(name, ' ') FROM coalitions WHERE id >= 900000001");
        assert_eq!(held, "good", "{member}");
        world.database.execute("DELETE FROM coalitions WHERE id >= 900000001; DELETE FROM ops.quarantine");
    }
    // Nobody can say whose record this is.
    let run = world.workdir.feed("load-table", &["coalitions"], &with(r#""\ud800": 1"#)).expect(65);
    drop(run.complains(&["load-table: coalitions: stdin line 2 column 1: ", "a name that is no text"]));
    fault.happened(1);
    // The last of two equal keys counts, in a table as in a browser.
    let twice = "{\"id\": 900000001, \"name\": \"first\", \"name\": \"last\"}\n";
    drop(world.workdir.feed("load-table", &["coalitions"], twice).expect(0));
    assert_eq!(world.database.value("SELECT name FROM coalitions WHERE id = 900000001"), "last");
    fault.happened(1);
    drop(world.mirror("fetch-cursus", "coalitions"));
    fault.survived(&world, &["coalitions"]);
}

/// A value that a column of this type cannot hold.
fn misfit(column: &Column) -> Value {
    if column.kind == Type::Text { json!([1]) } else { json!("drifted") }
}

/// Replaces, or takes away, what stands at a pointer, where anything can.
fn drift(record: &mut Value, pointer: &str, value: Option<&Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let Some(Value::Object(members)) = record.pointer_mut(parent) else { return };
    match value {
        Some(value) => drop(members.insert(key.to_owned(), value.clone())),
        None => drop(members.shift_remove(key)),
    }
}

/// What a feed looks like when one of its columns drifts away.
struct Feed<'a> {
    world: &'a World,
    table: &'a str,
    records: Vec<Value>,
}

impl Feed<'_> {
    fn drifted(&self, change: impl Fn(usize, &mut Value)) -> String {
        let mut records = self.records.clone();
        records.iter_mut().enumerate().for_each(|(index, record)| change(index, record));
        lines(&records)
    }

    fn load(&self, input: &str, code: i32) -> testkit::Run {
        let run = self.world.workdir.feed("load-table", &[self.table], input);
        assert_eq!(run.code, code, "{}: {run:#?}", self.table);
        run
    }

    /// Whether a column has a type to miss, in most of the records, is no part of another one, and does not say who is in
    /// scope.
    fn can_drift(&self, resource: &Resource, column: &Column) -> bool {
        let there = self.records.iter().filter(|record| record.pointer(&column.from).is_some()).count();
        let is_scope = resource.scope.contains_key(&column.from);
        let holds = |other: &Column| {
            other.kind == Type::Jsonb && column.from.starts_with(&format!("{}/", other.from))
        };
        let is_part = resource.columns.iter().any(holds);
        column.kind != Type::Jsonb && !is_part && !is_scope && 2 * there > self.records.len()
    }

    /// A member that is gone leaves its column alone; one that is new is no matter; one of another type is refused
    /// everywhere and set aside where it is one.
    fn survives(&self, column: &Column, fault: &mut Fault) {
        let before = self.world.digest(self.table);
        let misfit = misfit(column);
        let gone = self.drifted(|_, record| drift(record, &column.from, None));
        // Some may wait for a parent, as they do without any drift.
        let usual = self.world.workdir.feed("load-table", &[self.table], &lines(&self.records)).code;
        if column.null {
            assert_eq!(self.load(&gone, usual).json()["updated"], 0, "{} {}", self.table, column.name);
        }
        let added = self.drifted(|_, record| drift(record, "/brand_new", Some(&json!({"a": [1]}))));
        assert_eq!(self.load(&added, usual).json()["updated"], 0, "{}", self.table);
        let retyped = self.drifted(|_, record| drift(record, &column.from, Some(&misfit)));
        let run = self.load(&retyped, 65);
        drop(run.complains(&[&format!("column {}", column.name), "nothing was written", "--max-rejects"]));
        let first = self.records.iter().position(|record| record.pointer(&column.from).is_some());
        let one = self.drifted(|index, record| {
            if Some(index) == first {
                drift(record, &column.from, Some(&misfit));
            }
        });
        assert_eq!(self.load(&one, 3).json()["rejected"], 1, "{} {}", self.table, column.name);
        assert_eq!(self.world.digest(self.table), before, "{} {}", self.table, column.name);
        fault.happened(3 + u64::from(column.null));
    }
}

#[test]
fn a_feed_that_drifts_writes_nothing_that_is_wrong_and_the_next_one_is_right() {
    let world = World::new(&["--students", "60"]);
    let (catalog, (mut dice, seed)) = (Catalog::load().unwrap(), dice());
    let tables: Vec<&str> = NIGHTLY.into_iter().chain(HANGING).collect();
    let all = rounds(1) > 1;
    // In the short form, a column of each of three tables.
    let tables = if all { tables } else { vec!["campuses", "users", "cursus_users"] };
    drop(crate::fault::nightly(&world, &[&["cursus", "campuses", "users"][..], &tables].concat()));
    let mut fault = Fault::of(36);
    println!("{seed}");
    for table in &tables {
        let resource = catalog.find(table).unwrap();
        let Some(export) = export_of(&world, &resource.file) else { panic!("{table} was not exported") };
        let records = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let feed = Feed { world: &world, table, records };
        let typed: Vec<&Column> =
            resource.columns.iter().filter(|column| feed.can_drift(resource, column)).collect();
        let first = if all { 0 } else { dice.below(typed.len() as u32) as usize };
        let count = if all { typed.len() } else { 1 };
        for column in &typed[first..first + count] {
            feed.survives(column, &mut fault);
        }
    }
    world.database.execute("DELETE FROM ops.quarantine");
    fault.survived(&world, &tables);
}

fn export_of(world: &World, file: &str) -> Option<String> {
    let below = [format!("exports/{file}/all.ndjson"), format!("exports/{file}/cursus_21/all.ndjson")];
    let path = below.iter().find(|path| world.workdir.path(path).exists())?;
    Some(world.workdir.read(path))
}

#[test]
fn a_list_that_ends_too_early_deletes_nothing_that_is_there() {
    let world = World::new(&["--students", "300"]);
    drop(world.mirror("fetch-cursus", "achievements"));
    let before = world.digest("achievements");
    let mut fault = Fault::of(35);
    // Nothing tells that more should come: half a page is a last page.
    world.mock.faults(r#"[{"kind": "short_page", "path": "/v2/achievements", "skip": 3, "times": 1}]"#);
    world.mock.switch(r#"{"x_total": "off"}"#);
    drop(world.run("fetch-cursus", &["--export", "--force", "achievements"]).expect(0));
    let fired = world.mock.stats()["faults_fired"]["short_page"].as_u64().unwrap();
    fault.happened(fired);
    let run = world.run("load-table", &["achievements", "--export"]).expect(65);
    drop(run.complains(&["load-table: achievements: ", "lacks 802 of 1152 rows", "--max-prune"]));
    assert_eq!(world.digest("achievements"), before);
    world.mock.switch(r#"{"x_total": "on"}"#);
    drop(world.mirror("fetch-cursus", "achievements"));
    fault.survived(&world, &["achievements"]);
}
