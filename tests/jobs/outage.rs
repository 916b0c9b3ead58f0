//! The database away, at the start, in the middle, at the end.

use crate::{Desk, say, signal, start, until};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use testkit::Workdir;

const NOWHERE: &str = "postgresql:///nowhere?host=/nonexistent&user=nobody";
const SPOOL: &str = "logs/.monitor_state/job_events.ndjson";

/// A desk whose database is away.
fn away() -> (Desk, String) {
    let mut desk = Desk::new();
    let url = desk.database.url();
    desk.workdir.set("DATABASE_URL", NOWHERE);
    (desk, url)
}

/// What a row says, but for who and when.
fn essence(mut row: Value) -> Value {
    let varying =
        ["id", "run", "seq", "job_name", "started_at", "heartbeat_at", "completed_at", "updated_at", "pid"];
    let row = row.as_object_mut().unwrap();
    varying.iter().for_each(|name| drop(row.remove(*name)));
    for ours in ["items_per_second", "lease"] {
        row.remove(ours);
    }
    row["metadata"].as_object_mut().unwrap().remove("bookkeeping_errors");
    Value::Object(row.clone())
}

#[test]
fn runs_while_the_database_is_away_are_brought_in_once_and_as_they_were() {
    let (mut desk, url) = away();
    let items =
        [r#"{"ev":"total","n":4}"#, r#"{"ev":"item","ok":true,"n":3}"#, r#"{"ev":"item","ok":false}"#];
    let line = format!("{} sleep 1.2; exit 3", items.map(say).concat());
    let run = desk.job("away", &line).expect(3);
    let run =
        run.complains(&["the run goes on, and is kept in", "job_events.ndjson", "cannot reach PostgreSQL"]);
    drop(desk.job("away", "exit 1").expect(1));
    drop(desk.job("other", "true").expect(0));
    let spool = desk.workdir.read(SPOOL);
    assert!(desk.rows("away").is_empty() && !spool.contains(&run.stderr));

    desk.workdir.set("DATABASE_URL", &url);
    drop(desk.workdir.run("job-monitor", &["summary"]).expect(1));
    assert!(!desk.workdir.path(SPOOL).exists());
    let rows = desk.rows("away");
    let found: Vec<_> = rows.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(found, ["partial", "failed"], "in their order");
    let seconds = "SELECT extract(epoch FROM completed_at - started_at) BETWEEN 1.2 AND 30
        AND now() - completed_at BETWEEN '0' AND '5 min' FROM ops.job_executions ORDER BY id LIMIT 1";
    assert_eq!(desk.database.value(seconds), "true");

    drop(desk.job("here", &line).expect(3));
    assert_eq!(essence(rows[0].clone()), essence(desk.row("here")), "as if nothing had been away");

    // As when the replay was killed after it had written, before the spool was removed.
    let before = desk.database.rows("SELECT * FROM ops.job_executions ORDER BY id");
    desk.workdir.write("logs/.monitor_state/job_events.replaying.ndjson", &spool);
    drop(desk.workdir.run("job-monitor", &["active"]).expect(0));
    assert_eq!(desk.database.rows("SELECT * FROM ops.job_executions ORDER BY id"), before);
}

#[test]
fn a_database_that_stops_in_mid_run_and_comes_back_after_it_knows_all_of_it() {
    let mut workdir = Workdir::new();
    std::fs::set_permissions(workdir.path(""), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    workdir.set("DB_DIR", &workdir.path("postgres").display().to_string());
    let db =
        |arguments: &[&str]| workdir.script("scripts/db.sh", arguments).expect(0).stdout.trim().to_owned();
    db(&["start"]);
    workdir.set("DATABASE_URL", &db(&["url"]));
    let db =
        |arguments: &[&str]| workdir.script("scripts/db.sh", arguments).expect(0).stdout.trim().to_owned();
    drop(workdir.run("init-db", &[]).expect(0));
    let item = say(r#"{"ev":"item","ok":true,"n":5}"#);
    let wait = |name: &str| format!("touch at_{name}; while ! [ -e {name} ]; do sleep 0.05; done;");
    let line = format!("{item} {} {item} {} {item} exit 3", wait("one"), wait("two"));
    let child = start(&workdir, "long", &line);
    let ask = |query: &str| db(&["shell", "-XAtc", query]);
    until("a start on record", || {
        ask("SELECT count(*) FROM ops.job_executions WHERE items_processed = 5") == "1"
    });
    db(&["stop"]);
    workdir.write("one", "");
    until("lines in the spool", || workdir.path(SPOOL).exists());
    workdir.write("two", "");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "the command knows nothing of it");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() == 1 && said.contains("the run goes on"), "{said}");
    drop(workdir.run("job-monitor", &["active"]).expect(69));

    db(&["start"]);
    drop(workdir.run("job-monitor", &["status", "--id", "1"]).expect(3));
    let row =
        ask("SELECT status, items_processed, exit_code, completed_at > started_at FROM ops.job_executions");
    let spooled = workdir.path(SPOOL).exists();
    db(&["stop"]);
    assert_eq!((row.as_str(), spooled), ("partial|15|3|t", false));
}

#[test]
fn a_database_that_comes_back_in_mid_run_hears_of_it() {
    let (mut desk, url) = away();
    // A socket that leads nowhere yet.
    let (parameters, folder) = (url.split_once('?').unwrap().1, desk.workdir.path("socket"));
    let real = parameters.split('&').find_map(|pair| pair.strip_prefix("host=")).unwrap().to_owned();
    let through = url.replace(&format!("host={real}"), &format!("host={}", folder.display()));
    desk.workdir.set("DATABASE_URL", &through);
    let mut child = start(&desk.workdir, "back", "while ! [ -e go ]; do sleep 0.05; done");
    until("a line in the spool", || desk.workdir.path(SPOOL).exists());
    std::os::unix::fs::symlink(real, folder).unwrap();
    desk.wait("SELECT string_agg(status, ' ') FROM ops.job_executions", "running");
    assert_eq!(desk.row("back")["metadata"]["bookkeeping_errors"], 1);
    desk.workdir.write("go", "");
    assert!(child.wait().unwrap().success());
    assert_eq!(desk.row("back")["status"], "completed");
    assert!(!desk.workdir.path(SPOOL).exists());
}

#[test]
fn a_database_that_hangs_holds_up_neither_the_start_nor_the_end_for_long() {
    let (mut desk, url) = away();
    // A server that takes connections and never says a word.
    std::fs::create_dir(desk.workdir.path("mute")).unwrap();
    let mute = std::os::unix::net::UnixListener::bind(desk.workdir.path("mute/.s.PGSQL.5432")).unwrap();
    let folder = desk.workdir.path("mute").display().to_string();
    desk.workdir.set("DATABASE_URL", &format!("postgresql:///x?host={folder}&user=nobody"));
    drop(desk.job("patient", "exit 3").expect(3).complains(&["the database does not answer"]));
    let run = desk.workdir.run("job-monitor", &["active"]).expect(69);
    assert!(run.stdout.is_empty());
    drop(run.complains(&["PostgreSQL does not answer"]));
    drop(mute);
    desk.workdir.set("DATABASE_URL", &url);
    drop(desk.workdir.run("job-monitor", &["active"]).expect(0));
    let row = desk.row("patient");
    assert_eq!((row["status"].as_str(), row["exit_code"].as_i64()), (Some("partial"), Some(3)), "{row:#}");
}

#[test]
fn without_a_database_there_is_still_only_one_run() {
    let (desk, _) = away();
    let mut child = start(&desk.workdir, "one", "touch ran; while ! [ -e go ]; do sleep 0.05; done");
    until("it runs", || desk.workdir.path("ran").exists());
    drop(desk.job("one", "true").expect(75).complains(&["another run of it is going on here"]));
    desk.workdir.write("go", "");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_run_that_was_killed_while_the_database_was_away_is_lost() {
    let (mut desk, url) = away();
    let mut child = start(&desk.workdir, "gone", "touch ran; sleep 300");
    until("it runs", || desk.workdir.path("ran").exists());
    signal(&child, "KILL");
    child.wait().unwrap();
    desk.workdir.set("DATABASE_URL", &url);
    drop(desk.job("gone", "true").expect(0));
    let rows = desk.rows("gone");
    let found: Vec<_> = rows.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(found, ["lost", "completed"], "{rows:#?}");
}

#[test]
fn what_makes_no_sense_in_the_spool_is_set_aside_and_holds_up_nothing() {
    let (mut desk, url) = away();
    drop(desk.job("before", "true").expect(0));
    let good = desk.workdir.read(SPOOL);
    let last = good.lines().last().unwrap();
    let run = good.split(r#""run":""#).nth(1).unwrap()[..36].to_owned();
    let (status, uuid) = (last.replace("completed", "nonsense"), last.replace(&run, "no uuid"));
    desk.workdir.write(SPOOL, &format!("{good}{status}\n{uuid}\n{{\"torn\":"));
    drop(desk.job("after", "true").expect(0));
    desk.workdir.set("DATABASE_URL", &url);
    let run = desk.workdir.run("job-monitor", &["history", "--json"]).expect(0);
    assert!(run.stderr.contains("3 lines of the spool make no sense"), "{run:#?}");
    assert_eq!(
        (desk.row("before")["status"].as_str(), desk.row("after")["status"].as_str()),
        (Some("completed"), Some("completed"))
    );
    let aside = desk.workdir.read("logs/.monitor_state/job_events.refused.ndjson");
    assert_eq!(aside.lines().count(), 3, "{aside}");
}

#[test]
fn a_replay_that_is_killed_anywhere_ends_as_one_that_was_not() {
    let (mut desk, url) = away();
    drop(desk.job("many", "true").expect(0));
    let good = desk.workdir.read(SPOOL);
    let run = good.split(r#""run":""#).nth(1).unwrap()[..36].to_owned();
    let copies = (0..400).map(|n| good.replace(&run, &format!("{:08x}{}", n, &run[8..])));
    desk.workdir.write(SPOOL, &copies.collect::<String>());
    desk.workdir.set("DATABASE_URL", &url);
    for delay in (1..12).map(|step| step * 37 % 90) {
        let mut command = desk.workdir.command("job-monitor");
        let mut child = command.arg("active").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    drop(desk.workdir.run("job-monitor", &["active"]).expect(0));
    assert!(!desk.workdir.path(SPOOL).exists());
    let counted = "SELECT count(*) || ' ' || count(DISTINCT run) || ' ' || min(status) || ' ' || max(status) FROM ops.job_executions";
    assert_eq!(desk.database.value(counted), "400 400 completed completed");
}
