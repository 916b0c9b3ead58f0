//! The budget of calls: seen by whoever looks, and its reserve for live work.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod common;

use common::{Desk, state_file};
use std::fs;

const USERS: &str = "/v2/cursus/21/users";

#[test]
fn what_was_used_is_shown_by_class_and_costs_no_call() {
    let mut desk = Desk::new(&["--per-hour", "5000"]);
    let nothing = desk.run(&["budget", "--json"], 0).json();
    assert_eq!((&nothing["used"], &nothing["per_hour"]), (&0.into(), &1200.into()));
    assert!(state_file(&desk.workdir, "pace").is_none(), "looking makes no file");
    for (class, path) in [("live", "/v2/cursus/21"), ("bulk", USERS)] {
        desk.workdir.set("PACE_CLASS", class);
        drop(desk.workdir.run("fetch-cursus", &["--path", path]).expect(0));
    }
    let called = desk.mock.count("calls") + desk.mock.count("token_calls");
    // Neither credentials nor a class are needed to look.
    for name in ["CLIENT_ID", "CLIENT_SECRET", "PACE_CLASS"] {
        desk.workdir.set(name, "");
    }
    let before = fs::read(state_file(&desk.workdir, "pace").unwrap()).unwrap();
    let budget = desk.run(&["budget", "--json"], 0).json();
    assert_eq!((&budget["used"], &budget["per_hour"]), (&called.into(), &5000.into()));
    let by_class = &budget["by_class"];
    assert!(by_class["live"].as_u64() >= Some(1) && by_class["bulk"].as_u64() >= Some(3), "{budget}");
    assert_eq!((&by_class["hand"], &by_class["backlog"]), (&0.into(), &0.into()));
    assert_eq!(budget["remaining"], 5000 - called);
    // Answers overtake each other, so the last one's number may be a few calls old.
    let by_header = budget["remaining_by_header"].as_u64().unwrap();
    assert!(by_header.abs_diff(5000 - desk.mock.count("calls")) <= 8, "{budget}");
    let words = desk.run(&["budget"], 0).stdout;
    assert!(words.contains("5000 an hour") && words.contains("next back"), "{words}");
    assert_eq!(fs::read(state_file(&desk.workdir, "pace").unwrap()).unwrap(), before);
    assert_eq!(desk.mock.count("calls") + desk.mock.count("token_calls"), called);
    fs::write(state_file(&desk.workdir, "pace").unwrap(), "{").unwrap();
    // Nobody knows what was used: that is no zero.
    drop(desk.run(&["budget", "--json"], 74).complains(&["is damaged", "the next call begins a new one"]));
}

#[test]
fn an_hour_that_is_used_up_is_75_for_everybody_and_the_reserve_is_live_works() {
    let mut desk = Desk::new(&["--per-hour", "20"]);
    desk.workdir.set("MAX_WAIT_SECONDS", "0");
    let mut until_busy = |class: &str| {
        desk.workdir.set("PACE_CLASS", class);
        let busy = (0..30).map(|_| desk.workdir.run("fetch-cursus", &["--path", "/v2/cursus/21"]).code);
        busy.into_iter().position(|code| code == 75).expect("the quota ends")
    };
    let bulk = until_busy("bulk");
    let live = until_busy("live");
    // Four fifths at most; of a burst less, because live work may begin at any moment.
    assert!((11..=16).contains(&bulk), "of twenty not {bulk}");
    assert!(live >= 1, "nothing was left for live work");
    assert_eq!((until_busy("live"), until_busy("bulk"), until_busy("hand")), (0, 0, 0));
    assert_eq!(desk.mock.count("limit_violations"), 0);
    assert!(desk.mock.count("calls") >= 19, "{}", desk.mock.count("calls"));
}
