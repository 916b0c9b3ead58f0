//! What the calls of one client came to.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the client was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests sent to `/v2`, every try counted.
    pub calls: u64,
    /// Those of them that repeated an earlier one.
    pub retries: u64,
    /// Answers 429.
    pub throttled: u64,
    /// Bytes of all bodies, decompressed.
    pub bytes: u64,
    /// Requests for a token.
    pub token_calls: u64,
}

/// The running counts behind a [`Tally`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) token_calls: AtomicU64,
}

impl Counters {
    pub(crate) fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            calls: read(&self.calls),
            retries: read(&self.retries),
            throttled: read(&self.throttled),
            bytes: read(&self.bytes),
            token_calls: read(&self.token_calls),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
