//! Clocks that jump, and zones that do.

use crate::fault::{Fault, nightly, rounds, skip};
use end_to_end::World;
use testkit::{Run, Workdir};

const TABLES: [&str; 4] = ["cursus", "campuses", "users", "cursus_users"];

/// Why the clock cannot be set here.
fn obstacle() -> Option<String> {
    let run = Workdir::new().shell("faketime -f '+10d' date +%s && date +%s");
    let times: Vec<i64> = run.stdout.lines().filter_map(|line| line.parse().ok()).collect();
    let is_set = times.len() == 2 && times[0] - times[1] > 9 * 86_400;
    (!is_set).then(|| "faketime sets no clock here".to_owned())
}

/// Runs a script of cron with another clock on the wall. That of the machine goes on, as it does when a clock is set.
fn at(world: &World, clock: &str, script: &str, arguments: &[&str]) -> Run {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let line = format!(
        "DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1 {clock} {root}/scripts/cron/{script}.sh {}",
        arguments.join(" ")
    );
    world.workdir.shell(&line)
}

#[test]
fn a_clock_that_jumps_days_ahead_and_hours_back_loses_nothing() {
    if let Some(reason) = obstacle() {
        return skip("clock::a_clock_that_jumps_days_ahead_and_hours_back_loses_nothing", &reason);
    }
    let world = World::new(&["--students", "100"]);
    drop(nightly(&world, &TABLES));
    let mut fault = Fault::of(29);
    // Set ahead by mistake, set right again, set back.
    let clocks = ["faketime -f +10d", "", "faketime -f -1h"];
    for clock in clocks.into_iter().take(rounds(2) as usize) {
        world.mock.moves(r#"{"updates": 20, "newcomers": 1, "enrolments": 5}"#);
        let run = at(&world, clock, "live_db_sync", &[]);
        assert!(matches!(run.code, 0 | 3), "{clock}: {run:#?}");
        world.assert_mirrored("users");
        // The API's clock says how far it is, never ours.
        let ahead = world.database.value("SELECT count(*) FROM ops.watermarks WHERE watermark > now()");
        assert_eq!(ahead, "0", "{clock}: a watermark ahead of the world skips changes");
        fault.happened(1);
        world.mock.moves(r#"{"silent": 20}"#);
        // Else it may be fresh enough by the clock that is right.
        drop(world.workdir.shell("rm -r exports/08_users").expect(0));
        let run = at(&world, clock, "nightly_stable_tables", &TABLES);
        assert!(matches!(run.code, 0 | 3), "{clock}: {run:#?}");
        fault.happened(1);
    }
    drop(world.workdir.shell("rm -rf exports"));
    drop(nightly(&world, &TABLES));
    fault.survived(&world, &TABLES);
}

#[test]
fn an_hour_that_comes_twice_is_two_hours_in_utc() {
    if let Some(reason) = obstacle() {
        return skip("clock::an_hour_that_comes_twice_is_two_hours_in_utc", &reason);
    }
    let world = World::new(&["--students", "60"]);
    let mut fault = Fault::of(30);
    // In Brussels half past two came twice that night: at 00:30 and at 01:30 UTC.
    for utc in ["2026-10-25 00:30:00", "2026-10-25 01:30:00"] {
        let clock = format!("TZ=UTC faketime '{utc}' env TZ=Europe/Brussels");
        let local = world.workdir.shell(&format!("{clock} date +%H:%M")).expect(0);
        assert_eq!(local.stdout, "02:30\n", "the hour does not come twice here");
        fault.happened(1);
        drop(world.workdir.shell("rm -rf exports"));
        let run = at(&world, &clock, "nightly_stable_tables", &TABLES);
        assert!(matches!(run.code, 0 | 3), "{utc}: {run:#?}");
        let log = world.workdir.read("logs/nightly_stable_tables.log");
        let last = log.lines().rfind(|line| line.contains(" exit ")).unwrap();
        assert!(last.starts_with(&utc[..14].replace(' ', "T")), "{last} is not in UTC");
        let manifest = world.workdir.read("exports/08_users/cursus_21/all.manifest.json");
        assert!(manifest.contains(&format!("\"finished\": \"{}", utc[..14].replace(' ', "T"))), "{manifest}");
    }
    fault.survived(&world, &TABLES);
}
