//! What runs leave: rows, files that are whole and nobody else's, and nothing after a dry run.

use crate::Things;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

const FOLDER: &str = "logs/integrity_checks";

impl Things {
    /// Names of the files that runs have left, of those that are whole.
    fn files(&self) -> Vec<String> {
        let folder = self.workdir.path(FOLDER);
        let names = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_run_that_finds_something_leaves_a_file_and_every_run_is_the_latest() {
    let things = Things::new();
    things.fill(100, 0);
    let clean = things.check(&["run"]).expect(0).json();
    assert_eq!(things.files(), ["latest.json"]);
    let latest =
        || serde_json::from_str::<Value>(&things.workdir.read(&format!("{FOLDER}/latest.json"))).unwrap();
    assert_eq!(latest(), clean);
    things.fill(100, 1);
    let found = things.check(&["run"]).expect(0).json();
    assert_eq!(latest(), found);
    let files = things.files();
    let stamp = found["timestamp"].as_str().unwrap()[..19].replace(['-', ':'], "").replace('T', "_");
    assert_eq!(files, [format!("{stamp}_violations.json"), "latest.json".to_owned()]);
    let text = things.workdir.read(&format!("{FOLDER}/{}", files[0]));
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), found);
    for (path, mode) in [
        (FOLDER.to_owned(), 0o700),
        (format!("{FOLDER}/latest.json"), 0o600),
        (format!("{FOLDER}/{}", files[0]), 0o600),
    ] {
        let permissions = things.workdir.path(&path).metadata().unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{path}");
    }
    // Of some checks only: told in a file of its own, and not as how the whole is.
    things.fill(100, 50);
    drop(things.check(&["run", "--check", "things_have_names"]).expect(2));
    assert_eq!(latest(), found);
    assert_eq!(
        things.database.value("SELECT string_agg(whole::text, ' ' ORDER BY id) FROM ops.integrity_runs"),
        "true true false"
    );
    // But what it saw counts.
    assert_eq!(things.check(&["status"]).expect(2).json()["status"], "critical");
}

#[test]
fn a_dry_run_leaves_nothing() {
    let things = Things::new();
    things.fill(100, 1);
    let report = things.check(&["run", "--dry-run"]).expect(0).json();
    assert_eq!(
        (&report["dry_run"], &report["violations"][0]["check"]),
        (&Value::Bool(true), &Value::from("things_have_names"))
    );
    assert!(!things.workdir.path("logs").exists());
    for table in ["runs", "checks", "violations"] {
        assert_eq!(things.database.value(&format!("SELECT count(*) FROM ops.integrity_{table}")), "0");
    }
    drop(things.check(&["repair", "--dry-run"]).expect(0));
    assert!(!things.workdir.path("logs").exists());
    drop(things.check(&["run"]).expect(0));
    let known = things.check(&["run", "--dry-run"]).expect(0).json();
    assert_eq!(known["violations"][0]["times_seen"], 2, "as it would be: {known:#}");
}

#[test]
fn a_name_that_is_taken_is_left_alone() {
    let things = Things::new();
    things.fill(100, 1);
    let now =
        things.database.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
    let now: chrono::DateTime<chrono::Utc> = now.parse().unwrap();
    let names = (0..120).map(|second| {
        let at = now + chrono::TimeDelta::seconds(second);
        format!("{}_violations.json", at.format("%Y%m%d_%H%M%S"))
    });
    let names: Vec<String> = names.collect();
    for name in &names {
        things.workdir.write(&format!("{FOLDER}/{name}"), "\"somebody else's\"");
    }
    drop(things.check(&["run"]).expect(0));
    drop(things.check(&["run"]).expect(0));
    let others: Vec<String> =
        things.files().into_iter().filter(|name| !names.contains(name) && name != "latest.json").collect();
    assert_eq!(others.len(), 2, "{others:?}");
    assert!(
        others
            .iter()
            .all(|name| name.ends_with("_violations_2.json") || name.ends_with("_violations_3.json")),
        "{others:?}"
    );
    assert!(
        names.iter().all(|name| things.workdir.read(&format!("{FOLDER}/{name}")) == "\"somebody else's\"")
    );
}

