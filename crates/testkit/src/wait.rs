//! Waiting for something that comes.

use std::time::{Duration, Instant};

/// Waits until something is so, on a machine that may be busy.
///
/// # Panics
/// When it has not come within a minute.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
