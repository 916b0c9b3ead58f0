//! Kills, rivals, full disks: what is not done is said, and the next run does it.

use crate::desk::{Desk, project_user, read, user, words};
use serde_json::json;
use std::process::Stdio;
use std::time::{Duration, Instant};
use testkit::places_in_files;

const ROUNDS: u32 = 10;

#[test]
fn a_place_that_is_being_written_is_left_to_the_next_run() {
    let desk = Desk::full();
    let walk = desk.resume("11_projects_users");
    let run = desk.purge(&["erase", "11", "--wait", "0"]).expect(75);
    assert!(
        run.stdout.contains("left to the next run: ") && run.stderr.contains("11_projects_users"),
        "{run:#?}"
    );
    let left = desk.traces_of(11);
    assert!(!left.is_empty() && left.iter().all(|place| place.contains("11_projects_users")), "{left:?}");
    drop(walk);
    drop(desk.purge(&["run"]).expect(0));
    assert_eq!(desk.traces_of(11), Vec::<String>::new());
}

#[test]
fn a_place_that_is_free_in_time_is_waited_for() {
    let desk = Desk::full();
    let walk = desk.resume("11_projects_users");
    std::thread::scope(|scope| {
        let run = scope.spawn(|| desk.purge(&["erase", "11", "--wait", "60"]));
        // By then it waits: everything before that place is done.
        let deadline = Instant::now() + Duration::from_secs(50);
        while !places_in_files(&desk.workdir.path("exports/08_users"), &words(11)).is_empty() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(walk);
        drop(run.join().unwrap().expect(0));
    });
    assert_eq!(desk.traces_of(11), Vec::<String>::new());
}

#[test]
fn of_two_copies_one_waits_and_one_that_may_not_says_so() {
    let desk = Desk::full();
    desk.erase_at(11, "now()");
    let codes = std::thread::scope(|scope| {
        let runs = [(); 3].map(|()| scope.spawn(|| desk.purge(&["run"])));
        runs.map(|run| run.join().unwrap().code)
    });
    assert_eq!(codes, [0, 0, 0]);
    assert_eq!(desk.traces_of(11), Vec::<String>::new());
    let lock = std::fs::File::open(desk.workdir.path("backups/tombstones.lock")).unwrap();
    lock.lock().unwrap();
    drop(desk.purge(&["run", "--wait", "0"]).expect(75).complains(&["another purge-people is at work"]));
}

#[test]
fn a_full_disk_leaves_the_old_export_whole_and_the_next_run_does_it() {
    let desk = Desk::full();
    let enrolments: Vec<_> =
        (100..200).map(|id| project_user(id, if id == 100 { 11 } else { 10 }, 12)).collect();
    desk.publish("11_projects_users", &enrolments);
    // No file may grow past 8 KiB, and the signal that says so is an error instead.
    let run = desk.workdir.shell("trap '' XFSZ; ulimit -f 8; purge-people erase 11").expect(74);
    assert!(run.stderr.contains("11_projects_users"), "{run:#?}");
    assert_eq!(desk.exported("11_projects_users"), enrolments, "the old one, whole");
    assert!(!desk.workdir.path("exports/11_projects_users/cursus_21/all.ndjson.aside").exists());
    assert_eq!(desk.exported("08_users"), [user(10), user(12)], "the others are done");
    assert_eq!(desk.database.places_of(&words(11)), Vec::<String>::new());
    drop(desk.purge(&["run"]).expect(0));
    assert_eq!(desk.exported("11_projects_users"), enrolments[1..]);
    assert_eq!(desk.traces_of(11), Vec::<String>::new());
}

#[test]
fn killed_at_any_moment_and_run_again_it_is_right() {
    let unbroken = Desk::full();
    let began = Instant::now();
    drop(unbroken.purge(&["erase", "11"]).expect(0));
    let whole = began.elapsed();
    let mut killed = 0;
    for round in 0..ROUNDS {
        let desk = Desk::full();
        let mut command = desk.workdir.command("purge-people");
        let mut child =
            command.args(["erase", "11"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * round / ROUNDS);
        child.kill().unwrap();
        let is_killed = child.wait().unwrap().code().is_none();
        killed += u32::from(is_killed);
        // Whatever was done is whole.
        for resource in ["08_users", "11_projects_users", "12_achievements_users"] {
            drop(desk.exported(resource));
        }
        assert!([0, 1].contains(&desk.count("users WHERE id = 11")));
        drop(desk.purge(&["erase", "11"]).expect(0));
        assert_eq!(desk.traces_of(11), Vec::<String>::new());
        assert_eq!(read(&desk.place("08_users").changes()), [user(12)]);
        assert_eq!(desk.exported("11_projects_users"), unbroken.exported("11_projects_users"));
        assert_eq!(desk.report(&["run"])["exports"], json!({}));
    }
    assert!(killed >= 4, "only {killed} of {ROUNDS} kills came in time");
}

#[test]
fn a_backlog_that_fails_is_told_and_everything_else_is_done() {
    let mut desk = Desk::full();
    desk.workdir.set("BACKLOG_LEASE", "never");
    let run = desk.purge(&["erase", "11"]).expect(78);
    drop(run.complains(&["BACKLOG_LEASE"]));
    assert_eq!(desk.traces_of(11), Vec::<String>::new(), "an entry names nobody");
}
