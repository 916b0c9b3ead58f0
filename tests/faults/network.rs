//! Networks and servers that say nothing, stammer, or break off.

use crate::database::server;
use crate::fault::{Fault, dice, rounds};
use crate::tools::{API, DATABASE, Wait, go_on, prepare, wait_in_vain};
use end_to_end::World;
use std::time::Duration;
use testkit::{Database, Mode, Proxy, Run, Side};

const USERS: [&str; 2] = ["users", "--export"];
const ACHIEVEMENTS: [&str; 3] = ["--export", "--force", "achievements"];

/// A world whose tools reach the database through a proxy.
fn behind_a_proxy(arguments: &[&str]) -> (World, Proxy) {
    let mut world = World::new(arguments);
    prepare(&world);
    let proxy = Proxy::before_database(&world.database);
    world.workdir.set("DATABASE_URL", proxy.url());
    (world, proxy)
}

/// All who wait; in the short form without those who wait longer than others, which `tests/jobs` puts to the same test.
fn every(waits: &[Wait]) -> Vec<&Wait> {
    waits.iter().filter(|wait| rounds(1) > 1 || !wait.line.starts_with("job-")).collect()
}

/// The same for the API.
fn api_behind_a_proxy(arguments: &[&str]) -> (World, Proxy) {
    let mut world = World::new(arguments);
    let proxy = Proxy::before_mock(&world.mock);
    world.workdir.set("API_ROOT", proxy.url());
    prepare(&world);
    (world, proxy)
}

#[test]
fn a_database_in_a_black_hole_is_waited_for_by_nobody_for_ever() {
    let (world, proxy) = behind_a_proxy(&["--students", "20"]);
    let mut fault = Fault::of(8);
    proxy.set(Mode::BlackHole);
    let waits = every(&DATABASE);
    wait_in_vain(&world, &waits);
    assert!(proxy.struck() >= waits.len() as u64, "{} connections were swallowed", proxy.struck());
    fault.happened(proxy.struck());
    proxy.set(Mode::Pass);
    go_on(&world, &waits);
    fault.survived(&world, &["campuses", "users"]);
}

#[test]
fn a_database_that_stands_still_is_waited_for_by_nobody_for_ever() {
    let server = server();
    let world = World::on(Database::create_on(&server), &["--students", "20"]);
    prepare(&world);
    let mut fault = Fault::of(8);
    // Those that have a patience of their own are in a black hole above.
    let waits = DATABASE.iter().filter(|wait| wait.line.contains("load-table")).collect::<Vec<_>>();
    let frozen = server.freeze();
    wait_in_vain(&world, &waits);
    drop(frozen);
    fault.happened(waits.len() as u64);
    go_on(&world, &waits);
    fault.survived(&world, &["campuses", "users"]);
}

#[test]
fn an_api_in_a_black_hole_is_waited_for_by_nobody_for_ever() {
    let (world, proxy) = api_behind_a_proxy(&["--students", "20"]);
    let mut fault = Fault::of(8);
    proxy.set(Mode::BlackHole);
    wait_in_vain(&world, &every(&API));
    assert!(proxy.struck() >= API.len() as u64, "{} connections were swallowed", proxy.struck());
    fault.happened(proxy.struck());
    proxy.set(Mode::Pass);
    go_on(&world, &every(&API));
    drop(world.load("achievements"));
    fault.survived(&world, &["campuses", "users", "achievements"]);
}

#[test]
fn a_load_that_loses_one_direction_in_its_midst_ends_at_its_deadline_and_comes_right() {
    let (world, proxy) = behind_a_proxy(&["--students", "300"]);
    let (mut dice, seed) = dice();
    let mut fault = Fault::of(8);
    for of in [Side::Client, Side::Server] {
        for _ in 0..rounds(1) {
            world.database.execute("TRUNCATE users CASCADE");
            // Past the greetings, before the end.
            let after = 600 + u64::from(dice.below(800));
            proxy.set(Mode::Cut { of, after });
            let run = world.run("load-table", &["users", "--export", "--deadline", "2"]);
            assert_eq!(run.code, 75, "{seed}, {of:?} after {after}: {run:#?}");
            fault.happened(proxy.struck());
            proxy.set(Mode::Pass);
            drop(world.load("users"));
        }
    }
    fault.survived(&world, &["users"]);
}