#[test]
fn runs_at_once_each_leave_a_file_and_nobody_ever_sees_half_of_one() {
    let things = Things::new();
    things.fill(20_000, 900);
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::SeqCst) {
                let Ok(folder) = std::fs::read_dir(things.workdir.path(FOLDER)) else { continue };
                for path in folder.map(|entry| entry.unwrap().path()) {
                    if path.extension().is_some_and(|extension| extension == "json") {
                        let text = std::fs::read_to_string(&path).unwrap();
                        let whole = serde_json::from_str::<Value>(&text);
                        assert!(whole.is_ok(), "{}: {} bytes", path.display(), text.len());
                        seen += 1;
                    }
                }
            }
            seen
        });
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| drop(things.check(&["run"]).expect(1)))).collect();
        let ended: Vec<_> = runs.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        assert!(ended.iter().all(Result::is_ok));
        reader.join().unwrap()
    });
    assert!(seen > 6, "the reader read {seen} files");
    assert_eq!(things.files().len(), 7, "{:?}", things.files());
    let times =
        "SELECT min(times_seen) || ' ' || max(times_seen) || ' ' || count(*) FROM ops.integrity_violations";
    assert_eq!(things.database.value(times), "6 6 900", "one after the other");
}

#[test]
fn what_is_older_than_thirty_days_goes() {
    let things = Things::new();
    things.fill(100, 2);
    drop(things.check(&["run"]).expect(1));
    things.fill(100, 0);
    drop(things.check(&["run"]).expect(0));
    things.database.execute(
        "UPDATE ops.integrity_violations SET resolved_at = now() - interval '31 days' WHERE subject LIKE '%1%';
         UPDATE ops.integrity_runs SET finished_at = finished_at - interval '31 days'",
    );
    let old = things.files()[0].clone();
    drop(
        things
            .workdir
            .shell(&format!(
                "touch -d '31 days ago' {FOLDER}/{old}; touch -d '31 days ago' {FOLDER}/mine.json"
            ))
            .expect(0),
    );
    drop(things.check(&["run"]).expect(0));
    assert_eq!(things.files(), ["latest.json", "mine.json"], "only what is ours");
    assert_eq!(things.database.value("SELECT count(*) FROM ops.integrity_violations"), "1");
    assert_eq!(things.database.value("SELECT count(*) FROM ops.integrity_runs"), "1");
}

#[test]
fn checks_that_there_are_no_more_are_forgotten() {
    let things = Things::new();
    things.fill(100, 10);
    drop(things.check(&["run"]).expect(2));
    let without = crate::THINGS.split("[[claim]]").next().unwrap().to_owned();
    things.workdir.write("catalog/01_things.toml", &without);
    drop(things.check(&["run"]));
    assert_eq!(things.database.value("SELECT count(*) FROM ops.integrity_violations"), "0");
    assert_eq!(things.check(&["status"]).json()["total_violations"], 0);
}

#[test]
fn a_full_disk_and_a_closed_pipe_are_errors() {
    let things = Things::new();
    things.fill(10, 0);
    let run = things.workdir.shell("check-integrity run > /dev/full");
    assert!(run.code == 4 && run.stderr.contains("standard output"), "{run:#?}");
    things.workdir.write("notadir", "");
    let run = things.workdir.shell("LOGS_DIR=notadir check-integrity run");
    assert!(run.code == 4 && run.stderr.contains("notadir/integrity_checks"), "{run:#?}");
}

#[test]
fn one_repair_at_a_time() {
    let things = Things::new();
    things.fill(10, 0);
    let mut other = things.database.connect();
    other.batch_execute("SELECT pg_advisory_lock(43, 2)").unwrap();
    drop(things.check(&["repair"]).expect(75).complains(&["another repair is going on"]));
    other.batch_execute("SELECT pg_advisory_unlock(43, 2)").unwrap();
    drop(things.check(&["repair"]).expect(0));
}

#[test]
fn a_command_that_fails_fails_the_repair_and_not_the_others() {
    let things = Things::new();
    things.fill(100, 2);
    assert_eq!(things.check(&["repair", "--dry-run"]).expect(1).stdout, "load-table things --export\n");
    let repair = things.check(&["repair"]).expect(4).json();
    assert_eq!(
        (&repair["repairs"][0]["exit_code"], repair["repairs"].as_array().unwrap().len()),
        (&Value::from(74), 1)
    );
    assert_eq!(
        (&repair["before"]["inconsistent"], &repair["after"]["inconsistent"]),
        (&Value::from(2), &Value::from(2))
    );
}
