//! Every tool, and what it is run with when something that it waits for is not there.

use end_to_end::World;
use std::path::Path;
use testkit::Run;

/// A tool in front of a silent server.
pub(crate) struct Wait {
    /// A line of shell.
    pub(crate) line: &'static str,
    /// How it ends, with [`DEADLINE`] seconds at most.
    code: i32,
    /// What it says then.
    words: &'static str,
}

const DEADLINE: &str = "gave up at its deadline";

const fn wait(line: &'static str, code: i32, words: &'static str) -> Wait {
    Wait { line, code, words }
}

/// Who waits for the database. Those that only look, or only record, have a patience of their own.
pub(crate) const DATABASE: [Wait; 12] = [
    wait("load-table users --export", 75, DEADLINE),
    wait("load-table users <exports/08_users/cursus_21/all.ndjson", 75, DEADLINE),
    wait("load-table users --watermark", 75, DEADLINE),
    wait("init-db", 75, DEADLINE),
    wait("init-db --check", 75, DEADLINE),
    wait("BACKLOG_STORE=postgres backlog status", 75, DEADLINE),
    wait("backlog process", 75, DEADLINE),
    wait("purge-people run", 75, DEADLINE),
    // How the mirror is, is its code as long as it is below 4.
    wait("check-integrity run --dry-run >/dev/null; code=$?; [ $code -lt 4 ] || exit $code", 75, DEADLINE),
    wait("job-run --job patient -- true", 0, "the database does not answer"),
    wait("job-monitor active", 69, "PostgreSQL does not answer"),
    wait("pipeline-status live --patience 2", 69, "no answer within 2 s"),
];

/// Who waits for the API.
pub(crate) const API: [Wait; 5] = [
    wait("fetch-cursus --export --force achievements", 75, DEADLINE),
    wait("fetch-users users", 75, DEADLINE),
    wait("fetch-users users --since 2026-01-01", 75, DEADLINE),
    wait("api-token refresh", 75, DEADLINE),
    wait("backlog add 1 && backlog process", 75, DEADLINE),
];

/// A stand-in waits for nobody; a server never ends by itself, and its own tests take the database away from it; what
/// measures is for developers.
const NOBODY: [&str; 3] = ["mock-api42", "monitor-server", "bench"];

/// What prints to stdout: everything but what only works.
pub(crate) const PRINTING: [&str; 13] = [
    "fetch-cursus campus",
    "fetch-users users",
    "load-table users --export",
    "load-table users --watermark",
    "init-db --print",
    "init-db --list",
    "backlog status",
    "api-token info --offline",
    "api-token metrics",
    "job-run --job prints -- job-monitor active",
    "job-monitor summary --json",
    "pipeline-status",
    "purge-people run",
];

/// It prints too, and has a code of its own for what cannot be printed: `tests/integrity` holds it.
const OWN_CODES: &str = "check-integrity";

/// Runs all of these at once with a deadline of three seconds; each has to end by itself, as it should.
pub(crate) fn wait_in_vain(world: &World, waits: &[&Wait]) {
    // Whoever hangs is ended, and found out by its code. Each has a token of its own to wait for.
    let run = |number: usize, line: &str| {
        let state = format!("STATE_DIR=state/in_vain_{number}");
        world.workdir.shell(&format!("DEADLINE=3 {state} timeout -k 1 60 bash -c '{line}'"))
    };
    let runs: Vec<Run> = std::thread::scope(|scope| {
        let threads = waits.iter().enumerate();
        let threads: Vec<_> =
            threads.map(|(number, wait)| scope.spawn(move || run(number, wait.line))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (wait, run) in waits.iter().zip(runs) {
        let run = run.expect(wait.code);
        assert!(run.stderr.contains(wait.words), "{} does not say `{}`: {run:#?}", wait.line, wait.words);
        assert!(run.stderr.lines().count() <= 2, "{run:#?}");
    }
}

/// The same lines again, now that somebody answers.
pub(crate) fn go_on(world: &World, waits: &[&Wait]) {
    for wait in waits {
        let run = world.workdir.shell(wait.line);
        assert!(matches!(run.code, 0 | 3), "{run:#?}");
    }
}

#[test]
fn every_tool_is_put_to_the_test() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let folders = std::fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path());
    let tools = folders.filter(|folder| folder.join("src/main.rs").exists());
    let lines: Vec<&str> = DATABASE.iter().chain(&API).map(|wait| wait.line).collect();
    for tool in tools {
        let tool = tool.file_name().unwrap().to_string_lossy().into_owned();
        let is_put = |lines: &[&str]| lines.iter().any(|line| line.split(' ').any(|word| word == tool));
        let is_exempt = NOBODY.contains(&tool.as_str());
        assert!(is_exempt || is_put(&lines), "what does {tool} do when nobody answers? see tools.rs");
        let is_exempt = is_exempt || tool == OWN_CODES;
        assert!(is_exempt || is_put(&PRINTING), "what does {tool} do when nobody takes what it prints?");
    }
}

/// Fetches and loads what the lines above need.
pub(crate) fn prepare(world: &World) {
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-users", "users"));
}
