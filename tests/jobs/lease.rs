//! Two at once, and runs that were killed.

use crate::{Desk, alive, say, signal, start, until};
use serde_json::json;
use testkit::Workdir;

const WAIT: &str = "while ! [ -e go ]; do sleep 0.05; done";

/// How many rows a job has, and how they stand.
fn standing(desk: &Desk, job: &str) -> String {
    let query = "SELECT coalesce(string_agg(status, ' ' ORDER BY id), '') FROM ops.job_executions";
    desk.database.value(&format!("{query} WHERE job_name = '{job}'"))
}

/// Lets a while pass for the database: the heartbeat of what runs is minutes old.
fn let_pass(desk: &Desk, minutes: f64) {
    let shift = format!("interval '{} seconds'", minutes * 60.0);
    desk.database.execute(&format!(
        "UPDATE ops.job_executions SET started_at = started_at - {shift}, heartbeat_at = heartbeat_at - {shift}
         WHERE status = 'running'"
    ));
}

/// Another host on the same database: a folder of its own, so that only the database is shared.
fn elsewhere(desk: &Desk) -> Workdir {
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", &desk.database.url());
    workdir
}

#[test]
fn of_many_that_start_at_once_one_runs_and_leaves_a_row() {
    let desk = Desk::new();
    let children: Vec<_> = (0..8).map(|_| start(&desk.workdir, "one", "echo ran >>log; sleep 1")).collect();
    let mut codes: Vec<_> =
        children.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 75, 75, 75, 75, 75, 75, 75]);
    assert_eq!((standing(&desk, "one").as_str(), desk.workdir.read("log").as_str()), ("completed", "ran\n"));
}

#[test]
fn of_many_hosts_one_runs_and_the_others_are_told_who() {
    let desk = Desk::new();
    let hosts: Vec<_> = (0..5).map(|_| elsewhere(&desk)).collect();
    let children: Vec<_> = hosts.iter().map(|host| start(host, "one", "echo ran >log; sleep 2")).collect();
    let mut busy = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        if output.status.code() == Some(75) {
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.starts_with("job-run: one: run ") && said.lines().count() == 1, "{said}");
            busy += 1;
        } else {
            assert_eq!(output.status.code(), Some(0));
        }
    }
    let ran = hosts.iter().filter(|host| host.path("log").exists()).count();
    assert_eq!((busy, ran, standing(&desk, "one").as_str()), (4, 1, "completed"));
}

#[test]
fn what_a_killed_job_run_was_running_ends_and_the_next_start_works_at_once() {
    let desk = Desk::new();
    let mut child = desk.start("killed", "sh -c 'echo $$ >pid; exec sleep 300' | cat");
    until("a pid", || std::fs::read_to_string(desk.workdir.path("pid")).is_ok_and(|pid| !pid.is_empty()));
    signal(&child, "KILL");
    child.wait().unwrap();
    until("what it ran ends", || !alive(desk.workdir.read("pid").trim()));
    drop(desk.job("killed", "true").expect(0));
    let rows = desk.rows("killed");
    assert_eq!(standing(&desk, "killed"), "lost completed", "{rows:#?}");
    assert_eq!(rows[0]["completed_at"], rows[0]["heartbeat_at"], "closed where it was last heard of");
}

#[test]
fn a_run_without_a_heartbeat_is_lost_after_two_minutes_and_not_before() {
    let desk = Desk::new();
    let mut child = desk.start("gone", "sleep 300");
    signal(&child, "KILL");
    child.wait().unwrap();
    let other = elsewhere(&desk);
    drop(other.run("job-run", &["--job", "gone", "--", "true"]).expect(75));
    let_pass(&desk, 1.8);
    drop(other.run("job-run", &["--job", "gone", "--", "true"]).expect(75));
    drop(desk.workdir.run("job-monitor", &["active"]).expect(0));
    assert_eq!(standing(&desk, "gone"), "running");
    let_pass(&desk, 0.3);
    drop(other.run("job-run", &["--job", "gone", "--", "true"]).expect(0));
    let rows = desk.rows("gone");
    assert_eq!(standing(&desk, "gone"), "lost completed", "{rows:#?}");
    assert_eq!(rows[0]["completed_at"], rows[0]["heartbeat_at"]);
    assert_eq!(rows[0]["error_message"], "no heartbeat: killed, or its host is gone");
}

