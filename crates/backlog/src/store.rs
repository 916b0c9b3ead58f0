//! Where the backlog is kept: one meaning, two stores.

use crate::files::Files;
use crate::item::{Asked, Item, Outcome, Processed};
use crate::postgres::Postgres;
use crate::settings::{Kind, Settings};
use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Leases on an item that may run out before it is looked at alone: with others beside it, nobody can tell whose fault
/// it was.
pub(crate) const LOST_TOGETHER: u32 = 2;

/// What is said of an item whose worker died over it, when it had it alone.
pub(crate) const LOST_ALONE: &str = "the worker was killed while it was at this one alone";

/// How many of those who left are looked at when they are counted.
pub(crate) const LEFT: usize = 12_000;

/// What every store does. An operation happens whole or not at all, and survives a crash when it has returned. Of adding
/// many, a power cut may leave some: who adds them again, adds the others.
pub(crate) trait Store {
    /// Adds those that are not there; one that a worker is at now will be done once more.
    fn add(&mut self, asked: &[Asked]) -> Result<Added>;
    /// Leases up to `most` items that are due to this owner, the longest due first; frees leases that ran out.
    fn claim(&mut self, most: usize) -> Result<Vec<Item>>;
    /// Lengthens this owner's leases.
    fn renew(&mut self) -> Result<()>;
    /// Takes out what is done, where this owner still has the lease.
    fn settle(&mut self, done: &[(i64, Outcome)], seconds: f64) -> Result<()>;
    /// Counts a failed attempt: to be tried again later, or dead. None when the lease was lost meanwhile.
    fn fail(&mut self, id: i64, error: &str) -> Result<Option<Failed>>;
    /// Gives this owner's leases back; nobody is to blame.
    fn release(&mut self) -> Result<u64>;
    /// Takes out what a person has done.
    fn mark(&mut self, ids: &[i64]) -> Result<u64>;
    /// Brings the dead back, all of them when none is named, and makes the named ones that are delayed due now.
    fn retry(&mut self, ids: &[i64]) -> Result<u64>;
    /// Forgets those that wait, or those that are dead; says which.
    fn clear(&mut self, dead: bool) -> Result<Vec<i64>>;
    /// Forgets these altogether, and that they ever left; says how many entries that were.
    fn forget(&mut self, ids: &[i64]) -> Result<u64>;
    /// All that is there.
    fn read(&mut self) -> Result<Snapshot>;
    /// How many are there, and what they have in common: what is held of them does not grow with their number.
    fn count(&mut self) -> Result<Counts>;
}

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Due,
    Leased,
    /// Failed, and waiting for its next attempt.
    Delayed,
    Dead,
}

/// Items that stand alike.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) error: Option<String>,
    pub(crate) items: u64,
    pub(crate) oldest: DateTime<Utc>,
    /// Failed attempts of all of them.
    pub(crate) attempts: u64,
}

/// A backlog at one moment, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) now: DateTime<Utc>,
    pub(crate) groups: Vec<Group>,
    /// The last [`LEFT`] of those who left, in that order.
    pub(crate) processed: Vec<Processed>,
    /// Lines that are no items, still to be set aside.
    pub(crate) unreadable: u64,
}

/// What came of adding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Added {
    pub(crate) added: u64,
    /// Waiting already.
    pub(crate) known: u64,
    /// In the dead letter, left there.
    pub(crate) dead: u64,
}

/// What came of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Failed {
    /// Tried again after so many seconds; so many attempts failed.
    Delayed { seconds: f64, attempts: u32 },
    /// So many attempts failed, and that was the last.
    Dead { attempts: u32 },
}

/// A backlog at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) now: DateTime<Utc>,
    /// The longest due first.
    pub(crate) pending: Vec<Item>,
    /// The last to die first.
    pub(crate) dead: Vec<Item>,
    /// In the order in which they left; what is old is forgotten.
    pub(crate) processed: Vec<Processed>,
}

/// Opens the store that the environment names.
pub(crate) fn open(settings: &Settings) -> Box<dyn Store> {
    match settings.store {
        Kind::Files => Box::new(Files::new(settings.clone())),
        Kind::Postgres => Box::new(Postgres::new(settings.clone())),
    }
}
