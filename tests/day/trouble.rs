//! What goes wrong in the course of a day: processes that are killed, answers 429 in a row.

use crate::plan::{Dice, Plan};
use end_to_end::World;
use std::fs;
use std::process::Command;
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
    let kills = dice.minutes(plan.kills, plan.minutes).into_iter().map(|at| (at, true));
    let storms = dice.minutes(plan.storms, plan.minutes).into_iter().map(|at| (at, false));
    let mut planned: Vec<(f64, bool)> = kills.chain(storms).collect();
    planned.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut troubles = Troubles::default();
    for (at, is_kill) in planned {
        std::thread::sleep((begun + Plan::until(at)).saturating_duration_since(Instant::now()));
        if over.load(Ordering::Relaxed) {
            break;
        }
        if is_kill {
            troubles.killed.extend(kill(world, &mut dice));
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

/// Kills one of the processes of this world, as soon as there is one; gives its name.
fn kill(world: &World, dice: &mut Dice) -> Option<String> {
    let until = Instant::now() + Duration::from_secs(2);
    // A tool more often than a script: most of what a script does is waiting.
    let scripts_too = dice.below(4) == 0;
    while Instant::now() < until {
        let mut running = running(world);
        running.retain(|(_, name)| scripts_too || name != "bash");
        if let Some((pid, name)) = running.get(dice.below(running.len() as u32) as usize) {
            let killed = Command::new("kill").args(["-9", pid]).output();
            if killed.is_ok_and(|output| output.status.success()) {
                return Some(name.clone());
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    None
}

/// Processes that carry this world's own folder in their environment: id and name.
fn running(world: &World) -> Vec<(String, String)> {
    let home = format!("HOME={}\0", world.workdir.path("home").display());
    let processes = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let ours = processes.filter_map(|entry| {
        let name = fs::read_to_string(entry.path().join("comm")).ok()?.trim().to_owned();
        let environment =
            VICTIMS.contains(&name.as_str()).then(|| fs::read(entry.path().join("environ")).ok())??;
        let is_ours = String::from_utf8_lossy(&environment).contains(&home);
        is_ours.then(|| (entry.file_name().to_string_lossy().into_owned(), name))
    });
    ours.collect()
}
