//! Workers that die, and workers at once.

use crate::desk::{BOTH, Desk, Store};
use serde_json::json;
use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;
use testkit::until;

fn start(desk: &Desk, arguments: &[&str]) -> Child {
    let mut command = desk.workdir.command("backlog");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A worker in the middle of its batch.
fn at_work(desk: &Desk) -> Child {
    desk.wish("slow", 60);
    desk.wish("started", "");
    let worker = start(desk, &["process"]);
    until("it fetches", || desk.workdir.path("wishes/running").exists());
    worker
}

#[test]
fn the_work_of_a_worker_that_is_killed_is_done_again_once() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_LEASE", "2");
        desk.add([1, 2, 3]);
        let mut worker = at_work(&desk);
        assert_eq!(desk.status()["leased"], json!(3), "{store:?}");
        worker.kill().unwrap();
        worker.wait().unwrap();
        desk.no_more("slow");
        until("the lease runs out", || {
            drop(desk.run(&["process"]).expect(0));
            desk.counts() == [0, 0, 3]
        });
        assert_eq!(desk.loaded(), BTreeMap::from([(1, 1), (2, 1), (3, 1)]), "{store:?}");
    }
}

/// Runs a scenario on both stores at once; for those that wait.
fn on_both(scenario: impl Fn(Store) + Copy + Send) {
    std::thread::scope(|scope| {
        let runs = BOTH.map(|store| scope.spawn(move || scenario(store)));
        runs.into_iter().for_each(|run| run.join().unwrap());
    });
}

#[test]
fn a_lease_is_lengthened_while_its_worker_lives() {
    on_both(|store| {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_LEASE", "5");
        desk.add([1]);
        desk.wish("slow", 11);
        desk.wish("started", "");
        let mut worker = start(&desk, &["process"]);
        until("it fetches", || desk.workdir.path("wishes/running").exists());
        desk.no_more("slow");
        while worker.try_wait().unwrap().is_none() {
            drop(desk.run(&["process"]).expect(0));
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(desk.loaded(), BTreeMap::from([(1, 1)]), "{store:?}: two workers did one item");
    });
}

#[test]
fn a_worker_that_was_stopped_takes_nothing_from_its_successor() {
    use rustix::process::{Pid, Signal, kill_process};
    on_both(|store| {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_LEASE", "1");
        desk.add([1]);
        desk.wish("slow", 2);
        desk.wish("started", "");
        let mut first = start(&desk, &["process"]);
        until("it fetches", || desk.workdir.path("wishes/running").exists());
        desk.no_more("slow");
        kill_process(Pid::from_child(&first), Signal::STOP).unwrap();
        until("another has done it", || {
            drop(desk.run(&["process"]).expect(0));
            desk.counts() == [0, 0, 1]
        });
        // Asked for again: what the first one is about to finish is not that.
        desk.add([1]);
        desk.workdir.set("BACKLOG_LEASE", "120");
        kill_process(Pid::from_child(&first), Signal::CONT).unwrap();
        assert!(first.wait().unwrap().success());
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.batches(), [[1], [1], [1]], "{store:?}: the second asking was taken for the first");
        assert_eq!(desk.counts(), [0, 0, 2], "{store:?}");
    });
}

#[test]
fn a_worker_that_is_asked_to_end_gives_back_what_it_has() {
    for store in BOTH {
        let desk = Desk::new(store);
        desk.add([1, 2, 3]);
        let worker = at_work(&desk);
        let pid = rustix::process::Pid::from_child(&worker);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let output = worker.wait_with_output().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(15));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("ended by SIGTERM") && said.lines().count() == 1, "{said}");
        let status = desk.status();
        assert_eq!((&status["due"], &status["leased"]), (&json!(3), &json!(0)), "{store:?}");
        let items = desk.run(&["list", "--json"]).expect(0).records();
        assert!(items.iter().all(|item| item["attempts"] == 0), "{items:?}");
    }
}

#[test]
fn a_worker_at_its_deadline_gives_back_what_it_has() {
    on_both(|store| {
        let desk = Desk::new(store);
        desk.add([1, 2, 3]);
        desk.wish("slow", 60);
        drop(desk.run(&["process", "--deadline", "4"]).expect(75).complains(&["gave up at its deadline"]));
        let status = desk.status();
        assert_eq!((&status["due"], &status["leased"]), (&json!(3), &json!(0)), "{store:?}");
    });
}

#[test]
fn an_item_that_kills_its_workers_is_found_and_buried() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_LEASE", "1");
        desk.workdir.set("BACKLOG_MAX_RETRIES", "0");
        desk.add([1, 2, 3]);
        // Whoever fetches 2 takes the worker along.
        let fetch = "#!/bin/sh\nids=$(cat)\nfor id in $ids; do [ $id != 2 ] || kill -9 $PPID; echo \"{\\\"id\\\": $id}\"; done\n";
        desk.tool("fetch-users", fetch);
        let (mut killed, mut runs) = (0, 0);
        until("it is dead", || {
            killed += u32::from(desk.run(&["process"]).code == 137);
            runs += 1;
            std::thread::sleep(Duration::from_millis(200));
            desk.counts() == [0, 1, 2]
        });
        assert_eq!((desk.ids("dead"), killed), (vec![2], 4), "{store:?}: after {runs} runs");
    }
}

