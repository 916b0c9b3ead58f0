//! The input on its way into the stage.

use super::attempt::Attempt;
use super::feed::{Feed, Record};
use super::known::{self, Known};
use super::stage::Rows;
use crate::connect;
use crate::convert::Outcome;
use crate::copy::Spool;
use anyhow::{Result, anyhow};
use exports::Manifest;
use verdict::{Judge, Verdict};

/// So many records may always be rejected: one new word of an enumeration must not stop a table of seventy rows for good.
const ALWAYS: u64 = 1;

/// How many reasons a refusal quotes.
const REASONS: usize = 3;

/// How many records go by between two words on progress.
const STRIDE: u64 = 1024;

/// Streams the input into the stage.
///
/// # Errors
/// [`Verdict::Refused`] when a line is no record.
pub(super) fn plainly(
    attempt: &mut Attempt<'_>,
    feed: &mut Feed<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Tally> {
    let mut rows = Rows::open(&mut attempt.transaction, attempt.terms)?;
    let mut tally = Tally::default();
    while let Some(record) = feed.next()? {
        tally.take(&record, progress);
        rows.record(&record)?;
    }
    rows.finish()?;
    Ok(tally)
}

/// The same, without what the table holds, which is read meanwhile; only then the server takes rows. When something may be
/// pruned, what the input did not tell of is put into [`known::UNSEEN`].
pub(super) fn beside_the_table(
    attempt: &mut Attempt<'_>,
    key: usize,
    feed: &mut Feed<'_>,
    prunes: bool,
    progress: &mut dyn FnMut(u64),
) -> Result<Tally> {
    log::info!("{}: reading what the table holds", attempt.load.resource.table);
    let is_falling = feed.is_falling(key)?;
    let statement = known::statement(attempt, is_falling)?;
    let token = attempt.transaction.cancel_token();
    let mut known = Known::start(&mut attempt.transaction, &statement, key, is_falling, prunes)?;
    let mut rows = Rows::aside();
    let tally = meet(&mut known, &mut rows, feed, progress).inspect_err(|error| {
        // Nobody wants the rest of the table any more.
        if Verdict::of(error) != Verdict::Unreachable {
            connect::cancel(&token);
        }
    })?;
    let unseen = known.finish()?;
    let staged = Rows::open(&mut attempt.transaction, attempt.terms)?;
    rows.pour(staged)?;
    if let Some(unseen) = unseen {
        unseen.into_table(attempt)?;
    }
    Ok(tally)
}

/// Sets aside what the table does not hold.
fn meet(
    known: &mut Known<'_>,
    rows: &mut Rows<Spool>,
    feed: &mut Feed<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Tally> {
    let mut tally = Tally::default();
    while let Some(record) = feed.next()? {
        tally.take(&record, progress);
        match record.outcome {
            Outcome::Typed { absent } if known.holds(record.row, *absent)? => tally.held += 1,
            Outcome::Typed { .. } | Outcome::OutOfScope => rows.record(&record)?,
            Outcome::Rejected { .. } => {
                known.hear(record.row)?;
                rows.record(&record)?;
            }
        }
    }
    Ok(tally)
}

/// What was read.
#[derive(Default)]
pub(super) struct Tally {
    read: u64,
    out_of_scope: u64,
    rejected: u64,
    keyless: u64,
    held: u64,
    /// The first of the reasons for a rejection.
    reasons: Vec<String>,
}

impl Tally {
    /// Counts a record, and tells of it now and then.
    pub(super) fn take(&mut self, record: &Record<'_>, progress: &mut dyn FnMut(u64)) {
        self.read += 1;
        if self.read.is_multiple_of(STRIDE) {
            progress(self.read);
        }
        match record.outcome {
            Outcome::Typed { .. } => {}
            Outcome::OutOfScope => self.out_of_scope += 1,
            Outcome::Rejected { reason, keyed } => {
                self.rejected += 1;
                self.keyless += u64::from(!keyed);
                if self.reasons.len() < REASONS {
                    self.reasons.push(format!("line {}, {reason}", record.line));
                }
            }
        }
    }

    /// Notes it, and refuses the load if that is called for.
    ///
    /// # Errors
    /// [`Verdict::Refused`] when too many records are rejected, or when an export does not hold the rows that its manifest
    /// promises.
    pub(super) fn close(
        self,
        attempt: &mut Attempt<'_>,
        manifest: Option<&Manifest>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        progress(self.read);
        let summary = &mut attempt.summary;
        summary.read += self.read;
        summary.out_of_scope += self.out_of_scope;
        summary.rejected += self.rejected;
        attempt.keyless += self.keyless;
        attempt.held += self.held;
        refuse(attempt, manifest, &self.reasons)
    }
}

fn refuse(attempt: &Attempt<'_>, manifest: Option<&Manifest>, reasons: &[String]) -> Result<()> {
    let summary = &attempt.summary;
    let problem = match manifest {
        Some(manifest) if manifest.rows != summary.read => {
            format!(
                "{} holds {} records, its manifest promises {}",
                summary.source, summary.read, manifest.rows
            )
        }
        _ if exceeds(summary.rejected, summary.read, attempt.load.limits.rejects) => format!(
            "{}: {} of {} records cannot be typed, more than --max-rejects {} allows: {}",
            summary.source,
            summary.rejected,
            summary.read,
            attempt.load.limits.rejects,
            reasons.join("; ")
        ),
        _ => return Ok(()),
    };
    Err(anyhow!("{problem}; nothing was written").verdict(Verdict::Refused))
}

/// Whether a part is more than a share of the whole.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay far below 2^53")]
fn exceeds(part: u64, whole: u64, share: f64) -> bool {
    part > ALWAYS && part as f64 > share * whole as f64
}
