//! One run, from start to end.

use crate::{Desk, alive, say, signal, until};
use serde_json::json;
use std::io::Read;

#[test]
fn exit_codes_are_the_commands_and_decide_how_the_run_ended() {
    let desk = Desk::new();
    for (job, line, code, status) in [
        ("well", "true", 0, "completed"),
        ("aside", "exit 3", 3, "partial"),
        ("bad", "exit 65", 65, "failed"),
        ("busy", "exit 75", 75, "failed"),
    ] {
        let run = desk.job(job, line).expect(code);
        assert!(run.stderr.is_empty() && run.stdout.is_empty(), "{run:#?}");
        let row = desk.row(job);
        assert_eq!((&row["status"], &row["exit_code"]), (&json!(status), &json!(code)), "{row:#}");
        assert!(row["completed_at"].is_string() && row["term_signal"].is_null(), "{row:#}");
    }
    drop(desk.job("killed", "kill -KILL $$").expect(137));
    let row = desk.row("killed");
    assert_eq!((&row["status"], &row["term_signal"]), (&json!("failed"), &json!(9)), "{row:#}");
    assert_eq!(row["error_message"], "ended by signal 9");
}

#[test]
fn a_command_that_cannot_be_started_is_a_run_that_failed() {
    let desk = Desk::new();
    let run = desk.workdir.run("job-run", &["--job", "gone", "--", "/no/such/tool"]).expect(127);
    drop(run.complains(&["job-run: /no/such/tool: No such file"]));
    desk.workdir.write("plain.txt", "");
    drop(desk.workdir.run("job-run", &["--job", "plain", "--", "./plain.txt"]).expect(126));
    for (job, code) in [("gone", 127), ("plain", 126)] {
        let row = desk.row(job);
        assert_eq!((&row["status"], &row["exit_code"]), (&json!("failed"), &json!(code)), "{row:#}");
    }
}

#[test]
fn input_and_output_are_the_commands_own() {
    let desk = Desk::new();
    let run = desk.workdir.feed("job-run", &["--job", "cat", "--", "sh", "-c", "cat; echo word >&2"], "in\n");
    let run = run.expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("in\n", "word\n"));
}

#[test]
fn what_dotenv_says_is_for_the_tools_that_read_it() {
    let desk = Desk::new();
    desk.workdir.write(".env", "ONLY_IN_DOTENV=x\nLOGS_DIR=elsewhere\n");
    let line = r#"test -z "$ONLY_IN_DOTENV" && test -n "$JOB_PARENT" && test "$LOGS_DIR" != elsewhere"#;
    drop(desk.job("x", line).expect(0));
}

#[test]
fn a_run_that_does_nothing_leaves_a_row() {
    let desk = Desk::new();
    drop(
        desk.workdir
            .run("job-run", &["--job", "idle", "--type", "live", "--total", "0", "--", "true"])
            .expect(0),
    );
    let row = desk.row("idle");
    assert_eq!((&row["status"], &row["total_items"]), (&json!("completed"), &json!(0)), "{row:#}");
    assert_eq!((&row["items_processed"], &row["job_type"]), (&json!(0), &json!("live")), "{row:#}");
}

#[test]
fn what_the_command_says_of_its_progress_is_in_the_row_to_the_last_line() {
    let desk = Desk::new();
    let lines = [
        r#"{"ev":"total","n":60}"#,
        r#"{"ev":"item","ok":true,"key":"user:1"}"#,
        r#"{"ev":"item","ok":false,"key":"user:2"}"#,
        r#"{"ev":"item","n":3}"#,
        r#"{"ev":"counts","ok":50,"failed":2,"skipped":1,"by":"other"}"#,
        r#"{"ev":"checkpoint","data":{"page":7}}"#,
        "no line of ours",
        r#"{"ev":"error","text":"two were refused"}"#,
    ];
    let script: String = lines.iter().map(|line| say(line)).collect();
    let run = desk.job("load_x", &format!("{script} exit 3")).expect(3);
    drop(run.complains(&["load_x: 1 lines of its progress make no sense"]));
    let row = desk.row("load_x");
    let counters = ["total_items", "items_processed", "items_succeeded", "items_failed", "items_skipped"];
    assert_eq!(counters.map(|name| row[name].as_i64().unwrap()), [60, 58, 51, 3, 4], "{row:#}");
    assert_eq!(row["checkpoint"], json!({"page": 7}));
    assert_eq!(row["metadata"]["current_item"], "user:2");
    assert_eq!((&row["error_message"], &row["job_type"]), (&json!("two were refused"), &json!("load")));
    let left = std::fs::read_dir(desk.workdir.path("logs/.monitor_state/jobs")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["load_x.lock"], "the file of progress goes with the run");
}

