//! The short way into an empty table: no stage, nothing to compare with.
//!
//! It is for the usual case only. Whatever else turns up, two records of one key or one that cannot be typed, takes back
//! what was written, and the load goes the long way from the start of its input.

use super::attempt::Attempt;
use super::feed::Feed;
use super::fill::STRIDE;
use crate::convert::Outcome;
use crate::copy::{Copy, Fields, Takes};
use crate::fault;
use anyhow::{Result, bail, ensure};
use postgres::Transaction;

/// Whether a table is empty, takes rows as the catalog types them, refers to no other and holds nobody's records: rows
/// without their parent, or of people who were erased, would have to be found first. The locks of the load must be held.
pub(super) fn is_possible(attempt: &mut Attempt<'_>) -> Result<bool> {
    let is_of_people = !attempt.load.catalog.owners(attempt.load.resource).is_empty();
    if attempt.is_dry() || is_of_people || attempt.terms.references().next().is_some() {
        return Ok(false);
    }
    let columns = &attempt.load.resource.columns;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let kinds: Vec<String> = columns.iter().map(|column| column.kind.to_string()).collect();
    let query = format!(
        "SELECT NOT EXISTS (SELECT FROM {table}) AND NOT EXISTS (
             SELECT FROM unnest($1::text[], $2::text[]) AS w (name, kind)
             LEFT JOIN pg_attribute a ON a.attrelid = $3::text::regclass AND a.attname = w.name
             WHERE a.atttypid IS DISTINCT FROM w.kind::regtype OR a.atttypmod <> -1)",
        table = attempt.terms.table()
    );
    let table = attempt.terms.table();
    Ok(attempt.row("looking at the table", &query, &[&names, &kinds, &table])?.get(0))
}

/// Copies the records into the table; whether all of them are there. If not, nothing is, and the input is used up.
///
/// # Errors
/// When the database is away.
pub(super) fn run(
    attempt: &mut Attempt<'_>,
    feed: &mut Feed<'_>,
    promised: Option<u64>,
    progress: &mut dyn FnMut(u64),
) -> Result<bool> {
    // As the binary format counts: microseconds since 2000. Now, not when the transaction began and waited for locks.
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 946684800000000";
    let now = attempt.row("looking at the clock", now, &[])?.get(0);
    let statement = format!(
        "COPY {} (ingested_at, {}) FROM STDIN (FORMAT binary)",
        attempt.terms.table(),
        attempt.terms.columns("")
    );
    let mut nested = attempt.transaction.transaction().map_err(|error| fault::of(&error))?;
    match copy(&mut nested, &statement, now, feed, promised, progress) {
        Ok(counts) => {
            nested.commit().map_err(|error| fault::of(&error))?;
            let summary = &mut attempt.summary;
            (summary.read, summary.out_of_scope) = (counts.read, counts.out_of_scope);
            summary.inserted = counts.read - counts.out_of_scope;
            Ok(true)
        }
        Err(error) => {
            log::info!("{}: the long way: {error:#}", attempt.load.resource.table);
            nested.rollback().map_err(|error| fault::of(&error))?;
            Ok(false)
        }
    }
}

#[derive(Default)]
struct Counts {
    read: u64,
    out_of_scope: u64,
}

fn copy(
    transaction: &mut Transaction<'_>,
    statement: &str,
    now: i64,
    feed: &mut Feed<'_>,
    promised: Option<u64>,
    progress: &mut dyn FnMut(u64),
) -> Result<Counts> {
    let mut copy = Copy::start(transaction, statement)?;
    let mut lead = Fields::default();
    lead.timestamptz(now);
    let mut counts = Counts::default();
    while let Some(record) = feed.next()? {
        counts.read += 1;
        if counts.read.is_multiple_of(STRIDE) {
            progress(counts.read);
        }
        match record.outcome {
            Outcome::Typed { .. } => copy.row(lead.as_row(), record.row)?,
            Outcome::OutOfScope => counts.out_of_scope += 1,
            Outcome::Rejected { .. } => bail!("line {} is no plain record", record.line),
        }
    }
    let promised = promised.unwrap_or(counts.read);
    ensure!(counts.read == promised, "{} records instead of {promised}", counts.read);
    copy.finish()?;
    Ok(counts)
}