#[test]
fn whoever_is_slow_is_waited_for_and_whoever_drips_only_until_the_deadline() {
    let (mut world, proxy) = behind_a_proxy(&["--students", "60"]);
    let api = Proxy::before_mock(&world.mock);
    world.workdir.set("API_ROOT", api.url());
    let mut fault = Fault::of(9);
    for (mode, code, deadline) in [
        (Mode::Delay(Duration::from_millis(15)), 0, "300"),
        (Mode::Drip(Duration::from_micros(1)), 0, "300"),
        (Mode::Drip(Duration::from_millis(20)), 75, "2"),
    ] {
        world.database.execute("TRUNCATE cursus CASCADE");
        for proxy in [&proxy, &api] {
            proxy.set(mode);
        }
        for (tool, name) in [("fetch-cursus", &["--force", "cursus"][..]), ("load-table", &["cursus"])] {
            let run = world.run(tool, &[name, &["--export", "--deadline", deadline]].concat());
            assert_eq!(run.code, code, "{mode:?}: {run:#?}");
        }
        for proxy in [&proxy, &api] {
            fault.happened(proxy.struck());
            proxy.set(Mode::Pass);
        }
        drop(world.mirror("fetch-cursus", "cursus"));
    }
    fault.survived(&world, &["cursus", "users"]);
}

#[test]
fn an_api_that_breaks_off_once_is_asked_again_and_always_leaves_what_there_was() {
    let (world, proxy) = api_behind_a_proxy(&["--students", "20"]);
    let (mut dice, seed) = dice();
    let mut fault = Fault::of(24);
    let mut broken = 0;
    for _ in 0..rounds(4) {
        // It may be that no connection carries so much: the pages are shared out among them by chance.
        let after = u64::from(dice.below(30_000));
        proxy.once(Mode::Reset { after });
        let run = world.run("fetch-cursus", &ACHIEVEMENTS);
        assert_eq!(run.code, 0, "{seed}, after {after}: {run:#?}");
        broken += proxy.struck();
    }
    fault.happened(broken);
    drop(world.load("achievements"));
    world.assert_mirrored("achievements");
    // One that never answers, and one that is nowhere.
    proxy.set(Mode::Refuse);
    let runs = std::thread::scope(|scope| {
        let refused = scope.spawn(|| world.run("fetch-cursus", &ACHIEVEMENTS));
        let nowhere =
            "API_ROOT=https://api.mirror42.invalid STATE_DIR=state/nowhere fetch-cursus achievements";
        [world.workdir.shell(nowhere), refused.join().unwrap()]
    });
    fault.happened(proxy.struck());
    for run in runs {
        let run =
            run.expect(69).complains(&["fetch-cursus: achievements: ", "no usable answer after 5 tries"]);
        assert_eq!(run.stdout, "");
    }
    assert_eq!(world.load("achievements")["updated"], 0, "the export before it is whole");
    proxy.set(Mode::Pass);
    drop(world.mirror("fetch-cursus", "achievements"));
    fault.survived(&world, &["achievements"]);
}

#[test]
fn a_session_that_is_reset_anywhere_in_a_load_leaves_all_or_nothing() {
    let (world, proxy) = behind_a_proxy(&["--students", "200"]);
    let (mut dice, seed) = dice();
    let (whole, mut fault) = (world.digest("users"), Fault::of(6));
    let load = || world.run("load-table", &USERS);
    for _ in 0..rounds(8) {
        world.database.execute("TRUNCATE users CASCADE");
        let after = u64::from(dice.below(1_800));
        proxy.once(Mode::Reset { after });
        let run: Run = load();
        if proxy.struck() == 0 {
            drop(run.expect(0));
            continue;
        }
        fault.happened(proxy.struck());
        assert_eq!(run.code, 69, "{seed}, after {after}: {run:#?}");
        drop(run.complains(&["load-table: "]));
        let rows = world.rows("users");
        assert!(rows == 0 || world.digest("users") == whole, "{seed}, after {after}: {rows} rows");
        drop(load().expect(0));
        assert_eq!(world.digest("users"), whole, "{seed}, after {after}");
    }
    fault.survived(&world, &["users"]);
}
