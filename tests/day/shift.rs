//! What works through the day: the live script every simulated minute, and one nightly beside it.

use crate::plan::MINUTE;
use end_to_end::World;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use testkit::Run;

/// The tables that the live script follows.
pub(crate) const LIVE: [&str; 5] =
    ["users", "cursus_users", "projects_users", "achievements_users", "coalitions_users"];

/// What came of the live script.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) runs: u32,
    /// Those that were not killed and did not meet an orphan of a killed one.
    pub(crate) good: u32,
    /// The longest time for which nothing newer than something could be seen.
    pub(crate) stalest: Duration,
    /// The longest run.
    pub(crate) longest: Duration,
}

pub(crate) fn live(world: &World) -> Run {
    world.workdir.script("scripts/cron/live_db_sync.sh", &[])
}

pub(crate) fn nightly(world: &World) -> Run {
    world.workdir.script("scripts/cron/nightly_stable_tables.sh", &[])
}

/// Whether everything was done, though some records may wait in quarantine.
pub(crate) const fn is_good(code: i32) -> bool {
    matches!(code, 0 | 3)
}

/// Runs the live script every simulated minute, or back to back where it takes longer, until the day is over.
/// `good_runs` tells others how many were good so far.
pub(crate) fn follow(world: &World, over: &AtomicBool, good_runs: &AtomicU32) -> Followed {
    let mut followed = Followed::default();
    let mut newest = now_micros();
    while !over.load(Ordering::Relaxed) {
        let started = Instant::now();
        let good = is_good(live(world).code);
        followed.runs += 1;
        followed.longest = followed.longest.max(started.elapsed());
        if good {
            followed.good += 1;
            good_runs.store(followed.good, Ordering::Relaxed);
            // Until this moment, nothing newer than what the run before brought could be seen.
            let age = u64::try_from(now_micros() - newest).unwrap_or(0);
            followed.stalest = followed.stalest.max(Duration::from_micros(age));
            newest = newest_change(world).max(newest);
        }
        std::thread::sleep(MINUTE.saturating_sub(started.elapsed()));
    }
    followed
}

/// Runs the live script once more, when all is quiet; a stage of a killed one may still hold its lock.
pub(crate) fn settle(world: &World) {
    let good = (0..120).any(|_| {
        let code = live(world).code;
        assert!(is_good(code) || code == 75, "the live script ends with {code} although all is quiet");
        std::thread::sleep(Duration::from_millis(500));
        is_good(code)
    });
    assert!(good, "the live script is busy and never ends");
}

/// Rows of the live tables that moved since an instant, and those that are not in the mirror as they are now; looks again
/// while `more_is_coming`.
pub(crate) fn lost(world: &World, since: &str, more_is_coming: &dyn Fn() -> bool) -> (usize, usize) {
    let moved = LIVE.map(|table| (table, world.moved(table, since)));
    let lost = || -> usize { moved.iter().map(|(table, rows)| world.unseen(table, since, rows)).sum() };
    while more_is_coming() && lost() > 0 {
        std::thread::sleep(MINUTE);
    }
    (moved.iter().map(|(_, rows)| rows.len()).sum(), lost())
}

/// Runs the nightly, again and again until it gets through; gives the number of runs and when it was through.
pub(crate) fn once_a_night(world: &World, begun: Instant) -> (u32, Duration) {
    grow_old(&world.workdir.path("exports"));
    for run in 1..10_000 {
        let code = nightly(world).code;
        if is_good(code) {
            return (run, begun.elapsed());
        }
        std::thread::sleep(MINUTE);
    }
    panic!("the nightly never got through");
}

/// Makes every export a day old, so that a nightly of the simulated day fetches as it would after a real one.
pub(crate) fn grow_old(folder: &Path) {
    for entry in fs::read_dir(folder).expect("exports").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            grow_old(&path);
        } else if path.file_name().is_some_and(|name| name.to_string_lossy() == "all.manifest.json") {
            let mut manifest: Value =
                serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
            for name in ["started", "finished"] {
                let at: chrono::DateTime<chrono::Utc> =
                    manifest[name].as_str().expect("an instant").parse().expect("an instant");
                manifest[name] = Value::from((at - chrono::TimeDelta::days(1)).to_rfc3339());
            }
            let aside = path.with_extension("aged");
            fs::write(&aside, manifest.to_string())
                .and_then(|()| fs::rename(&aside, &path))
                .expect("a manifest");
        }
    }
}

fn now_micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// The newest change that the mirror shows, in microseconds since 1970.
fn newest_change(world: &World) -> i64 {
    let query = "SELECT (extract(epoch FROM max(updated_at)) * 1000000)::bigint FROM users";
    world.database.value(query).parse().expect("a number")
}
