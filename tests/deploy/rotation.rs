//! Logs are renamed under those who write them, and no line is lost.

use crate::{need, project, system};
use end_to_end::World;
use std::process::{Child, Stdio};
use testkit::{Run, Workdir, until};

/// Puts the configuration into the folder, for its logs and for who runs the test.
fn configure(workdir: &Workdir) {
    need(workdir, "logrotate", "logrotate logrotate");
    let line = format!(
        "sed \"s|/srv/mirror42/logs|$LOGS_DIR|; s|su mirror42 mirror42|su $(id -un) $(id -gn)|\" {} >rotation && chmod 644 rotation",
        project("deploy/logrotate/mirror42").display()
    );
    drop(workdir.shell(&line).expect(0));
}

fn rotate(workdir: &Workdir) -> Run {
    system(workdir, "logrotate --force --state rotated rotation")
}

fn start(workdir: &Workdir, script: &str, arguments: &[&str]) -> Child {
    let mut command = workdir.command(&project(script).display().to_string());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The lines of a log that hold a word, whether they were moved or not.
fn lines(workdir: &Workdir, log: &str, word: &str) -> (usize, usize) {
    let count = |file: &str| {
        let text = std::fs::read_to_string(workdir.path(file)).unwrap_or_default();
        text.lines().filter(|line| line.contains(word)).count()
    };
    (count(&format!("logs/{log}.1")), count(&format!("logs/{log}")))
}

#[test]
fn every_log_that_is_written_is_one_that_is_rotated() {
    let world = World::new(&["--students", "60"]);
    configure(&world.workdir);
    drop(world.workdir.script("scripts/cron/nightly_stable_tables.sh", &[]).expect(3));
    drop(world.workdir.script("scripts/cron/live_db_sync.sh", &[]).expect(0));
    drop(world.run("backlog", &["add", "1", "for a test"]).expect(0));
    drop(world.workdir.script("scripts/cron/backlog_worker.sh", &[]));
    for script in ["integrity_check.sh", "purge_people.sh", "write_metrics.sh"] {
        drop(world.workdir.script(&format!("scripts/cron/{script}"), &[]).expect(0));
    }
    let list = |folder: &str| {
        let listed = world.workdir.shell(&format!(
            "cd {folder} && find . -maxdepth 1 -type f -name '[^.]*' -size +0 -printf '%f\\n' | sort"
        ));
        listed.expect(0).stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let before = list("logs");
    for log in [
        "42_token_refresh.log",
        "alerts.ndjson",
        "backlog.log",
        "integrity_check.log",
        "live_db_sync.log",
        "nightly_stable_tables.log",
        "purge_people.log",
    ] {
        assert!(before.iter().any(|name| name == log), "{before:?}");
    }
    let dry = system(&world.workdir, "logrotate --debug rotation 2>&1").expect(0);
    assert!(!dry.stdout.contains("error"), "{dry:#?}");
    assert_eq!(list("logs"), before, "to be shown is not to be done");
    let run = rotate(&world.workdir).expect(0);
    assert!(run.stdout.is_empty() && run.stderr.is_empty(), "{run:#?}");
    // What is replaced whole is left alone; everything else has moved.
    let moved = |name: &String| if name.ends_with(".json") { name.clone() } else { format!("{name}.1") };
    let mut expected: Vec<_> = before.iter().map(moved).collect();
    expected.sort();
    assert_eq!(list("logs"), expected);
    for _ in 0..2 {
        drop(world.workdir.script("scripts/cron/live_db_sync.sh", &[]).expect(0));
        drop(rotate(&world.workdir).expect(0));
    }
    let old =
        world.workdir.shell("zcat logs/live_db_sync.log.2.gz logs/live_db_sync.log.3.gz").expect(0).stdout;
    assert!(old.contains("exit 0: load-table users --changes"), "{old}");
}

#[test]
fn a_worker_that_watches_goes_on_in_the_new_file() {
    let mut world = World::new(&["--students", "60"]);
    configure(&world.workdir);
    drop(
        world
            .workdir
            .script("scripts/cron/nightly_stable_tables.sh", &["cursus", "campuses", "users"])
            .expect(0),
    );
    world.workdir.set("BACKLOG_POLL_INTERVAL", "1");
    let ids = world
        .database
        .value("SELECT string_agg(id::text, ' ') FROM (SELECT id FROM users ORDER BY id LIMIT 2) u");
    let (first, second) = ids.split_once(' ').unwrap();
    drop(world.run("backlog", &["add", first]).expect(0));
    let mut worker = start(&world.workdir, "scripts/cron/backlog_worker.sh", &["--watch"]);
    let done =
        |world: &World| world.run("backlog", &["status", "--json"]).expect(0).json()["processed"].as_u64();
    until("the first is fetched", || done(&world) == Some(1));
    drop(rotate(&world.workdir).expect(0));
    drop(world.run("backlog", &["add", second]).expect(0));
    until("the second is fetched", || done(&world) == Some(2));
    worker.kill().unwrap();
    worker.wait().unwrap();
    for (id, place) in [(first, (1, 0)), (second, (0, 1))] {
        let (old, new) = lines(&world.workdir, "backlog.log", &format!("({id})"));
        assert_eq!(
            (old.min(1), new.min(1)),
            place,
            "{id}: {}",
            world.workdir.shell("head logs/backlog*").stdout
        );
    }
}

#[test]
fn a_nightly_that_is_rotated_in_the_middle_loses_no_line() {
    let world = World::new(&["--students", "60"]);
    configure(&world.workdir);
    world.mock.faults(r#"[{"kind": "slow", "ms": 1500, "path": "/v2/cursus/21/projects"}]"#);
    let mut nightly = start(&world.workdir, "scripts/cron/nightly_stable_tables.sh", &[]);
    until("a first stage", || {
        lines(&world.workdir, "nightly_stable_tables.log", "load-table achievements").1 == 1
    });
    drop(rotate(&world.workdir).expect(0));
    assert!(nightly.try_wait().unwrap().is_none(), "it is in the middle");
    assert_eq!(nightly.wait().unwrap().code(), Some(3));
    let (old, new) = lines(&world.workdir, "nightly_stable_tables.log", "Z exit ");
    assert!(old >= 3 && new >= 3, "{old} {new}");
    assert_eq!(old + new, 27, "two stages of each of thirteen tables, and the purge");
}
