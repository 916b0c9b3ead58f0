//! A mirror of its own for a test: a database with its tables, and a folder for exports.

use chrono::{DateTime, TimeDelta, Utc};
use exports::{Draft, Facts, Place, Scope, Window};
use serde_json::{Value, json};
use testkit::{Database, Run, Workdir};

pub(crate) struct Mirror {
    pub(crate) database: Database,
    pub(crate) workdir: Workdir,
}

impl Mirror {
    /// A mirror whose tables are empty.
    pub(crate) fn new() -> Self {
        let mirror = Self::without_tables();
        let _tables = mirror.workdir.run("init-db", &[]).expect(0);
        mirror
    }

    pub(crate) fn without_tables() -> Self {
        let (database, mut workdir) = (Database::create(), Workdir::new());
        workdir.set("DATABASE_URL", &database.url());
        Self { database, workdir }
    }

    /// Loads records from standard input, and checks that its counts add up.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Run {
        adding_up(self.workdir.feed("load-table", arguments, input))
    }

    /// Loads what must go well, and gives the summary.
    pub(crate) fn load(&self, table: &str, input: &str) -> Value {
        self.feed(&[table], input).expect(0).json()
    }

    /// Loads the export that was published.
    pub(crate) fn load_export(&self, table: &str, more: &[&str]) -> Run {
        adding_up(self.workdir.run("load-table", &[&[table, "--export"], more].concat()))
    }

    /// Publishes lines as a full and complete export whose walk started now.
    pub(crate) fn export(&self, file: &str, scope: Scope, lines: &[String]) {
        self.export_as(file, scope, lines, true, self.now());
    }

    pub(crate) fn export_as(
        &self,
        file: &str,
        scope: Scope,
        lines: &[String],
        complete: bool,
        started: DateTime<Utc>,
    ) {
        let place = Place::new(&self.workdir.path("exports"), file, scope);
        publish(&place, lines, complete, started, None);
    }

    /// Publishes lines as what changed in a window, read at an instant.
    pub(crate) fn changes(&self, file: &str, lines: &[String], window: Window, started: DateTime<Utc>) {
        let place = Place::new(&self.workdir.path("exports"), file, CURSUS).changes();
        publish(&place, lines, true, started, Some(window));
    }

    /// The server's clock, a moment from now, so that every row that is there is older.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let text = self.value(
            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        );
        text.parse::<DateTime<Utc>>().unwrap() + TimeDelta::microseconds(1)
    }

    pub(crate) fn value(&self, query: &str) -> String {
        self.database.value(query)
    }

    pub(crate) fn count(&self, from: &str) -> u64 {
        self.value(&format!("SELECT count(*) FROM {from}")).parse().unwrap()
    }

    /// Every version of every row of a table, with who wrote and who locked it: the same before and after when nothing
    /// was touched.
    pub(crate) fn versions(&self, table: &str) -> Vec<Value> {
        self.database.rows(&format!("SELECT ctid, xmin, xmax, t.* FROM {table} t ORDER BY ctid"))
    }
}

fn publish(place: &Place, lines: &[String], complete: bool, started: DateTime<Utc>, window: Option<Window>) {
    let mut draft = Draft::open(place).unwrap();
    lines.iter().for_each(|line| draft.write(line).unwrap());
    let total = Some(lines.len() as u64);
    let (kind, query) = (place.kind(), String::new());
    let (unresolved, calls, retries, throttled) = (0, 1, 0, 0);
    let facts =
        Facts { kind, complete, total, unresolved, query, calls, retries, throttled, started, window };
    draft.publish(facts).unwrap();
}

/// Checks the equation that the summary promises.
fn adding_up(run: Run) -> Run {
    if run.code == 0 || run.code == 3 {
        let summary = run.json();
        let sum = |names: &[&str]| names.iter().map(|name| summary[*name].as_u64().unwrap()).sum::<u64>();
        let records = sum(&["read", "released"]);
        let fates = sum(&["inserted", "updated", "unchanged", "stale", "quarantined", "rejected"])
            + sum(&["duplicates", "out_of_scope", "erased"]);
        assert_eq!(records, fates, "the counts do not add up: {run:#?}");
    }
    run
}

/// A student of campus 1, as the list of users gives one.
pub(crate) fn user(id: u64) -> Value {
    json!({
        "id": id, "login": format!("login{id}"), "kind": "student", "alumni?": false, "active?": true, "wallet": 5,
        "campus_id": 1, "image": {"link": null, "versions": {"large": "l"}}, "updated_at": "2025-06-01T00:00:00.000Z",
    })
}

/// A record with some members replaced.
pub(crate) fn with(mut record: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("{members} is no object") };
    record.as_object_mut().unwrap().extend(members);
    record
}

pub(crate) fn lines(records: impl IntoIterator<Item = Value>) -> Vec<String> {
    records.into_iter().map(|record| record.to_string()).collect()
}

pub(crate) fn text(records: impl IntoIterator<Item = Value>) -> String {
    lines(records).iter().map(|line| format!("{line}\n")).collect()
}

/// Campus 1 and 2.
pub(crate) fn campuses() -> String {
    text([json!({"id": 1, "name": "Here"}), json!({"id": 2, "name": "There"})])
}

pub(crate) const CURSUS: Scope = Scope { cursus: Some(21), campus: None };
pub(crate) const WORLD: Scope = Scope { cursus: None, campus: None };
