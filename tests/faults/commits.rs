//! A COMMIT that is done and of which nobody hears, and one that never arrives: to the client they are the same.

use crate::fault::{Fault, nightly, rounds, some_tables};
use end_to_end::World;
use serde_json::json;
use testkit::{Mode, Proxy};

const BOTH: [Mode; 2] = [Mode::LoseCommit, Mode::LoseCommitAnswer];

/// A world whose tools reach the database through a proxy, with two exports that are not loaded.
fn behind_a_proxy() -> (World, Proxy) {
    let mut world = World::new(&["--students", "150"]);
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.run("fetch-users", &["--export", "users"]).expect(0));
    let proxy = Proxy::before_database(&world.database);
    world.workdir.set("DATABASE_URL", proxy.url());
    (world, proxy)
}

#[test]
fn a_load_whose_commit_is_lost_or_unheard_of_is_right_when_it_is_run_again() {
    let (world, proxy) = behind_a_proxy();
    let mut fault = Fault::of(7);
    for mode in BOTH {
        world.database.execute("TRUNCATE users CASCADE; TRUNCATE ops.watermarks");
        let loads = |world: &World| world.database.value("SELECT count(*) FROM ops.loads");
        let before: u64 = loads(&world).parse().unwrap();
        proxy.once(mode);
        let run = world.run("load-table", &["users", "--export"]).expect(69);
        fault.happened(proxy.struck());
        drop(
            run.complains(&[
                "load-table: users: lost PostgreSQL at the commit",
                "run the same command again",
            ]),
        );
        let is_done = mode == Mode::LoseCommitAnswer;
        let marked = world.database.value("SELECT count(*) FROM ops.watermarks WHERE table_name = 'users'");
        assert_eq!((world.rows("users") > 0, marked == "1"), (is_done, is_done), "{mode:?}: all or nothing");
        assert_eq!(loads(&world), (before + u64::from(is_done)).to_string(), "{mode:?}");
        let summary = world.load("users");
        let inserted = if is_done { 0 } else { world.rows("users") };
        assert_eq!((&summary["inserted"], &summary["updated"]), (&json!(inserted), &json!(0)), "{mode:?}");
        world.assert_mirrored("users");
    }
    fault.survived(&world, &["campuses", "users"]);
}

#[test]
fn tables_whose_making_is_lost_or_unheard_of_are_there_after_the_second_run() {
    let (world, proxy) = behind_a_proxy();
    let mut fault = Fault::of(7);
    for mode in BOTH {
        world.database.execute("DROP SCHEMA ops CASCADE; DROP TABLE users CASCADE");
        proxy.once(mode);
        let run = world.run("init-db", &[]).expect(69);
        fault.happened(proxy.struck());
        drop(run.complains(&["init-db: lost PostgreSQL at the commit", "run the same command again"]));
        drop(world.run("init-db", &[]).expect(0));
        drop(world.run("init-db", &["--check"]).expect(0));
    }
    drop(world.load("users"));
    fault.survived(&world, &["campuses", "users"]);
}

#[test]
fn a_backlog_whose_commits_are_unheard_of_does_everything_at_least_once() {
    let (mut world, proxy) = behind_a_proxy();
    world.workdir.set("BACKLOG_STORE", "postgres");
    world.workdir.set("BACKLOG_LEASE", "1");
    let ids: Vec<String> =
        world.workdir.read("exports/08_users/cursus_21/all.ndjson").lines().map(id).collect();
    let mut fault = Fault::of(7);
    for mode in BOTH {
        let add = || world.workdir.feed("backlog", &["add", "-"], &ids.join("\n"));
        proxy.once(mode);
        drop(add().expect(69).complains(&["backlog: the backlog: lost PostgreSQL at the commit", "again"]));
        fault.happened(proxy.struck());
        drop(add().expect(0));
        // Each of its steps in turn: what it claims, what it loads, what it takes out.
        for _ in 0..rounds(3) {
            proxy.once(mode);
            let run = world.run("backlog", &["process"]);
            if proxy.struck() > 0 {
                fault.happened(proxy.struck());
            }
            assert!(matches!(run.code, 0 | 3 | 69), "{mode:?}: {run:#?}");
            proxy.set(Mode::Pass);
        }
        testkit::until("the backlog is done", || {
            drop(world.run("backlog", &["process"]));
            world.run("backlog", &["status", "--json"]).expect(0).json()["depth"] == 0
        });
    }
    fault.survived(&world, &["campuses", "users"]);
}

fn id(line: &str) -> String {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string()
}

#[test]
fn a_nightly_that_hears_of_no_commit_leaves_nothing_for_the_next_one_to_mend() {
    let mut world = World::new(&["--students", "120"]);
    let proxy = Proxy::before_database(&world.database);
    world.workdir.set("DATABASE_URL", proxy.url());
    let mut fault = Fault::of(7);
    proxy.set(Mode::LoseCommitAnswer);
    // What needs a table whose load seems to have failed is left out: a run a generation.
    let tables = some_tables();
    for _ in 0..3 {
        drop(nightly(&world, &tables).expect(69));
    }
    fault.happened(proxy.struck());
    proxy.set(Mode::Pass);
    let run = nightly(&world, &tables);
    assert!(matches!(run.code, 0 | 3), "{run:#?}");
    let left = "SELECT count(*) FROM ops.job_executions WHERE status = 'running'";
    assert_eq!(world.database.value(left), "0");
    fault.survived(&world, &tables);
}
