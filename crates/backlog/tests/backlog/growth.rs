//! What an operation costs does not grow with the backlog: counted, not timed.

use crate::desk::{BOTH, Desk, Store};
use serde_json::json;
use std::os::unix::fs::MetadataExt;

const MANY: i64 = 20_000;

/// What a command made its processes read and write, in bytes, and how it ended.
fn moved(desk: &Desk, line: &str) -> ([u64; 2], i32) {
    let tool = testkit::tool("backlog").display().to_string();
    // Linux tells the parent what its children have read and written.
    let line = format!("{tool} {line}; code=$?; grep -E '^[rw]char:' /proc/$$/io >&2; exit $code");
    let run = desk.workdir.shell(&line);
    let bytes = |name: &str| {
        let line = run.stderr.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{run:#?}")).trim().parse().unwrap()
    };
    ([bytes("rchar:"), bytes("wchar:")], run.code)
}

#[test]
fn who_is_added_is_a_line_more_and_nothing_else_is_written() {
    let desk = Desk::new(Store::Files);
    desk.add(1..=MANY);
    let pending = desk.workdir.path("logs/.monitor_state/pending_users.jsonl");
    let (before, file) = (std::fs::read(&pending).unwrap(), std::fs::metadata(&pending).unwrap().ino());
    let ([_, written], code) = moved(&desk, "add 50000 hand");
    assert_eq!(code, 0);
    assert!(written < 2000, "{written} bytes were written to add one");
    assert_eq!(std::fs::metadata(&pending).unwrap().ino(), file);
    let after = std::fs::read(&pending).unwrap();
    assert!(after.starts_with(&before) && after.len() < before.len() + 200);
    assert_eq!(desk.json(&["add", "50000"]), json!({"added": 0, "known": 1, "dead": 0}));
    assert_eq!(std::fs::read(&pending).unwrap(), after, "who is there is not added again");
}

#[test]
fn what_a_worker_does_to_a_batch_is_as_large_as_those_who_are_next() {
    let desk = Desk::new(Store::Files);
    desk.add(1..=MANY);
    let all = std::fs::metadata(desk.workdir.path("logs/.monitor_state/pending_users.jsonl")).unwrap().len();
    desk.wish("fail", 75);
    // The first one to claim takes those who are next out of the long file.
    assert_eq!(moved(&desk, "process").1, 75);
    let ([read, written], code) = moved(&desk, "process");
    assert_eq!(code, 75);
    assert!(written < all / 2 && read < 2 * all, "{read} read and {written} written, of {all}");
    let status = desk.status();
    assert_eq!((&status["depth"], &status["due"]), (&json!(MANY), &json!(MANY)));
}

#[test]
fn a_long_backlog_is_drained_in_the_order_in_which_it_is_due() {
    let desk = Desk::new(Store::Files);
    desk.add(1..=4500);
    desk.wish("fail_2500", 65);
    drop(desk.run(&["process"]).expect(3));
    let mut batches = desk.batches();
    batches.retain(|batch| batch.len() == 100);
    let first: Vec<i64> = batches.iter().map(|batch| batch[0]).collect();
    assert!(first.is_sorted(), "{first:?}");
    assert_eq!(desk.ids("list"), [2500]);
    assert!(desk.loaded().len() == 4499 && desk.loaded().values().all(|times| *times == 1));
    assert!(!desk.workdir.path("logs/.monitor_state/next_users.jsonl").exists(), "few are in one file");
}

#[test]
fn a_long_backlog_is_one_whatever_its_files() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_MAX_RETRIES", "0");
        desk.add(1..=5000);
        desk.wish("fail", 75);
        drop(desk.run(&["process"]).expect(75));
        assert_eq!(desk.json(&["add", "7"]), json!({"added": 0, "known": 1, "dead": 0}), "{store:?}");
        assert_eq!(desk.json(&["add", "4999"]), json!({"added": 0, "known": 1, "dead": 0}), "{store:?}");
        assert_eq!(desk.json(&["mark-processed", "8", "4998"]), json!({"marked": 2, "unknown": 0}));
        assert_eq!(desk.json(&["forget", "9", "4997"]), json!({"forgotten": 2}));
        assert_eq!(desk.counts(), [4996, 0, 2], "{store:?}");
        desk.no_more("fail");
        desk.wish("fail_1", 65);
        desk.wish("fail_4000", 65);
        drop(desk.run(&["process"]).expect(3));
        assert_eq!(desk.counts(), [0, 2, 4996], "{store:?}");
        let mut dead = desk.ids("dead");
        dead.sort_unstable();
        assert_eq!(dead, [1, 4000], "{store:?}");
        assert_eq!(desk.json(&["add", "4000"]), json!({"added": 0, "known": 0, "dead": 1}), "{store:?}");
    }
}

#[test]
fn a_worker_reads_no_table_from_end_to_end() {
    let mut desk = Desk::new(Store::Postgres);
    desk.workdir.set("BACKLOG_ENABLE_METRICS", "false");
    desk.add(1..=MANY);
    let database = desk.database.as_ref().unwrap();
    database.execute("ANALYZE ops.backlog; SELECT pg_stat_reset()");
    desk.wish("fail", 75);
    drop(desk.run(&["process"]).expect(75));
    let read = |column: &str| {
        let query = format!("SELECT {column} FROM pg_stat_user_tables WHERE relname = 'backlog'");
        database.value(&query).parse::<u64>().unwrap()
    };
    testkit::until("the server's counts", || read("n_tup_upd") >= 200);
    assert_eq!(read("seq_tup_read"), 0);
    let rows = read("idx_tup_fetch");
    assert!(rows < 2000, "{rows} rows were read for one batch");
}

#[test]
fn what_is_counted_is_not_held() {
    for store in BOTH {
        let desk = Desk::new(store);
        desk.add(1..=MANY);
        let tool = testkit::tool("backlog").display().to_string();
        // Of data a process may have 16 MiB, two of its threads' stacks included: less than the items are together.
        let run = desk.workdir.shell(&format!("ulimit -d 16384; {tool} status --json")).expect(0);
        assert_eq!(run.json()["depth"], json!(MANY), "{store:?}");
    }
}
