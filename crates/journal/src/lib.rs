//! What happened: the runs of jobs, as rows of `ops.job_executions`, and as lines of a spool while the database is away.
//!
//! # Layout
//! - [`Snapshot`], [`Status`], [`Ending`]: a run, as far as it is known.
//! - [`Lease`]: one run of a job at a time on this host. The unique index on live rows holds the same for all hosts.
//! - [`Tail`], [`Counts`]: what a command tells of its progress, and what that comes to.
//! - [`Recorder`]: a thread that writes a run and its heartbeat, and replays the spool.
//! - [`Spool`]: the lines that wait for the database.
//! - `store`: the SQL that writes. [`read`]: the SQL that reads, and the bodies of the REST API.
//! - [`Schedule`]: when jobs are due.
//!
//! # One rule for writing
//! A run is written as a whole, with a sequence number, by one statement that takes only what is newer and never touches
//! what is final. So a heartbeat, an ending and a replay are the same thing, and doing one twice changes nothing.

mod clock;
mod counts;
mod events;
mod lease;
mod rate;
pub mod read;
mod recorder;
mod replay;
mod schedule;
mod snapshot;
mod spool;
mod store;

pub use counts::Counts;
pub use events::Tail;
pub use lease::{Held, Lease};
pub use recorder::{Kept, Opened, Recorder};
pub use replay::{Replayed, catch_up};
pub use schedule::{Definition, Schedule, schedules};
pub use snapshot::{Ending, Identity, Snapshot, Status, is_job_name};
pub use spool::Spool;
pub use store::{Lost, reap};

use std::path::PathBuf;

/// Seconds without a heartbeat after which a run is lost.
pub const STALE_SECONDS: u32 = 120;

/// The folder of what runs leave on this host: `LOGS_DIR/.monitor_state`.
#[must_use]
pub fn folder() -> PathBuf {
    let logs = std::env::var_os("LOGS_DIR").filter(|value| !value.is_empty());
    PathBuf::from(logs.unwrap_or_else(|| "logs".into())).join(".monitor_state")
}
