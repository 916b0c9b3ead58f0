//! How long something has taken, whatever becomes of the wall clock.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// A clock that nobody sets, and that goes on while the host sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    started: f64,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { started: now() }
    }

    /// In seconds.
    pub(crate) fn seconds(self) -> f64 {
        (now() - self.started).max(0.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a host is not up for millions of years")]
fn now() -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Boottime);
    tv_sec as f64 + tv_nsec as f64 / 1e9
}
