//! The limit of the real API, two calls a second. Alone in its program: a call that the machine sends 50 ms late may
//! meet the one after the next in the same second.

use end_to_end::World;
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testkit::Mock;

/// What the mock counted while two processes fetched at once.
fn fetch_at_once() -> (u64, u64, u64) {
    let world =
        World::new(&["--students", "60", "--per-second", "2", "--per-hour", "1200", "--latency", "150"]);
    drop(world.run("fetch-cursus", &["--export", "campus"]).expect(0));
    let line = "fetch-users --export users & fetch-cursus --export --force coalitions achievements; wait $!";
    drop(world.workdir.shell(line).expect(0));
    for table in ["campuses", "users", "coalitions", "achievements"] {
        drop(world.load(table));
        world.assert_mirrored(table);
    }
    (
        world.mock.count("throttled"),
        world.mock.count("limit_violations"),
        world.mock.count("max_in_any_second"),
    )
}

#[test]
fn two_processes_at_once_share_two_calls_a_second() {
    // A pace that is wrong is wrong each time; a machine that stood still is not.
    let tries: Vec<_> = (0..3).map(|_| fetch_at_once()).take_while(|counted| *counted != (0, 0, 2)).collect();
    assert!(tries.len() < 3, "429s, violations, most in a second: {tries:?}");
}

/// Work of four kinds that never ends: class, command, and what it asks of the API.
const KINDS: [(&str, &str, &str); 4] = [
    (
        "bulk",
        "fetch-users --export --force projects_users",
        "/v2/projects_users?filter[cursus]&filter[user_id]",
    ),
    ("live", "fetch-users users --since 2025-12-13T00:00:00Z", "&range[updated_at]"),
    ("backlog", "fetch-users achievements_users --ids - <ids", "/v2/achievements_users?filter[user_id]"),
    ("hand", "fetch-cursus --path /v2/project_sessions", "/v2/project_sessions?"),
];

/// Starts work of a kind, again and again, in a process group of its own.
fn start(world: &World, class: &str, command: &str) -> Child {
    let line = format!("while :; do {command} >/dev/null; sleep 0.1; done");
    let mut bash = world.workdir.command("/bin/bash");
    bash.args(["-c", &line]).env("PACE_CLASS", class).env("RUST_LOG", "error").process_group(0);
    bash.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("bash runs")
}

/// Ends what was started, and what that started.
fn stop(mut child: Child) {
    let group = format!("-{}", child.id());
    drop(Command::new("kill").args(["-KILL", "--", &group]).status());
    drop(child.wait());
}

/// A world whose students are known, and whose API begins to count now: two calls a second, so many an hour.
fn counted_world(per_hour: u64) -> World {
    let mut world = World::new(&["--students", "400"]);
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-users", "users"));
    let ids = world.database.rows("SELECT id FROM users ORDER BY id");
    let ids: String = ids.iter().map(|row| format!("{}\n", row["id"])).collect();
    world.workdir.write("ids", &ids);
    let per_hour = per_hour.to_string();
    world.mock = Mock::start(&["--students", "400", "--per-second", "2", "--per-hour", &per_hour]);
    world.workdir.set("API_ROOT", world.mock.url());
    world.workdir.set("STATE_DIR", &world.workdir.path("state/counted").display().to_string());
    world
}

/// What the mock counted while four kinds of work used up an hour, and for ten more seconds.
fn use_up_an_hour(per_hour: u64) -> Value {
    let world = counted_world(per_hour);
    let shells: Vec<Child> = KINDS.iter().map(|(class, command, _)| start(&world, class, command)).collect();
    let until = Instant::now() + Duration::from_secs(60 + per_hour);
    while world.mock.count("calls") < per_hour * 95 / 100 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(500));
    }
    std::thread::sleep(Duration::from_secs(10));
    let stats = world.mock.stats();
    shells.into_iter().for_each(stop);
    stats
}

fn kept_the_limits(stats: &Value) -> bool {
    let zero = |name: &str| stats[name] == 0;
    zero("throttled") && zero("limit_violations") && stats["max_in_any_second"] == 2
}

/// `LIMITS_PER_HOUR=1200` shows it with the real limit, in eleven minutes.
#[test]
fn four_kinds_of_work_at_once_use_an_hour_up_and_not_more() {
    let text = std::env::var("LIMITS_PER_HOUR").unwrap_or_default();
    let per_hour: u64 = if text.is_empty() { 120 } else { text.parse().expect("calls an hour") };
    let mut tries = Vec::new();
    // As above: a pace that is wrong is wrong each time.
    while tries.len() < 2 && !tries.last().is_some_and(kept_the_limits) {
        tries.push(use_up_an_hour(per_hour));
    }
    let stats = tries.last().expect("one try at least");
    assert!(kept_the_limits(stats), "{tries:?}");
    let calls = stats["calls"].as_u64().expect("a number");
    assert!(calls <= per_hour && calls * 100 >= per_hour * 95, "{calls} of {per_hour}: {stats}");
    let questions = stats["by_question"].as_object().expect("an object");
    for (class, _, asked) in KINDS {
        let calls = questions.iter().filter(|(question, _)| question.contains(asked));
        assert!(calls.count() > 0, "{class} was left out: {stats}");
    }
}
