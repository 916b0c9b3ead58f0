//! A backlog in a folder of its own, on either store, with tools that do as they are told.

use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use testkit::{Database, Run, Workdir};

/// The two stores; every scenario is the same on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Files,
    Postgres,
}

pub(crate) const BOTH: [Store; 2] = [Store::Files, Store::Postgres];

/// Fetches as told: `fail_ID` in the folder of wishes gives the exit code of a batch that holds ID, `absent_ID` leaves it
/// out, `slow` waits so many seconds first. What was fetched is in `fetched`, a batch a line.
const FETCH: &str = r#"#!/bin/sh
ids=$(cat)
wishes=${WISHES:?}
slow=$(cat "$wishes/slow" 2>/dev/null)
[ ! -e "$wishes/started" ] || : >"$wishes/running"
if [ -n "$slow" ]; then
    sleep "$slow" &
    trap 'kill $!; exit 143' TERM
    wait $!
fi
for id in $ids; do
    [ ! -e "$wishes/fail_$id" ] || { echo "fetch-users: user $id: no" >&2; exit "$(cat "$wishes/fail_$id")"; }
done
[ ! -e "$wishes/fail" ] || { echo "fetch-users: away" >&2; exit "$(cat "$wishes/fail")"; }
echo "$1" $ids >>"$wishes/fetched"
for id in $ids; do [ -e "$wishes/absent_$id" ] || echo "{\"id\": $id}"; done
"#;

/// Loads as told: what was loaded is in `loaded`, table and number of lines; `load_fail` gives its exit code.
const LOAD: &str = r#"#!/bin/sh
wishes=${WISHES:?}
if [ "$2" = --missing ]; then
    [ ! -e "$wishes/missing_fail" ] || { echo "load-table: away" >&2; exit "$(cat "$wishes/missing_fail")"; }
    cat "$wishes/missing" 2>/dev/null; exit 0
fi
lines=$(cat)
[ ! -e "$wishes/load_fail" ] || { echo "load-table: $1: no" >&2; exit "$(cat "$wishes/load_fail")"; }
echo "$lines" | sed -nE "s/.*: ([0-9]+)\}/$1 \1/p" >>"$wishes/loaded"
"#;

/// One backlog.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) workdir: Workdir,
    pub(crate) database: Option<Database>,
}

impl Desk {
    /// An empty backlog whose tools do what they are told.
    pub(crate) fn new(store: Store) -> Self {
        let database = (store == Store::Postgres).then(Database::create);
        let desk = Self::beside(database);
        if store == Store::Postgres {
            drop(desk.workdir.run("init-db", &[]).expect(0));
        }
        desk
    }

    /// A folder of its own, on this database.
    pub(crate) fn beside(database: Option<Database>) -> Self {
        let mut workdir = Workdir::new();
        if let Some(database) = &database {
            workdir.set("DATABASE_URL", &database.url());
            workdir.set("BACKLOG_STORE", "postgres");
        }
        let mut desk = Self { workdir, database };
        desk.tool("fetch-users", FETCH);
        desk.tool("load-table", LOAD);
        let path = format!("{}:/usr/bin:/bin", desk.workdir.path("tools").display());
        desk.workdir.set("PATH", &path);
        desk.workdir.set("WISHES", &desk.workdir.path("wishes").display().to_string());
        desk.workdir.set("BACKLOG_RETRY_DELAY", "3600");
        desk.workdir.write("wishes/fetched", "");
        desk.workdir.write("wishes/loaded", "");
        desk
    }

    pub(crate) fn tool(&self, name: &str, script: &str) {
        self.workdir.write(&format!("tools/{name}"), script);
        let path = self.workdir.path(&format!("tools/{name}"));
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Tells the tools what to do.
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts read better without &")]
    pub(crate) fn wish(&self, name: &str, text: impl ToString) {
        self.workdir.write(&format!("wishes/{name}"), &text.to_string());
    }

    /// Takes a wish back.
    pub(crate) fn no_more(&self, name: &str) {
        std::fs::remove_file(self.workdir.path(&format!("wishes/{name}"))).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.workdir.run("backlog", arguments)
    }

    /// Runs a command that prints an object.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).expect(0).json()
    }

    pub(crate) fn add(&self, ids: impl IntoIterator<Item = i64>) {
        let lines: String = ids.into_iter().map(|id| format!("{id}\n")).collect();
        drop(self.workdir.feed("backlog", &["add", "-"], &lines).expect(0));
    }

    pub(crate) fn status(&self) -> Value {
        self.json(&["status"])
    }

    /// depth, dead, processed.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let status = self.status();
        ["depth", "dead", "processed"].map(|name| status[name].as_u64().unwrap())
    }

    /// The ids of a list, in its order.
    pub(crate) fn ids(&self, command: &str) -> Vec<i64> {
        let run = self.run(&[command, "--json"]).expect(0);
        run.records().iter().map(|item| item["id"].as_i64().unwrap()).collect()
    }

    /// How often each id's own record was loaded.
    pub(crate) fn loaded(&self) -> BTreeMap<i64, usize> {
        let mut times = BTreeMap::new();
        for line in self.workdir.read("wishes/loaded").lines() {
            if let Some(id) = line.strip_prefix("users ") {
                *times.entry(id.parse().unwrap()).or_insert(0) += 1;
            }
        }
        times
    }

    /// The batches of people that were fetched.
    pub(crate) fn batches(&self) -> Vec<Vec<i64>> {
        let text = self.workdir.read("wishes/fetched");
        let people = text.lines().filter_map(|line| line.strip_prefix("users "));
        people.map(|line| line.split(' ').map(|id| id.parse().unwrap()).collect()).collect()
    }

    pub(crate) fn log(&self) -> String {
        self.workdir.read("logs/backlog.log")
    }
}
