//! Every variable does what it says.

use crate::desk::{BOTH, Desk, Store};
use serde_json::json;
use std::process::Stdio;

#[test]
fn nonsense_is_a_matter_of_configuration() {
    for (name, value) in [
        ("BACKLOG_STORE", "redis"),
        ("BACKLOG_FETCH_BATCH_SIZE", "0"),
        ("BACKLOG_FETCH_BATCH_SIZE", "many"),
        ("BACKLOG_MAX_RETRIES", "-1"),
        ("BACKLOG_RETRY_DELAY", "1.5"),
        ("BACKLOG_POLL_INTERVAL", "0"),
        ("BACKLOG_LEASE", "soon"),
        ("BACKLOG_ENABLE_METRICS", "maybe"),
        ("BACKLOG_METRIC_INTERVAL", "1m"),
    ] {
        let mut desk = Desk::new(Store::Files);
        desk.workdir.set(name, value);
        drop(desk.run(&["status"]).expect(78).complains(&[name, ".env.example"]));
        desk.workdir.set(name, "");
        drop(desk.run(&["status"]).expect(0));
    }
}

#[test]
fn the_batch_is_as_large_as_said_and_never_more_than_the_api_takes() {
    for store in BOTH {
        for (size, expected) in [("3", vec![3, 3, 1]), ("", vec![7]), ("5000", vec![7])] {
            let mut desk = Desk::new(store);
            desk.workdir.set("BACKLOG_FETCH_BATCH_SIZE", size);
            desk.add(1..=7);
            drop(desk.run(&["process"]).expect(0));
            assert_eq!(desk.batches().iter().map(Vec::len).collect::<Vec<_>>(), expected, "{store:?}");
        }
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_FETCH_BATCH_SIZE", "5000");
        desk.add(1..=150);
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.batches().iter().map(Vec::len).collect::<Vec<_>>(), [100, 50]);
    }
}

#[test]
fn a_delay_is_what_was_said_doubled_each_time() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_RETRY_DELAY", "900");
        desk.add([1]);
        desk.wish("fail_1", 65);
        for least in [900, 1800, 3600] {
            drop(desk.run(&["process"]).expect(3));
            let item = desk.run(&["list", "--json"]).expect(0).json();
            let seconds = |text: &serde_json::Value| {
                text.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp()
            };
            let rest = seconds(&item["due"]) - seconds(&desk.status()["at"]);
            assert!(rest > least / 2 && rest <= least * 5 / 4, "{store:?}: {rest} s after {least}");
            assert_eq!(desk.json(&["retry", "1"]), json!({"retried": 1}));
        }
    }
}

#[test]
fn metrics_are_written_as_seldom_as_said_or_not_at_all() {
    let mut desk = Desk::new(Store::Files);
    let depth = |desk: &Desk| {
        let text = desk.workdir.read("logs/backlog_metrics.json");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["processed"].as_u64()
    };
    desk.workdir.set("BACKLOG_ENABLE_METRICS", "no");
    desk.add([1]);
    drop(desk.run(&["process"]).expect(0));
    assert!(!desk.workdir.path("logs/backlog_metrics.json").exists());
    for yes in ["true", "1", "YES"] {
        desk.workdir.set("BACKLOG_ENABLE_METRICS", yes);
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(depth(&desk), Some(1), "{yes}");
    }
    desk.add([2]);
    drop(desk.run(&["process"]).expect(0));
    assert_eq!(depth(&desk), Some(1), "younger than a minute");
    desk.workdir.set("BACKLOG_METRIC_INTERVAL", "0");
    drop(desk.run(&["process"]).expect(0));
    assert_eq!(depth(&desk), Some(2));
}

#[test]
fn a_worker_that_watches_looks_again_and_waits_out_an_outage() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_POLL_INTERVAL", "1");
        desk.wish("fail", 69);
        desk.add([1]);
        let mut command = desk.workdir.command("backlog");
        let mut worker = command
            .args(["process", "--watch"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let wait = |what: &str, is_so: &dyn Fn() -> bool| {
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
            while !is_so() {
                assert!(std::time::Instant::now() < deadline, "{store:?}: waited in vain until {what}");
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        };
        wait("it saw the outage", &|| {
            desk.workdir.path("logs/backlog.log").exists() && desk.log().contains("away")
        });
        desk.no_more("fail");
        wait("the first is done", &|| desk.counts() == [0, 0, 1]);
        desk.add([2]);
        wait("the second is done", &|| desk.counts() == [0, 0, 2]);
        assert!(worker.try_wait().unwrap().is_none(), "it goes on");
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
}
