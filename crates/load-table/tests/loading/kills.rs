//! Any process may be killed at any moment and run again.

use crate::mirror::{Mirror, campuses, text, user};
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

const ROWS: u64 = 6000;

/// Everything that the mirror says, without when it was written.
fn content(mirror: &Mirror) -> String {
    mirror.value("SELECT md5(string_agg((to_jsonb(u) - 'ingested_at')::text, '/' ORDER BY id)) FROM users u")
}

#[test]
fn a_load_that_was_killed_wrote_nothing_and_the_next_one_is_right() {
    let unbroken = Mirror::new();
    unbroken.load("campus", &campuses());
    let input = text((0..ROWS).map(user));
    let began = Instant::now();
    unbroken.load("users", &input);
    let whole = began.elapsed();
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.workdir.write("users.ndjson", &input);
    let mut killed = 0;
    for round in 0..10 {
        mirror.database.execute("TRUNCATE users CASCADE");
        let mut command = mirror.workdir.command("load-table");
        let mut child = command.args(["users", "users.ndjson"]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * round / 10);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        // The server may need a moment to notice.
        let deadline = Instant::now() + Duration::from_secs(20);
        let backends = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'load-table' AND datname = current_database()";
        while mirror.value(backends) != "0" {
            assert!(Instant::now() < deadline, "the session of a dead loader is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
        let rows = mirror.count("users");
        assert!(rows == 0 || rows == ROWS, "{rows} rows are neither nothing nor everything");
        let _again = mirror.feed(&["users", "users.ndjson"], "").expect(0);
        assert_eq!(content(&mirror), content(&unbroken));
    }
    assert!(killed >= 3, "only {killed} of 10 kills came in time");
}

#[test]
fn a_session_that_is_terminated_ends_in_one_sentence_and_writes_nothing() {
    let mirror = Mirror::new();
    let mut command = mirror.workdir.command("load-table");
    let command =
        command.arg("coalitions").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let row = "{\"id\": 1, \"name\": \"x\"}\n".repeat(20_000);
    stdin.write_all(row.as_bytes()).unwrap();
    let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'load-table' AND datname = current_database()";
    assert_eq!(mirror.value(terminate), "1");
    let deadline = Instant::now() + Duration::from_secs(20);
    // It may notice while it still reads, and leave its pipe.
    while Instant::now() < deadline
        && stdin.write_all(row.as_bytes()).is_ok()
        && child.try_wait().unwrap().is_none()
    {}
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{stderr}");
    assert!(stderr.starts_with("load-table: coalitions: ") && stderr.contains("lost PostgreSQL"), "{stderr}");
    assert_eq!((stderr.lines().count(), output.stdout.len(), mirror.count("coalitions")), (1, 0, 0));
}
