//! Processes that are killed, before each of their system calls and at random.

use crate::calls::{self, Injected};
use crate::fault::{Fault, dice, nightly, skip, some_tables};
use end_to_end::{World, number};
use std::time::Duration;

/// What changes files.
pub(crate) const FILES: [&str; 5] = ["write", "fsync", "fdatasync", "rename", "ftruncate"];
/// What speaks to PostgreSQL.
const SOCKET: [&str; 3] = ["sendto", "recvfrom", "epoll_wait"];

const FETCH: [&str; 4] = ["fetch-cursus", "--export", "--force", "achievements"];

/// Lays the exports aside, so that each try begins with the same ones; gives the bytes of the one that is fetched.
pub(crate) fn keep_exports(world: &World) -> String {
    drop(world.workdir.shell("rm -rf before; cp -a exports before").expect(0));
    world.workdir.read("exports/03_achievements/all.ndjson")
}

pub(crate) fn restore_exports(world: &World) {
    drop(world.workdir.shell("rm -rf exports && cp -a before exports").expect(0));
}

#[test]
fn a_fetch_that_is_killed_before_any_of_its_calls_leaves_a_whole_export_and_goes_on() {
    if let Some(reason) = calls::obstacle() {
        return skip(
            "process::a_fetch_that_is_killed_before_any_of_its_calls_leaves_a_whole_export_and_goes_on",
            &reason,
        );
    }
    let world = World::new(&["--students", "20"]);
    drop(world.run(FETCH[0], &FETCH[1..]).expect(0));
    let (whole, mut fault) = (keep_exports(&world), Fault::of(1));
    let restore = || restore_exports(&world);
    let met = calls::at_each(&world, Injected::Kill, &FILES, &FETCH, restore, |call, run| {
        assert_eq!(run.code, 137, "{call}: {run:#?}");
        let seen = world.run("load-table", &["achievements", "--export", "--dry-run"]);
        assert_eq!(seen.code, 0, "{call}: half an export: {seen:#?}");
        drop(world.run(FETCH[0], &FETCH[1..]).expect(0));
        assert_eq!(world.workdir.read("exports/03_achievements/all.ndjson"), whole, "{call}");
    });
    fault.happened(met);
    let left = world.workdir.shell("ls exports/03_achievements").expect(0).stdout;
    assert_eq!(left, "all.lock\nall.manifest.json\nall.ndjson\n", "nothing else is left behind");
    drop(world.load("achievements"));
    fault.survived(&world, &["achievements"]);
}

#[test]
fn a_load_that_is_killed_before_any_word_to_the_server_wrote_all_or_nothing() {
    if let Some(reason) = calls::obstacle() {
        return skip(
            "process::a_load_that_is_killed_before_any_word_to_the_server_wrote_all_or_nothing",
            &reason,
        );
    }
    let world = World::new(&["--students", "150"]);
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-users", "users"));
    let (whole, mut fault) = (world.digest("users"), Fault::of(1));
    let load = ["load-table", "users", "--export"];
    let empty = || world.database.execute("TRUNCATE users CASCADE");
    let met = calls::at_each(&world, Injected::Kill, &SOCKET, &load, empty, |call, run| {
        assert_eq!(run.code, 137, "{call}: {run:#?}");
        let rows = world.rows("users");
        assert!(rows == 0 || world.digest("users") == whole, "{call}: {rows} rows");
        drop(world.load("users"));
        assert_eq!(world.digest("users"), whole, "{call}");
    });
    fault.happened(met);
    drop(world.load("users"));
    fault.survived(&world, &["users"]);
}

#[test]
fn whatever_is_killed_at_whatever_moment_nothing_is_lost() {
    let world = World::new(&["--students", "150", "--latency", "10"]);
    let ((mut dice, seed), tables, mut fault) = (dice(), some_tables(), Fault::of(1));
    let names = ["fetch-users", "fetch-cursus", "load-table", "job-run", "backlog", "bash"];
    let scripts = [
        format!("scripts/cron/nightly_stable_tables.sh {}", tables.join(" ")),
        "scripts/cron/live_db_sync.sh".to_owned(),
        "scripts/cron/backlog_worker.sh".to_owned(),
    ];
    let mut killed = Vec::new();
    for turn in 0..number("FAULTS_KILLS", 6) {
        world.mock.moves(r#"{"updates": 5, "newcomers": 1}"#);
        if turn % 8 == 0 {
            drop(std::fs::remove_dir_all(world.workdir.path("exports")));
        }
        let line = scripts[dice.below(scripts.len() as u32) as usize].clone();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                let (script, arguments) = line.split_once(' ').unwrap_or((&line, ""));
                world.workdir.script(script, &arguments.split_whitespace().collect::<Vec<_>>())
            });
            std::thread::sleep(Duration::from_millis(u64::from(dice.below(700))));
            let mut victim = None;
            while victim.is_none() && !run.is_finished() {
                victim = world.kill_one(&names, &mut dice, Duration::from_millis(50));
            }
            killed.extend(victim);
            let _ended = run.join();
        });
    }
    assert!(!killed.is_empty(), "{seed}: nobody was killed");
    fault.happened(killed.len() as u64);
    // What a killed one was running ends a moment later, and holds its lock until then.
    let free = "for lock in $LOGS_DIR/.*.lock; do timeout 60 flock \"$lock\" true || exit; done";
    drop(world.workdir.shell(free).expect(0));
    drop(std::fs::remove_dir_all(world.workdir.path("exports")));
    let run = nightly(&world, &tables);
    assert!(matches!(run.code, 0 | 3), "{seed}, killed {killed:?}: {run:#?}");
    fault.survived(&world, &tables);
}