#[test]
fn a_run_with_failed_items_is_never_complete() {
    let desk = Desk::new();
    drop(desk.job("x", &say(r#"{"ev":"item","ok":false}"#)).expect(0));
    assert_eq!(desk.row("x")["status"], "partial");
}

#[test]
fn progress_shows_while_it_runs() {
    let desk = Desk::new();
    let wait = "while ! [ -e go ]; do sleep 0.05; done";
    let lines = [r#"{"ev":"total","n":8}"#, r#"{"ev":"item","ok":true,"n":6}"#].map(say).concat();
    let mut child = desk.start("x", &format!("{lines} {wait}"));
    desk.wait("SELECT items_processed || '/' || total_items FROM ops.job_executions", "6/8");
    let row = desk.row("x");
    assert!(row["items_per_second"].as_f64() > Some(0.0) && row["completed_at"].is_null(), "{row:#}");
    desk.workdir.write("go", "");
    assert!(child.wait().unwrap().success());
    assert_eq!(desk.row("x")["status"], "completed");
}

#[test]
fn a_tool_of_ours_tells_how_far_it_is_and_why_it_failed() {
    let desk = Desk::new();
    let rows: String = (1..=40)
        .map(|id| format!("{{\"id\":{id},\"name\":\"c{id}\",\"slug\":\"s{id}\",\"kind\":\"main\"}}\n"))
        .collect();
    let command = ["--job", "load_cursus", "--", "load-table", "cursus"];
    drop(desk.workdir.feed("job-run", &command, &rows).expect(0));
    let row = desk.row("load_cursus");
    assert_eq!((&row["items_succeeded"], &row["status"]), (&json!(40), &json!("completed")), "{row:#}");
    let run = desk
        .workdir
        .feed("job-run", &["--job", "load_html", "--", "load-table", "cursus"], "<html>\n")
        .expect(65);
    let row = desk.row("load_html");
    let said = row["error_message"].as_str().unwrap();
    assert!(run.stderr.trim_end() == said && said.starts_with("load-table: "), "{said}: {run:#?}");
}

#[test]
fn runs_within_a_run_are_its_children_and_its_items() {
    let desk = Desk::new();
    let line = format!(
        "{} job-run --job inner_one -- true; job-run --job inner_two -- false; job-run --job inner_three -- sh -c 'exit 3'",
        say(r#"{"ev":"total","n":3}"#)
    );
    drop(desk.job("outer", &line).expect(3));
    let outer = desk.row("outer");
    let counters = ["total_items", "items_succeeded", "items_failed"];
    assert_eq!(counters.map(|name| outer[name].as_i64().unwrap()), [3, 2, 1], "{outer:#}");
    for inner in ["inner_one", "inner_two", "inner_three"] {
        assert_eq!(desk.row(inner)["parent_run"], outer["run"], "{inner}");
    }
    let id = outer["id"].to_string();
    drop(desk.workdir.run("job-run", &["--job", "late", "--parent", &id, "--", "true"]).expect(0));
    assert_eq!(desk.row("late")["parent_run"], outer["run"]);
    let run = desk.workdir.run("job-run", &["--job", "late", "--parent", "x'y", "--", "true"]).expect(2);
    assert!(run.stderr.contains("the number of a run"), "{run:#?}");
}

#[test]
fn a_signal_reaches_all_that_was_started_and_the_run_is_cancelled() {
    let desk = Desk::new();
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let job = format!("sleeps_{name}");
        let mut child = desk.start(&job, "sh -c 'echo $$ >pid; exec sleep 300' | cat");
        until("a pid", || std::fs::read_to_string(desk.workdir.path("pid")).is_ok_and(|pid| !pid.is_empty()));
        signal(&child, name);
        let status = child.wait().unwrap();
        let ended =
            status.code().or_else(|| std::os::unix::process::ExitStatusExt::signal(&status).map(|s| 128 + s));
        assert_eq!(ended, Some(code));
        let row = desk.row(&job);
        assert_eq!(row["status"], "cancelled", "{row:#}");
        let pid = desk.workdir.read("pid");
        until("what it started ends too", || !alive(pid.trim()));
        std::fs::remove_file(desk.workdir.path("pid")).unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.is_empty(), "{said}");
    }
}

#[test]
fn a_command_that_ends_well_although_it_was_asked_to_end_has_completed() {
    let desk = Desk::new();
    desk.workdir.write("end.sh", &say(r#"{"ev":"item","ok":true}"#));
    let line = "trap '. ./end.sh; exit 0' TERM; sleep 300 & touch ready; wait";
    let mut child = desk.start("tidy", line);
    until("ready", || desk.workdir.path("ready").exists());
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let row = desk.row("tidy");
    assert_eq!(
        (&row["status"], &row["items_succeeded"]),
        (&json!("completed"), &json!(1)),
        "final counters: {row:#}"
    );
}

#[test]
fn what_opens_doors_is_not_on_record() {
    let desk = Desk::new();
    let url = "postgresql://ann:hunter2@db/mirror";
    drop(desk.workdir.run("job-run", &["--job", "x", "--", "echo", url]).expect(0));
    let row = desk.row("x").to_string();
    assert!(!row.contains("hunter2") && row.contains("postgresql://…@db/mirror"), "{row}");
}
