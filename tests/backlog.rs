//! The backlog with the real tools: who is in it is mirrored, with everything that hangs on them.

use end_to_end::{HANGING, NIGHTLY, World};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::{Duration, Instant};
use testkit::Run;

const SCRIPT: &str = "scripts/cron/backlog_worker.sh";

/// A world whose reference data are mirrored, and nobody else.
fn world(arguments: &[&str]) -> World {
    let world = World::new(arguments);
    let reference: Vec<&str> = NIGHTLY.into_iter().filter(|table| *table != "users").collect();
    drop(world.workdir.script("scripts/cron/nightly_stable_tables.sh", &reference).expect(0));
    world.mock.forget();
    world
}

fn backlog(world: &World, arguments: &[&str]) -> Run {
    world.run("backlog", arguments)
}

fn add(world: &World, ids: &[i64]) {
    let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
    drop(world.workdir.feed("backlog", &["add", "-"], &lines).expect(0));
}

fn students(world: &World) -> Vec<i64> {
    let students = world.mock.all("/v2/cursus/21/users?filter[kind]=student&filter[alumni?]=false");
    students.iter().filter_map(|student| student["id"].as_i64()).collect()
}

fn status(world: &World, name: &str) -> Value {
    backlog(world, &["status", "--json"]).expect(0).json()[name].clone()
}

#[test]
fn who_is_in_the_backlog_is_mirrored_with_what_hangs_on_them() {
    for store in ["files", "postgres"] {
        let mut world = world(&["--students", "250"]);
        world.workdir.set("BACKLOG_STORE", store);
        let ids = students(&world);
        let strangers = [2_000_000_000, 2_000_000_001];
        add(&world, &[&ids, &strangers[..]].concat());
        let run = world.workdir.script(SCRIPT, &[]).expect(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "quiet when all is well");
        for table in ["users"].into_iter().chain(HANGING) {
            world.assert_mirrored(table);
        }
        assert_eq!(status(&world, "outcomes"), json!({"absent": 2, "loaded": ids.len()}), "{store}");
        assert_eq!(status(&world, "depth"), 0);
        let calls = world.mock.count("calls");
        assert!(calls < ids.len() as u64, "{calls} calls for {} users and all that is theirs", ids.len());
    }
}

#[test]
fn a_parent_that_rows_wait_for_comes_by_itself_and_releases_them() {
    let world = world(&["--students", "120"]);
    let ids = students(&world);
    let few: Vec<String> = ids.iter().take(3).map(i64::to_string).collect();
    let pipe = format!("fetch-users cursus_users --ids {} | load-table cursus_users", few.join(","));
    drop(world.workdir.shell(&pipe).expect(3));
    assert_eq!(world.rows("cursus_users"), 0);
    let tally = backlog(&world, &["process", "--json"]).expect(0).json();
    assert_eq!((&tally["missing_added"], &tally["loaded"]), (&json!(3), &json!(3)));
    assert_eq!((world.rows("users"), world.rows("cursus_users")), (3, 3));
    let waiting = "SELECT count(*) FROM ops.quarantine WHERE parent_table = 'users'";
    assert_eq!(world.database.value(waiting), "0");
}

#[test]
fn an_api_that_is_away_blames_nobody() {
    let mut world = world(&["--students", "30"]);
    world.workdir.set("DEADLINE", "60");
    let ids = students(&world);
    add(&world, &ids);
    let there = world.mock.url().to_owned();
    world.workdir.set("API_ROOT", "http://127.0.0.1:9");
    drop(backlog(&world, &["process"]).expect(69));
    assert_eq!(status(&world, "due"), json!(ids.len()));
    assert_eq!(status(&world, "delayed"), 0);
    world.workdir.set("API_ROOT", &there);
    drop(backlog(&world, &["process"]).expect(0));
    world.assert_mirrored("users");
}

#[test]
fn the_script_runs_once_on_a_host_and_refuses_what_it_does_not_know() {
    let world = world(&["--students", "20"]);
    drop(world.workdir.script(SCRIPT, &["--often"]).expect(2).complains(&["usage"]));
    let lock = world.workdir.path("logs/.backlog_worker.lock");
    let file = std::fs::File::create(lock).unwrap();
    file.lock().unwrap();
    assert_eq!(world.workdir.script(SCRIPT, &[]).expect(75).stderr, "", "in cron that is no news");
    drop(file);
    drop(world.workdir.script(SCRIPT, &[]).expect(0));
}

#[test]
fn the_script_holds_its_lock_as_long_as_its_worker_lives() {
    let world = world(&["--students", "20"]);
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(SCRIPT);
    let mut command = world.workdir.command(&script.display().to_string());
    command.arg("--watch").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut worker = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    // Its first round is over: it is the tool that lives now, no more the script.
    while !world.workdir.path("logs/backlog_metrics.json").exists() {
        assert!(Instant::now() < deadline, "it never worked");
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = world.workdir.script(SCRIPT, &[]);
    worker.kill().unwrap();
    worker.wait().unwrap();
    drop(second.expect(75));
    // What the killed worker was running ends a moment later, and holds the lock until then.
    drop(world.workdir.shell("timeout 60 flock \"$LOGS_DIR/.backlog_worker.lock\" true").expect(0));
    drop(world.workdir.script(SCRIPT, &[]).expect(0));
}
