//! The one moment in which a client cannot know what the server did.

use crate::fault;
use anyhow::{Result, anyhow};
use postgres::Transaction;
use verdict::{Judge, Verdict};

/// Ends a transaction for good.
///
/// # Errors
/// As any statement; but when the connection breaks meanwhile, [`Verdict::Unreachable`] with the news that it may be done
/// or not. Whoever does the same again does it right.
pub fn commit(transaction: Transaction<'_>) -> Result<()> {
    transaction.commit().map_err(|error| {
        let known = fault::of(&error);
        if Verdict::of(&known) != Verdict::Unreachable {
            return known;
        }
        let way_out = "run the same command again, it is right either way";
        let text = fault::text(&error);
        anyhow!("lost PostgreSQL at the commit, which may be done or not: {text}; {way_out}")
            .verdict(Verdict::Unreachable)
    })
}
