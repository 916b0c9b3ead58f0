//! Following what changed: fetching only, no database.

use serde_json::Value;
use std::collections::BTreeSet;
use testkit::{Mock, Run, Workdir};

/// The mock, and a folder whose tools speak to it.
struct School {
    mock: Mock,
    workdir: Workdir,
}

impl School {
    /// A school whose students have been exported.
    fn new(arguments: &[&str]) -> Self {
        let school = Self::without_exports(arguments);
        drop(school.workdir.run("fetch-cursus", &["--export", "campus"]).expect(0));
        drop(school.fetch(&["--export", "users"]).expect(0));
        school.mock.forget();
        school
    }

    fn without_exports(arguments: &[&str]) -> Self {
        let mock = Mock::start(arguments);
        let mut workdir = Workdir::new();
        workdir.set("API_ROOT", mock.url());
        workdir.set("CLIENT_ID", "u-s4t2ud-mock");
        workdir.set("CLIENT_SECRET", "s-s4t2ud-mock");
        Self { mock, workdir }
    }

    fn fetch(&self, arguments: &[&str]) -> Run {
        self.workdir.run("fetch-users", arguments)
    }

    /// Calls since the last time this was asked.
    fn calls(&self) -> u64 {
        let calls = self.mock.count("calls");
        self.mock.forget();
        calls
    }

    /// An instant before which nothing of what follows happens.
    fn now(&self) -> String {
        // The mock's clock is this host's, and its instants have milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(5));
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        std::thread::sleep(std::time::Duration::from_millis(5));
        now
    }

    /// What is printed of the changes since an instant.
    fn changes(&self, resource: &str, since: &str) -> Vec<Value> {
        self.fetch(&[resource, "--since", since]).expect(0).records()
    }
}

fn ids(records: &[Value], pointer: &str) -> BTreeSet<u64> {
    records.iter().filter_map(|record| record.pointer(pointer).and_then(Value::as_u64)).collect()
}

fn ids_of(moved: &Value) -> BTreeSet<u64> {
    moved.as_array().unwrap().iter().filter_map(Value::as_u64).collect()
}

#[test]
fn idle_costs_one_call_a_resource() {
    let school = School::new(&["--students", "300"]);
    let now = school.now();
    let live = school.workdir.run("init-db", &["--list", "--live"]).expect(0);
    let tables: Vec<_> = live.stdout.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(tables.len(), 5, "{live:#?}");
    for table in tables {
        assert_eq!(school.changes(table, &now), [] as [Value; 0]);
        assert_eq!(school.calls(), 1, "{table}");
    }
}

#[test]
fn changed_users_come_in_a_call_for_a_hundred() {
    let school = School::new(&["--students", "3000"]);
    // All of one move change in one millisecond: a tie costs its pages by id, and a call to find that it is one.
    for (updates, calls) in [(1, 1), (60, 1), (250, 5)] {
        let since = school.now();
        let moved = school.mock.moves(&format!(r#"{{"updates": {updates}}}"#));
        let changes = school.changes("users", &since);
        assert_eq!(ids(&changes, "/id"), ids_of(&moved["updates"]));
        assert!(changes.iter().all(|user| user.get("campus_id").is_none()), "a known campus is left alone");
        assert_eq!(school.calls(), calls, "{updates} updates");
    }
}
