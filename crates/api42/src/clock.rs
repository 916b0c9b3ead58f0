//! The clock that all processes of a host share and nobody can set: time since boot, suspension included.

use chrono::{DateTime, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// An instant, or a length of time, in microseconds since boot.
pub(crate) type Micros = u64;

/// One second.
pub(crate) const SECOND: Micros = 1_000_000;

/// Sleeps are cut into slices of this length, so that a stop is noticed and a suspended machine wakes up right.
const SLICE: Duration = Duration::from_millis(200);

/// Set when nobody wants the answers any more.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error once the stop is set. It ends a worker; nobody is left to read it.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.is_set() { Err(anyhow::anyhow!("stopped")) } else { Ok(()) }
    }
}

/// Now, in microseconds since boot (`CLOCK_BOOTTIME`).
pub(crate) fn now() -> Micros {
    let time = clock_gettime(ClockId::Boottime);
    // Neither part is ever negative on this clock.
    time.tv_sec.unsigned_abs() * SECOND + time.tv_nsec.unsigned_abs() / 1000
}

/// An instant of this clock as people tell time.
pub(crate) fn instant(at: Micros) -> DateTime<Utc> {
    let away = i64::try_from(at).unwrap_or(i64::MAX).saturating_sub(i64::try_from(now()).unwrap_or(i64::MAX));
    Utc::now().checked_add_signed(TimeDelta::microseconds(away)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Tells one boot of the machine from another; empty where the kernel does not say.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Sleeps until an instant, or until the stop is set.
pub(crate) fn sleep_until(instant: Micros, stop: &Stop) {
    loop {
        let left = Duration::from_micros(instant.saturating_sub(now()));
        if left.is_zero() || stop.is_set() {
            return;
        }
        thread::sleep(left.min(SLICE));
    }
}

/// A length of time in microseconds; the longest there is when it does not fit.
pub(crate) fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_stop_ends_a_long_sleep() {
        let stop = Stop::default();
        stop.set();
        let before = now();
        sleep_until(before + 60 * SECOND, &stop);
        assert!(now() - before < SECOND);
        assert!(stop.check().is_err());
    }

    #[test]
    fn a_sleep_is_not_cut_short() {
        let before = now();
        sleep_until(before + SECOND / 4, &Stop::default());
        assert!(now() - before >= SECOND / 4);
    }
}
