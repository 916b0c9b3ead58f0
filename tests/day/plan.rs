//! What the day is like: numbers from the environment.

use end_to_end::{Dice, number};
use std::time::Duration;

/// A day; a simulated minute is a real second.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// `DAY_MINUTES`: how long it is.
    pub(crate) minutes: u32,
    /// `DAY_STUDENTS`.
    pub(crate) students: u32,
    /// `DAY_CHANGES`: people who change in a simulated minute.
    pub(crate) changes: u32,
    /// `DAY_NIGHTLY_AT`: the minute in which the nightly begins.
    pub(crate) nightly_at: u32,
    /// `DAY_KILLS`: tools that are killed while they run.
    pub(crate) kills: u32,
    /// `DAY_STORMS`: bursts of answers 429.
    pub(crate) storms: u32,
    /// `DAY_SEED`: of the world and of the troubles.
    pub(crate) seed: u64,
}

/// Calls a simulated hour, as the real API allows; in real time, calls a minute.
pub(crate) const CALLS_AN_HOUR: u64 = 1_200;

/// A simulated minute.
pub(crate) const MINUTE: Duration = Duration::from_secs(1);

impl Plan {
    /// A short day unless the environment says otherwise.
    pub(crate) fn from_environment() -> Self {
        let minutes = number("DAY_MINUTES", 25);
        Self {
            minutes,
            students: number("DAY_STUDENTS", 700),
            changes: number("DAY_CHANGES", 63),
            nightly_at: number("DAY_NIGHTLY_AT", minutes / 4),
            kills: number("DAY_KILLS", (minutes / 15).max(6)),
            storms: number("DAY_STORMS", (minutes / 60).max(2)),
            seed: u64::from(number("DAY_SEED", 42)),
        }
    }

    /// The real time from the beginning of the day to a simulated minute.
    pub(crate) fn until(minute: f64) -> Duration {
        MINUTE.mul_f64(minute)
    }
}

/// So many minutes of a day, in order, none in its last tenth.
pub(crate) fn minutes(dice: &mut Dice, count: u32, day: u32) -> Vec<f64> {
    let mut minutes: Vec<f64> = (0..count).map(|_| f64::from(dice.below(day * 900)) / 1_000.0).collect();
    minutes.sort_by(f64::total_cmp);
    minutes
}