#[test]
fn the_monitor_closes_what_is_lost_and_what_may_only_read_shows_it_all_the_same() {
    let desk = Desk::new();
    let mut child = desk.start("gone", "sleep 300");
    signal(&child, "KILL");
    child.wait().unwrap();
    let_pass(&desk, 3.0);
    let mut reader = elsewhere(&desk);
    reader.set(
        "DATABASE_URL",
        &format!("{}&options=-c%20default_transaction_read_only%3Don", desk.database.url()),
    );
    let run = reader.run("job-monitor", &["active"]).expect(0);
    assert_eq!(run.stdout, "No active jobs running\n");
    let shown = reader.run("job-monitor", &["history", "--json"]).expect(0).json();
    assert_eq!((&shown["jobs"][0]["status"], standing(&desk, "gone").as_str()), (&json!("lost"), "running"));
    drop(desk.workdir.run("job-monitor", &["summary"]).expect(1));
    assert_eq!(standing(&desk, "gone"), "lost");
}

#[test]
fn a_run_that_was_given_up_too_early_speaks_up() {
    let desk = Desk::new();
    let line =
        format!("while ! [ -e wake ]; do sleep 0.05; done; {} {WAIT}", say(r#"{"ev":"item","ok":true}"#));
    let mut child = desk.start("slow", &line);
    let_pass(&desk, 3.0);
    drop(desk.workdir.run("job-monitor", &["active"]).expect(0));
    assert_eq!(standing(&desk, "slow"), "lost");
    desk.workdir.write("wake", "");
    desk.wait("SELECT status || items_processed FROM ops.job_executions", "running1");
    assert!(desk.row("slow")["completed_at"].is_null() && desk.row("slow")["error_message"].is_null());
    desk.workdir.write("go", "");
    assert!(child.wait().unwrap().success());
    assert_eq!(standing(&desk, "slow"), "completed");
}

#[test]
fn a_run_that_was_replaced_too_early_disturbs_nobody_and_tells_how_it_ended() {
    let desk = Desk::new();
    let line =
        format!("while ! [ -e wake ]; do sleep 0.05; done; {} {WAIT}", say(r#"{"ev":"item","ok":true}"#));
    let mut first = desk.start("slow", &line);
    let_pass(&desk, 3.0);
    let other = elsewhere(&desk);
    let mut second = start(&other, "slow", WAIT);
    desk.wait("SELECT string_agg(status, ' ' ORDER BY id) FROM ops.job_executions", "lost running");
    desk.workdir.write("wake", "");
    desk.wait("SELECT items_processed FROM ops.job_executions ORDER BY id LIMIT 1", "1");
    assert_eq!(standing(&desk, "slow"), "lost running");
    desk.workdir.write("go", "");
    assert!(first.wait().unwrap().success());
    assert_eq!(standing(&desk, "slow"), "completed running");
    other.write("go", "");
    assert!(second.wait().unwrap().success());
    assert_eq!(standing(&desk, "slow"), "completed completed");
}

#[test]
fn without_a_place_for_the_lease_nothing_is_started() {
    let mut desk = Desk::new();
    desk.workdir.write("file", "");
    let below = desk.workdir.path("file/logs").display().to_string();
    desk.workdir.set("LOGS_DIR", &below);
    drop(desk.job("x", "touch ran").expect(74));
    assert!(!desk.workdir.path("ran").exists() && desk.rows("x").is_empty());
}
