//! A simulated day: the world moves as the real one does, the live script follows it every minute, one nightly runs
//! beside it, processes are killed and answers throttled; and in the end the mirror is the world, field by field.
//!
//! A simulated minute is a real second, so the API's 1,200 calls an hour are 1,200 a minute here, or 20 a second. The
//! short form is a test like any other; `scripts/simulated_day.sh` runs the long one. Variables: see `plan`.
//! - `shift`: what works through the day. `trouble`: what goes wrong. `plan`: how much of all that.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod plan;
mod shift;
mod trouble;

use chrono::{SecondsFormat, Utc};
use end_to_end::{HANGING, NIGHTLY, World};
use plan::{CALLS_AN_HOUR, Plan};
use serde_json::Value;
use shift::Followed;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use trouble::Troubles;

/// What is known when the day is over.
struct Day {
    followed: Followed,
    troubles: Troubles,
    /// Runs that the nightly took, and when it was through.
    nightly: (u32, Duration),
    /// The mock's statistics of the day.
    stats: Value,
    most_in_an_hour: u64,
    /// Rows of the live tables that moved, and those of them that are not in the mirror: when the nightly begins, so that
    /// live work alone brought them, and when the day is over.
    lost: [(usize, usize); 2],
}

#[test]
fn a_day_loses_nothing() {
    let plan = Plan::from_environment();
    println!("{plan:?}");
    let mut world = World::new(&["--students", &plan.students.to_string(), "--seed", &plan.seed.to_string()]);
    mirror(&world);
    let by_walks = questions(&world.mock.stats());
    println!("mirrored before the day: {} calls", world.mock.count("calls"));

    compress(&mut world);
    let before = world.mock.moved();
    let day = live_through(&world, &plan);
    let changed = people(&world.mock.moved()) - people(&before);
    let calls = day.stats["by_question"].as_object().unwrap();
    let live = calls.iter().filter(|(question, _)| !by_walks.contains(*question));
    let live: u64 = live.filter_map(|(_, calls)| calls.as_u64()).sum();
    tell(&day, live, changed);
    judge(&day, live, changed);

    shift::grow_old(&world.workdir.path("exports"));
    mirror(&world);
    for table in NIGHTLY.iter().chain(&HANGING) {
        world.assert_mirrored(table);
    }
    println!("after the last nightly all 13 tables equal the mock, field by field");
}

/// One nightly, undisturbed and without limits.
fn mirror(world: &World) {
    let run = shift::nightly(world);
    assert!(shift::is_good(run.code), "{run:#?}");
}

/// What was asked of the API, page numbers aside.
fn questions(stats: &Value) -> BTreeSet<String> {
    stats["by_question"].as_object().unwrap().keys().cloned().collect()
}

/// People who changed, whether or not it can be seen by their time of change.
fn people(moved: &Value) -> u64 {
    let kinds = ["updates", "silent", "departures", "anonymise", "newcomers"];
    kinds.iter().filter_map(|kind| moved[kind].as_u64()).sum()
}

/// From now on a minute is a second: the limits, and the overlap of windows.
fn compress(world: &mut World) {
    let per_second = CALLS_AN_HOUR / 60;
    let per_hour = CALLS_AN_HOUR * 60;
    world.mock.switch(&format!(r#"{{"per_second": {per_second}, "per_hour": {per_hour}}}"#));
    // What was learnt of the limits before is forgotten with the folder.
    world.workdir.set("STATE_DIR", &world.workdir.path("state/day").display().to_string());
    world.workdir.set("LIVE_OVERLAP", "1");
    // Room for a machine that is busy with itself: calls 50 ms apart leave no other.
    world.workdir.set("PACE_SHARE", "0.8");
    world.mock.forget();
}

fn live_through(world: &World, plan: &Plan) -> Day {
    let since = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let (over, good_runs) = (AtomicBool::new(false), AtomicU32::new(0));
    let begun = Instant::now();
    world.mock.switch(&format!(r#"{{"updates_per_minute": {}}}"#, plan.changes * 60));
    std::thread::scope(|scope| {
        let followed = scope.spawn(|| shift::follow(world, &over, &good_runs));
        let nightly = scope.spawn(|| {
            let at = begun + Plan::until(f64::from(plan.nightly_at));
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            // What moved a moment ago comes with the next run or, when that is killed, with the one after.
            let runs = || good_runs.load(Ordering::Relaxed);
            let until = runs() + 6;
            let evening = shift::lost(world, &since, &|| runs() < until && !over.load(Ordering::Relaxed));
            (evening, shift::once_a_night(world, begun))
        });
        let troubles = scope.spawn(|| trouble::happen(world, plan, begun, &over));
        std::thread::sleep(Plan::until(f64::from(plan.minutes)));
        over.store(true, Ordering::Relaxed);
        world.mock.switch(r#"{"updates_per_minute": 0}"#);
        world.mock.faults("[]");
        let (followed, troubles) = (followed.join().unwrap(), troubles.join().unwrap());
        shift::settle(world);
        let at_the_end = shift::lost(world, &since, &|| false);
        let (stats, most_in_an_hour) = (world.mock.stats(), world.mock.most_in(60));
        // Nobody waits for the rest of a nightly that a short day is too short for.
        world.mock.switch(r#"{"per_second": 1000, "per_hour": 100000000}"#);
        let (before_the_nightly, nightly) = nightly.join().unwrap();
        let lost = [before_the_nightly, at_the_end];
        Day { followed, troubles, nightly, stats, most_in_an_hour, lost }
    })
}

#[expect(clippy::print_stdout, reason = "this is what the long day is run for")]
fn tell(day: &Day, live: u64, changed: u64) {
    let Day { followed, troubles, stats, .. } = day;
    let per_change = live as f64 / changed as f64;
    println!("people changed: {changed}");
    println!("calls: {}, of live work {live}: {per_change:.3} for each changed person", stats["calls"]);
    println!("most calls in any simulated hour: {} of {CALLS_AN_HOUR}", day.most_in_an_hour);
    println!("calls beyond a limit: {}", stats["limit_violations"]);
    println!("live runs: {}, good {}; the longest {:.1?}", followed.runs, followed.good, followed.longest);
    println!("longest staleness: {:.1} simulated minutes", followed.stalest.as_secs_f64());
    println!("killed: {} {:?}", troubles.killed.len(), troubles.killed);
    println!("storms: {}, answers 429 in them: {}", troubles.storms, stats["faults_fired"]["throttle"]);
    println!("nightly: {} runs, through at minute {:.0}", day.nightly.0, day.nightly.1.as_secs_f64());
    for ((moved, lost), when) in day.lost.iter().zip(["before the nightly", "when the day is over"]) {
        println!("rows lost {when}: {lost} of {moved} that moved in the live tables");
    }
}

fn judge(day: &Day, live: u64, changed: u64) {
    assert!(day.lost.iter().all(|(moved, _)| *moved > 100), "nothing moved, so nothing is shown");
    assert!(!day.troubles.killed.is_empty(), "nothing was killed");
    assert!(day.stats["faults_fired"]["throttle"].as_u64() > Some(0), "no storm was met");
    assert!(day.lost.iter().all(|(_, lost)| *lost == 0), "{:?}", day.lost);
    assert_eq!(day.stats["limit_violations"], 0, "{}", day.stats);
    assert!(day.most_in_an_hour <= CALLS_AN_HOUR, "{} calls in a simulated hour", day.most_in_an_hour);
    assert!(live * 10 < changed, "{live} live calls for {changed} people who changed");
}
