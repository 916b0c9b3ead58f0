//! A database that takes a connection and says nothing: waited for, but not for ever.

use anyhow::{Result, anyhow};
use std::sync::mpsc::channel;
use std::time::Duration;
use tool::{Judge, Verdict};

/// Longer than any statement of ours may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What `read` gives, if it does so in time. The thread that waits in vain is left behind.
///
/// # Errors
/// Those of `read`; [`Verdict::Unreachable`] when time is up.
pub(crate) fn within<T: Send + 'static>(read: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (reply, answer) = channel();
    // Nobody listens any more when it comes too late.
    std::thread::spawn(move || drop(reply.send(read())));
    let late = |_| anyhow!("PostgreSQL does not answer; see pg_stat_activity, or try again");
    answer.recv_timeout(PATIENCE).map_err(late).verdict(Verdict::Unreachable)?
}