#[test]
fn two_hosts_drain_one_backlog_and_do_nothing_twice() {
    let host = Desk::new(Store::Postgres);
    host.add(1..=300);
    let mut other = Desk::beside(None);
    other.workdir.set("DATABASE_URL", &host.database.as_ref().unwrap().url());
    other.workdir.set("BACKLOG_STORE", "postgres");
    let workers: Vec<Child> = [&host, &other, &host, &other]
        .into_iter()
        .map(|desk| {
            desk.wish("slow", "0.05");
            let mut command = desk.workdir.command("backlog");
            command.env("BACKLOG_FETCH_BATCH_SIZE", "7").arg("process").stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let (here, there) = (host.loaded(), other.loaded());
    assert!(!here.is_empty() && !there.is_empty(), "both work: {} and {}", here.len(), there.len());
    let mut all: Vec<(i64, usize)> = here.into_iter().chain(there).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=300).map(|id| (id, 1)).collect::<Vec<_>>());
    assert_eq!(host.counts(), [0, 0, 300]);
    assert_eq!(other.counts(), [0, 0, 300]);
}

#[test]
fn many_workers_of_one_host_do_nothing_twice() {
    let desk = Desk::new(Store::Files);
    desk.add(1..=200);
    desk.wish("slow", "0.02");
    let workers: Vec<Child> = (0..4)
        .map(|_| {
            let mut command = desk.workdir.command("backlog");
            command.env("BACKLOG_FETCH_BATCH_SIZE", "7").arg("process").stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let expected: BTreeMap<i64, usize> = (1..=200).map(|id| (id, 1)).collect();
    assert_eq!(desk.loaded(), expected);
    let left = std::fs::read_dir(desk.workdir.path("logs/.monitor_state")).unwrap();
    let left: Vec<String> =
        left.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.starts_with(".worker-")), "{left:?}");
}

#[test]
fn whenever_a_worker_is_killed_nothing_is_lost() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_LEASE", "1");
        desk.workdir.set("BACKLOG_FETCH_BATCH_SIZE", "5");
        // Whose worker dies again and again over it counts as failed in the end; then it comes back at once here.
        desk.workdir.set("BACKLOG_RETRY_DELAY", "0");
        desk.workdir.set("BACKLOG_MAX_RETRIES", "50");
        desk.add(1..=30);
        for step in 1..=10_u64 {
            let mut worker = start(&desk, &["process"]);
            std::thread::sleep(Duration::from_millis(step * 37 % 150));
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
        until("all is done", || {
            drop(desk.run(&["process"]));
            desk.status()["depth"] == 0
        });
        assert_eq!(desk.loaded().into_keys().collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>(), "{store:?}");
        assert_eq!(desk.status()["dead"], 0);
    }
}

#[test]
fn whenever_a_worker_of_a_long_backlog_is_killed_nothing_is_lost() {
    let mut desk = Desk::new(Store::Files);
    desk.workdir.set("BACKLOG_LEASE", "1");
    desk.add(1..=4300);
    for step in 1..=6_u64 {
        let mut worker = start(&desk, &["process"]);
        std::thread::sleep(Duration::from_millis(step * 97 % 400));
        worker.kill().unwrap();
        worker.wait().unwrap();
        desk.add([5000 + i64::try_from(step).unwrap()]);
    }
    until("all is done", || {
        drop(desk.run(&["process"]));
        desk.status()["depth"] == 0
    });
    let all: Vec<i64> = (1..=4300).chain(5001..=5006).collect();
    assert_eq!(desk.loaded().into_keys().collect::<Vec<_>>(), all);
}

#[test]
fn who_is_in_two_files_after_a_crash_is_one() {
    let desk = Desk::new(Store::Files);
    desk.add(1..=5000);
    desk.wish("fail", 75);
    drop(desk.run(&["process"]).expect(75));
    let [next, pending] = ["next", "pending"].map(|name| format!("logs/.monitor_state/{name}_users.jsonl"));
    // Between two renames: those who are next are in their file, and still in the other.
    let both = desk.workdir.read(&pending) + &desk.workdir.read(&next);
    desk.workdir.write(&pending, &both);
    assert_eq!(desk.counts(), [5000, 0, 0]);
    assert_eq!(desk.ids("list").len(), 5000);
    assert_eq!(desk.json(&["mark-processed", "1"])["marked"], 1);
    assert_eq!(desk.counts(), [4999, 0, 1]);
    assert_eq!(desk.ids("list").len(), 4999);
}
