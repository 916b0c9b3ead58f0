//! check-integrity on a mirror that was made by the real tools from the mock.
//!
//! - `faults`: each check: one fault, one finding, its own command, resolved; again, reopened.
//! - `doubt`: what is never green: nothing, something old, something that failed.
//! - `bodies`: the documented bodies, thresholds, bounds.
//! - `traces`: what runs leave, and that a dry one leaves nothing.
//! - `alerts`: who is told, once, and what happens when he is away.
//! - `cron`: the script. `growth`: how much is read.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod alerts;
mod bodies;
mod cron;
mod doubt;
mod faults;
mod growth;
mod receiver;
mod traces;

use end_to_end::{HANGING, NIGHTLY, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::{Database, Run, Workdir};

/// A mirror that has been there for three days.
struct Rig {
    world: World,
    /// What is found in it without a fault of ours: some parents the API gives to nobody.
    usual: BTreeSet<String>,
}

impl Rig {
    fn new() -> Self {
        Self::with(World::new(&["--students", "120"]))
    }

    /// Mirrors a world, and lets three days pass.
    fn with(world: World) -> Self {
        for line in world.run("init-db", &["--list"]).expect(0).stdout.lines() {
            let mut words = line.split('\t');
            let (table, tool) = (words.next().unwrap(), words.next().unwrap());
            drop(world.mirror(tool, table));
        }
        let mut rig = Self { world, usual: BTreeSet::new() };
        rig.age();
        rig.usual = rig.found(&[]);
        rig
    }

    /// What is in the database came three days earlier; the walks that it came by did not begin earlier, or they were late.
    fn age(&self) {
        let tables = NIGHTLY.into_iter().chain(HANGING);
        let rows =
            tables.map(|table| format!("UPDATE {table} SET ingested_at = ingested_at - interval '3 days';"));
        let rows: String = rows.collect();
        self.world.database.execute(&format!(
            "{rows} UPDATE ops.loads SET started_at = started_at - interval '3 days',
                 finished_at = finished_at - interval '3 days';
             UPDATE ops.quarantine SET first_seen = first_seen - interval '3 days'"
        ));
    }

    fn check(&self, arguments: &[&str]) -> Run {
        self.world.run("check-integrity", arguments)
    }

    /// The report of a run in which every check was done, whatever was found.
    fn report(&self, arguments: &[&str]) -> Value {
        let run = self.check(&[&["run"], arguments].concat());
        assert!(run.code < 3, "{run:#?}");
        run.json()
    }

    /// What a run finds: `check table subject`.
    fn found(&self, arguments: &[&str]) -> BTreeSet<String> {
        names(&self.report(arguments)["violations"])
    }

    /// The only finding that is not usual.
    fn only(&self, arguments: &[&str]) -> Value {
        let report = self.report(arguments);
        let findings = report["violations"].as_array().unwrap().iter();
        let mut new: Vec<&Value> = findings.filter(|finding| !self.usual.contains(&name(finding))).collect();
        assert_eq!(new.len(), 1, "{new:#?}");
        new.remove(0).clone()
    }

    fn execute(&self, sql: &str) {
        self.world.database.execute(sql);
    }

    fn value(&self, query: &str) -> String {
        self.world.database.value(query)
    }

    /// Takes the exports of resources away, given by their files' names.
    fn forget_exports(&self, files: &[&str]) {
        for file in files {
            let path = self.world.workdir.path(&format!("exports/{file}"));
            if path.exists() {
                std::fs::remove_dir_all(path).unwrap();
            }
        }
    }

    /// Changes the manifest of an export, given by its folder below `exports`.
    fn change_manifest(&self, folder: &str, members: &Value) {
        let path = format!("exports/{folder}/all.manifest.json");
        let mut manifest: Value = serde_json::from_str(&self.world.workdir.read(&path)).unwrap();
        manifest.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.world.workdir.write(&path, &manifest.to_string());
    }
}

fn name(finding: &Value) -> String {
    format!("{} {} {}", finding["check"], finding["table"], finding["subject"])
}

fn names(findings: &Value) -> BTreeSet<String> {
    findings.as_array().unwrap().iter().map(name).collect()
}

/// A database with one table of things, of which a claim says that all have names.
struct Things {
    database: Database,
    workdir: Workdir,
}

const THINGS: &str = r#"
about = "Things"
table = "things"
group = "cursus"
key = ["id"]
columns = [{ name = "id", type = "bigint", null = false }, { name = "name", type = "text" }]
[fetch]
path = "/v2/things"
[[claim]]
name = "things_have_names"
about = "Each thing has a name"
severity = "warning"
needs = ["things.name"]
left = "things.id"
right = "things.name"
mend = "reload_export"
sql = "SELECT CASE WHEN name IS NULL THEN jsonb_build_object('id', id) END AS subject, id AS left_value, name AS right_value FROM things"
"#;

impl Things {
    fn new() -> Self {
        let (database, mut workdir) = (Database::create(), Workdir::new());
        workdir.set("DATABASE_URL", &database.url());
        let folder = workdir.path("catalog").display().to_string();
        workdir.set("CATALOG_DIR", &folder);
        workdir.write("catalog/01_things.toml", THINGS);
        drop(workdir.run("init-db", &[]).expect(0));
        Self { database, workdir }
    }

    /// So many things, the first ones of them without a name.
    fn fill(&self, things: u32, nameless: u32) {
        self.database.execute(&format!(
            "TRUNCATE things; INSERT INTO things (id, name)
             SELECT n, CASE WHEN n > {nameless} THEN 'thing' END FROM generate_series(1, {things}) n"
        ));
    }

    fn check(&self, arguments: &[&str]) -> Run {
        self.workdir.run("check-integrity", arguments)
    }

    /// Lets time pass over what runs have left.
    fn wait(&self, minutes: u32) {
        let back = format!("interval '{minutes} minutes'");
        self.database.execute(&format!(
            "UPDATE ops.integrity_runs SET started_at = started_at - {back}, finished_at = finished_at - {back};
             UPDATE ops.integrity_checks SET checked_at = checked_at - {back}"
        ));
    }
}

/// What both ways of asking say of the whole.
fn assert_status(run: &Run, status: &str, attention: bool) {
    let body = run.json();
    assert_eq!(
        (&body["status"], &body["requires_attention"]),
        (&json!(status), &json!(attention)),
        "{body:#}"
    );
}
