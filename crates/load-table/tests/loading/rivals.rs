//! Loaders at the same time wait for each other and never deadlock.

use crate::mirror::{CURSUS, Mirror, campuses, lines, text, user, with};
use serde_json::json;
use std::time::Duration;
use testkit::Run;

const ROUNDS: u64 = 8;

/// Runs these loads again and again, each in a thread of its own, with another wallet in every round.
fn compete(mirror: &Mirror, loads: &[&(dyn Fn(u64) + Sync)]) {
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    std::thread::scope(|scope| {
        for load in loads {
            scope.spawn(move || (0..ROUNDS).for_each(load));
        }
    });
    assert_eq!(mirror.value(deadlocks), "0");
}

#[test]
fn two_loaders_of_one_table_in_opposite_orders() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let load = |round: u64, ids: Vec<u64>| {
        let records = ids.into_iter().map(|id| with(user(id), json!({"wallet": round * 1000 + id})));
        mirror.load("users", &text(records));
    };
    let up = |round| load(round, (0..300).collect());
    let down = |round| load(round + 100, (0..300).rev().collect());
    compete(&mirror, &[&up, &down]);
    assert_eq!(mirror.count("users"), 300);
    assert_eq!(mirror.count("(SELECT DISTINCT wallet - id FROM users) written_by_one_load"), 1);
}

#[test]
fn loaders_of_parent_and_child_and_a_pruning_one() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("achievements", r#"{"id": 5}"#);
    mirror.export("08_users", CURSUS, &lines((0..200).map(user)));
    let parents = |round: u64| {
        let records = (0..220).map(|id| with(user(id), json!({"wallet": round})));
        mirror.load("users", &text(records));
    };
    let pruning = |_| drop(mirror.load_export("users", &[]).expect(0));
    let children = |round: u64| {
        let badges =
            (0..220).map(|id| json!({"id": id, "user_id": id, "achievement_id": 5, "nbr_of_success": round}));
        let run = mirror.feed(&["achievements_users"], &text(badges));
        assert!(run.code == 0 || run.code == 3, "{run:#?}");
    };
    let grandparents =
        |round: u64| drop(mirror.load("campus", &format!("{{\"id\": 1, \"users_count\": {round}}}")));
    compete(&mirror, &[&parents, &pruning, &children, &grandparents]);
    mirror.load("users", &text((0..220).map(user)));
    // Whoever waited is released by now; whoever was pruned comes with the next list.
    children(99);
    assert_eq!(
        (mirror.count("users"), mirror.count("achievements_users"), mirror.count("ops.quarantine")),
        (220, 220, 0)
    );
}

/// Brings a loader into a deadlock that it has to give way in: somebody holds a row that it wants to write, and then
/// waits for the lock that it holds. Says how the loader ended.
fn deadlocked(mirror: &Mirror, line: &str) -> Run {
    let mut rival = mirror.database.connect();
    let mut transaction = rival.transaction().unwrap();
    // Whoever looks for a deadlock first gives way: on a busy machine that might be this one.
    transaction.batch_execute("SET LOCAL deadlock_timeout = '1h'").unwrap();
    transaction.batch_execute("UPDATE users SET wallet = 1 WHERE id = 10").unwrap();
    std::thread::scope(|scope| {
        let loader = scope.spawn(|| mirror.workdir.shell(line));
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'load-table'
            AND datname = current_database() AND wait_event_type = 'Lock'";
        while mirror.value(waits) == "0" {
            assert!(!loader.is_finished(), "the loader never waited: {:#?}", loader.join());
            std::thread::sleep(Duration::from_millis(10));
        }
        transaction.batch_execute("SELECT pg_advisory_xact_lock(42, hashtext('users'))").unwrap();
        transaction.commit().unwrap();
        loader.join().unwrap()
    })
}

#[test]
fn a_loader_that_had_to_give_way_starts_again_when_it_can() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text([user(10)]));
    mirror.workdir.write("users.ndjson", &text([with(user(10), json!({"wallet": 7}))]));
    let again = deadlocked(&mirror, "load-table users users.ndjson").expect(0);
    assert_eq!(
        (again.json()["updated"].as_u64(), mirror.value("SELECT wallet FROM users")),
        (Some(1), "7".to_owned())
    );
    let cannot = deadlocked(&mirror, "sed s/7/8/ users.ndjson | load-table users").expect(75);
    let _told = cannot.complains(&["users: ", "another transaction came in between", "deadlock detected"]);
    assert_eq!(mirror.value("SELECT wallet FROM users"), "1");
}
