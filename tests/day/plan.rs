//! What the day is like: numbers from the environment.

use std::env;
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

fn number(name: &str, default: u32) -> u32 {
    let text = env::var(name).unwrap_or_default();
    if text.is_empty() {
        default
    } else {
        text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number"))
    }
}

/// Numbers that are the same for the same seed.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below another one.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as u32;
        high % end.max(1)
    }

    /// So many minutes of a day, in order, none in its last tenth.
    pub(crate) fn minutes(&mut self, count: u32, day: u32) -> Vec<f64> {
        let mut minutes: Vec<f64> = (0..count).map(|_| f64::from(self.below(day * 900)) / 1_000.0).collect();
        minutes.sort_by(f64::total_cmp);
        minutes
    }
}
