//! What goes wrong in the course of a day: processes that are killed, answers 429 in a row.

use crate::plan::{Plan, minutes};
use end_to_end::{Dice, World};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Tools that are killed; scripts, which run in bash, too.
const VICTIMS: [&str; 5] = ["fetch-users", "fetch-cursus", "load-table", "init-db", "bash"];

/// What really happened.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// Names of the processes that were killed.
    pub(crate) killed: Vec<String>,
    pub(crate) storms: u32,
}

/// Makes the day's troubles happen, each at its minute.
pub(crate) fn happen(world: &World, plan: &Plan, begun: Instant, over: &AtomicBool) -> Troubles {
    let mut dice = Dice::new(plan.seed);
    let kills = minutes(&mut dice, plan.kills, plan.minutes).into_iter().map(|at| (at, true));
    let storms = minutes(&mut dice, plan.storms, plan.minutes).into_iter().map(|at| (at, false));
    let mut planned: Vec<(f64, bool)> = kills.chain(storms).collect();
    planned.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut troubles = Troubles::default();
    for (at, is_kill) in planned {
        std::thread::sleep((begun + Plan::until(at)).saturating_duration_since(Instant::now()));
        if over.load(Ordering::Relaxed) {
            break;
        }
        if is_kill {
            troubles.killed.extend(world.kill_one(&VICTIMS, &mut dice, Duration::from_secs(2)));
        } else {
            storm(world, &mut dice);
            troubles.storms += 1;
        }
    }
    troubles
}

/// For a minute or two, and until somebody meets it, every call is answered 429, with a word about the wait or without.
fn storm(world: &World, dice: &mut Dice) {
    let met = || world.mock.stats()["faults_fired"]["throttle"].as_u64().unwrap_or(0);
    let (before, until) = (met(), Instant::now() + Duration::from_secs(5));
    let wait = if dice.below(2) == 0 { r#", "retry_after": 1"# } else { "" };
    world.mock.faults(&format!(r#"[{{"kind": "throttle"{wait}}}]"#));
    std::thread::sleep(Plan::until(0.5 + f64::from(dice.below(1_500)) / 1_000.0));
    while met() == before && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    world.mock.faults("[]");
}
