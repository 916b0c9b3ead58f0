//! Disks that are full: of the exports, of the logs, of PostgreSQL.

use crate::calls::{self, Injected};
use crate::fault::{Fault, nightly, skip};
use crate::process::{FILES, keep_exports, restore_exports};
use end_to_end::World;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{Database, Mode, Proxy, Server, until};

const FETCH: [&str; 4] = ["fetch-cursus", "--export", "--force", "achievements"];

/// A small disk, for root.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one; the reason when it cannot be.
    fn mount(folder: &Path, size: &str) -> Result<Self, String> {
        std::fs::create_dir_all(folder).unwrap();
        let options = format!("size={size},mode=0711");
        mount(&["-t", "tmpfs", "-o", &options, "mirror42-test", &folder.display().to_string()])?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn resize(&self, size: &str) {
        mount(&["-o", &format!("remount,size={size}"), &self.folder.display().to_string()]).unwrap();
    }

    /// Fills it up to the last byte, and gives the file that takes the room.
    fn fill(&self) -> PathBuf {
        let path = self.folder.join("filler");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.folder).output());
    }
}

fn mount(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("mount").args(arguments).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("no tmpfs can be mounted here ({said})")) }
}

#[test]
fn a_fetch_that_finds_no_room_at_any_of_its_calls_says_so_and_keeps_the_export_before() {
    if let Some(reason) = calls::obstacle() {
        return skip(
            "disk::a_fetch_that_finds_no_room_at_any_of_its_calls_says_so_and_keeps_the_export_before",
            &reason,
        );
    }
    let world = World::new(&["--students", "20"]);
    drop(world.run(FETCH[0], &FETCH[1..]).expect(0));
    let (whole, mut fault) = (keep_exports(&world), Fault::of(11));
    let restore = || restore_exports(&world);
    let met = calls::at_each(&world, Injected::NoSpace, &FILES, &FETCH, restore, |call, run| {
        assert_eq!(run.code, 74, "{call}: {run:#?}");
        drop(run.complains(&["fetch-cursus: ", "No space left on device"]));
        let seen = world.run("load-table", &["achievements", "--export", "--dry-run"]);
        assert_eq!(seen.code, 0, "{call}: half an export: {seen:#?}");
        drop(world.run(FETCH[0], &FETCH[1..]).expect(0));
        assert_eq!(world.workdir.read("exports/03_achievements/all.ndjson"), whole, "{call}");
    });
    fault.happened(met);
    drop(world.load("achievements"));
    fault.survived(&world, &["achievements"]);
}

#[test]
fn a_fetch_whose_files_may_not_grow_keeps_the_export_before_and_goes_on_later() {
    let world = World::new(&["--students", "20"]);
    drop(world.mirror("fetch-cursus", "achievements"));
    let before = world.workdir.read("exports/03_achievements/all.ndjson");
    let mut fault = Fault::of(11);
    // No file may grow past 100 KiB, and the signal that says so is an error instead.
    let run = world.workdir.shell(&format!("trap '' XFSZ; ulimit -f 100; {}", FETCH.join(" "))).expect(74);
    drop(run.complains(&["fetch-cursus: achievements: ", "all.ndjson.part", "File too large"]));
    fault.happened(1);
    assert_eq!(world.workdir.read("exports/03_achievements/all.ndjson"), before);
    let run = world.run(FETCH[0], &FETCH[1..]).expect(0);
    assert!(run.stderr.contains("resumed at list"), "{run:#?}");
    drop(world.load("achievements"));
    fault.survived(&world, &["achievements"]);
}

#[test]
fn a_disk_of_exports_that_is_full_keeps_what_was_there_and_the_walk_goes_on_later() {
    let mut world = World::new(&["--students", "20"]);
    let folder = world.workdir.path("small");
    let disk = match SmallDisk::mount(&folder, "256k") {
        Ok(disk) => disk,
        Err(reason) => {
            return skip(
                "disk::a_disk_of_exports_that_is_full_keeps_what_was_there_and_the_walk_goes_on_later",
                &reason,
            );
        }
    };
    world.workdir.set("EXPORTS_DIR", &folder.display().to_string());
    let mut fault = Fault::of(11);
    drop(world.mirror("fetch-cursus", "cursus"));
    let run = world.run("fetch-cursus", &["--export", "achievements"]).expect(74);
    drop(run.complains(&[
        "fetch-cursus: achievements: ",
        "small/03_achievements/all.ndjson.part",
        "No space left",
    ]));
    fault.happened(1);
    drop(world.run("load-table", &["cursus", "--export"]).expect(0));
    disk.resize("8m");
    let run = world.run("fetch-cursus", &["--export", "achievements"]).expect(0);
    assert!(run.stderr.contains("resumed at list"), "{run:#?}");
    drop(world.load("achievements"));
    fault.survived(&world, &["cursus", "achievements"]);
}

