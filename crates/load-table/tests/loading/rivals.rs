//! Loaders at the same time wait for each other and never deadlock.

use crate::mirror::{CURSUS, Mirror, campuses, lines, text, user, with};
use serde_json::json;

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
