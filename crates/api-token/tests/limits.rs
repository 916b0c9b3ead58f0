//! The limits of a second, kept by all kinds of work at once. Alone in their program, one after the other.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod common;

use common::Desk;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

const USERS: &str = "/v2/cursus/21/users";

static ALONE: Mutex<()> = Mutex::new(());

/// A tool that reads all students, as this class of work.
fn reader(desk: &Desk, class: &str) -> Command {
    let mut command = desk.workdir.command("fetch-cursus");
    command.args(["--path", USERS]).env("PACE_CLASS", class).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Tries something that is right each time, unless the machine stands still: a call that it sends 50 ms late may meet
/// one too many in its second.
fn in_three_tries(attempt: impl Fn() -> Result<(), String>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let failures: Vec<_> = (0..3).map_while(|_| attempt().err()).collect();
    assert!(failures.len() < 3, "{failures:?}");
}

/// Checks that the mock saw no call too many, and what else is to be true.
fn kept_the_limit(desk: &Desk, also: bool) -> Result<(), String> {
    let kept = desk.mock.count("limit_violations") == 0 && desk.mock.count("throttled") == 0;
    if kept && also { Ok(()) } else { Err(desk.mock.stats().to_string()) }
}

#[test]
fn four_kinds_of_work_at_once_keep_the_limit_and_live_work_is_through_first() {
    in_three_tries(|| {
        let desk = Desk::new(&["--students", "700", "--per-second", "6", "--latency", "30"]);
        drop(desk.workdir.run("fetch-cursus", &["--path", "/v2/cursus/21"]).expect(0));
        let mut others = ["bulk", "backlog", "hand"].map(|class| reader(&desk, class).spawn().unwrap());
        assert!(reader(&desk, "live").status().unwrap().success());
        let waiting = others.iter_mut().filter_map(|other| other.try_wait().unwrap()).count() == 0;
        for mut other in others {
            assert!(other.wait().unwrap().success());
        }
        kept_the_limit(&desk, waiting && desk.mock.count("max_in_any_second") <= 6)
    });
}

#[test]
fn a_larger_limit_that_is_announced_is_used() {
    in_three_tries(|| {
        let desk = Desk::new(&["--students", "1500", "--per-second", "2", "--per-hour", "1200"]);
        drop(desk.workdir.run("fetch-cursus", &["--path", "/v2/cursus/21"]).expect(0));
        assert_eq!(desk.run(&["budget", "--json"], 0).json()["per_second"], 2);
        desk.mock.switch(r#"{"per_second": 8, "per_hour": 5000}"#);
        drop(desk.workdir.run("fetch-cursus", &["--path", USERS]).expect(0));
        let budget = desk.run(&["budget", "--json"], 0).json();
        assert_eq!((&budget["per_second"], &budget["per_hour"]), (&8.into(), &5000.into()));
        kept_the_limit(&desk, (6..=8).contains(&desk.mock.count("max_in_any_second")))
    });
}