#[test]
fn logs_that_take_no_more_are_told_of_and_the_next_run_is_right() {
    let mut world = World::new(&["--students", "30"]);
    let folder = world.workdir.path("small");
    world.workdir.set("LOGS_DIR", &folder.display().to_string());
    let (tables, mut fault) = (["cursus", "campuses", "users"], Fault::of(40));
    // For whoever may mount nothing, only the log itself takes no more.
    let disk = SmallDisk::mount(&folder, "64k");
    let filler = disk.as_ref().map(SmallDisk::fill).unwrap_or_else(|_| {
        let log = folder.join("nightly_stable_tables.log");
        std::os::unix::fs::symlink("/dev/full", &log).unwrap();
        log
    });
    drop(
        nightly(&world, &tables)
            .expect(74)
            .complains(&["cannot be written, is its disk full? the run goes on"]),
    );
    fault.happened(1);
    // What it mirrors is worth more than what it says of itself.
    tables.iter().for_each(|table| world.assert_mirrored(table));
    world.mock.moves(r#"{"updates": 10}"#);
    drop(std::fs::remove_dir_all(world.workdir.path("exports")));
    std::fs::remove_file(filler).unwrap();
    drop(nightly(&world, &tables).expect(0));
    fault.survived(&world, &tables);
}

#[test]
fn exports_take_the_room_of_one_export_however_often_they_are_fetched_and_killed() {
    let world = World::new(&["--students", "20", "--latency", "5"]);
    drop(world.run(FETCH[0], &FETCH[1..]).expect(0));
    let size =
        || world.workdir.shell("du -sb exports | cut -f1").expect(0).stdout.trim().parse::<u64>().unwrap();
    let (once, mut fault) = (size(), Fault::of(40));
    let mut killed = 0;
    for turn in 1..=8 {
        let line = format!("timeout -s KILL 0.0{} {}", turn, FETCH.join(" "));
        killed += u64::from(world.workdir.shell(&line).code == 137);
        // At the most another one that is on its way.
        assert!(size() < 2 * once + 4096, "{} bytes instead of {once}", size());
    }
    fault.happened(killed);
    for _ in 0..2 {
        drop(world.run(FETCH[0], &FETCH[1..]).expect(0));
    }
    assert!(size() < once + 1024, "{} bytes instead of {once}", size());
    drop(world.load("achievements"));
    fault.survived(&world, &["achievements"]);
}

#[test]
fn a_disk_of_postgresql_that_is_full_writes_nothing_and_comes_right() {
    let home = testkit::Workdir::new();
    let folder = home.path("small");
    std::fs::set_permissions(home.path(""), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let disk = match SmallDisk::mount(&folder, "170m") {
        Ok(disk) => disk,
        Err(reason) => {
            return skip("disk::a_disk_of_postgresql_that_is_full_writes_nothing_and_comes_right", &reason);
        }
    };
    let server = Server::start_in(&folder);
    let mut world = World::on(Database::create_on(&server), &["--students", "2500"]);
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.run("fetch-users", &["--export", "users"]).expect(0));
    let mut fault = Fault::of(12);

    // Its tables cannot grow. Its log has a file of its own to write on, however far the last one was.
    for statement in ["SELECT pg_switch_wal()", "CHECKPOINT"] {
        world.database.execute(statement);
    }
    let filler = disk.fill();
    let run = world.run("load-table", &["users", "--export"]).expect(74);
    drop(run.complains(&["load-table: users: ", "No space left on device"]));
    fault.happened(1);
    assert_eq!(world.rows("users"), 0);

    // Its log cannot, at the last moment of a load: it panics and starts again.
    std::fs::remove_file(&filler).unwrap();
    let proxy = Proxy::before_database(&world.database);
    world.workdir.set("DATABASE_URL", proxy.url());
    proxy.set(Mode::HoldCommit);
    let run = std::thread::scope(|scope| {
        let load = scope.spawn(|| world.run("load-table", &["users", "--export"]));
        until("its COMMIT is held up", || proxy.struck() == 1);
        // It may panic by itself before anybody asks it to.
        let mut session = world.database.connect();
        drop(disk.fill());
        let panic = "PANIC:  could not write to file \"pg_wal/";
        until("the server panics", || {
            let switched = session.batch_execute(
                "SELECT pg_logical_emit_message(false, '', repeat('x', 4000000)); SELECT pg_switch_wal()",
            );
            switched.is_err() && server.log().contains(panic)
        });
        proxy.set(Mode::Pass);
        load.join().unwrap()
    });
    drop(run.expect(69).complains(&["load-table: users: lost PostgreSQL", "run the same command again"]));
    fault.happened(1);
    std::fs::remove_file(&filler).unwrap();
    server.recovered();
    assert_eq!(world.rows("users"), 0);
    drop(world.load("users"));
    fault.survived(&world, &["campuses", "users"]);
}
