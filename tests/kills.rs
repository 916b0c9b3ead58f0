//! SIGKILL anywhere, then again: the rows are those of an unbroken run.

use end_to_end::{HANGING, NIGHTLY, World};
use std::process::Stdio;
use std::time::Duration;

/// A sequence of delays that is the same in each run, without a generator of random numbers.
fn delays(longest: u64) -> impl Iterator<Item = Duration> {
    (1..).map(move |step: u64| Duration::from_millis(step * 7919 % longest))
}

/// Starts a command, kills it after a delay; says whether it was still alive.
fn kill_after(world: &World, tool: &str, arguments: &[&str], delay: Duration) -> bool {
    let mut command = world.workdir.command(tool);
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(delay);
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    alive
}

#[test]
fn a_walk_that_is_killed_goes_on_where_it_was() {
    let world = World::new(&["--students", "3000", "--per-second", "20", "--latency", "20"]);
    drop(world.mirror("fetch-cursus", "campus"));
    world.mock.forget();
    let walk = ["--export", "users"];
    let killed =
        delays(900).take(25).filter(|delay| kill_after(&world, "fetch-users", &walk, *delay)).count();
    assert!(killed >= 5, "only {killed} walks were still alive when they were killed");
    let run = world.run("fetch-users", &walk).expect(0);
    drop(world.load("users"));
    world.assert_mirrored("users");
    let lists = world.mock.all("/v2/campus").len() as u64;
    let pages = 3000_u64.div_ceil(100) + lists;
    let calls = world.mock.count("calls");
    // What was in flight when it was killed is asked again; what was stored is not.
    assert!(calls <= pages + 25 * 10, "{calls} calls for {pages} pages: {run:#?}");
}

#[test]
fn a_load_that_is_killed_leaves_the_table_as_it_was_or_as_it_should_be() {
    let world = World::new(&["--students", "4000"]);
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.run("fetch-users", &["--export", "users"]).expect(0));
    let load = ["users", "--export"];
    let mut killed = 0;
    for delay in delays(250).take(30) {
        killed += u32::from(kill_after(&world, "load-table", &load, delay));
        let rows = world.rows("users");
        assert!(rows == 0 || rows >= 4000, "half a load is visible: {rows} rows");
    }
    assert!(killed >= 5, "only {killed} loads were still alive when they were killed");
    drop(world.load("users"));
    world.assert_mirrored("users");
}

#[test]
fn a_whole_nightly_that_is_killed_again_and_again_ends_as_one_that_was_not() {
    let world = World::new(&["--students", "1500", "--latency", "10"]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/cron/nightly_stable_tables.sh");
    let mut killed = 0;
    for delay in delays(2500).take(12) {
        // timeout kills the script, and that its stages, which may take a moment.
        let seconds = format!("{:.2}", delay.as_secs_f64() + 0.05);
        let once = format!("timeout -s KILL {seconds} {script}");
        let run = world
            .workdir
            .shell(&format!("while {once}; code=$?; test $code = 75; do sleep 0.05; done; exit $code"));
        killed += u32::from(run.code == 137);
    }
    assert!(killed >= 3, "only {killed} runs were still alive when they were killed");
    let again = format!("while {script}; test $? = 75; do sleep 0.1; done; {script}");
    drop(world.workdir.shell(&again).expect(3));
    for table in NIGHTLY.into_iter().chain(HANGING) {
        world.assert_mirrored(table);
    }
}

#[test]
fn a_tool_that_is_asked_to_end_says_so() {
    let world = World::new(&["--students", "500", "--latency", "300"]);
    drop(world.mirror("fetch-cursus", "campus"));
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let run = world
            .workdir
            .shell(&format!("set -m; fetch-users --export users & sleep 0.7; kill -{signal} $!; wait $!"))
            .expect(code);
        assert!(run.stderr.contains(&format!("ended by SIG{signal}")), "{run:#?}");
    }
}
