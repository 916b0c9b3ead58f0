//! The short way into an empty table: no stage, nothing to compare with.
//!
//! It is for the usual case only. Rows without their parent are kept for the stage. Whatever else turns up, two records of one
//! key or one that cannot be typed, takes back what was written, and the load goes the long way from the start of its input.

use super::attempt::Attempt;
use super::erased::is_anybody;
use super::feed::Feed;
use super::fill::Tally;
use super::parents::Parents;
use super::quarantine::holds_any;
use super::stage::Rows;
use crate::convert::Outcome;
use crate::copy::{Copy, Fields, Spool, Takes};
use crate::fault;
use anyhow::{Context, Result, bail, ensure};
use postgres::Transaction;

/// Rows without their parent that are kept.
const MOST: usize = 100_000;

/// What a table was filled with.
pub(super) struct Filled {
    pub(super) tally: Tally,
    /// Rows without their parent, for the stage.
    pub(super) orphans: Rows<Spool>,
    /// Their keys.
    keys: Vec<i64>,
    inserted: u64,
}

/// What the rows refer to, when a table can be filled at once: it is empty and takes rows as the catalog types them, nothing
/// waits in quarantine, nobody was erased. The locks of the load must be held.
pub(super) fn parents(attempt: &mut Attempt<'_>, input_bytes: u64) -> Result<Option<Parents>> {
    let is_plain = !attempt.is_dry() && is_empty(attempt)? && !holds_any(attempt)? && !is_anybody(attempt)?;
    if is_plain { Parents::read(attempt, input_bytes) } else { Ok(None) }
}

/// Whether a table is empty, and has the catalog's types.
fn is_empty(attempt: &mut Attempt<'_>) -> Result<bool> {
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

/// Copies the records into the table. When it gives nothing, nothing was written, and the input is used up: whatever was the
/// matter, the long way meets it again and says it.
///
/// # Errors
/// When the database is away.
pub(super) fn run(
    attempt: &mut Attempt<'_>,
    parents: &Parents,
    feed: &mut Feed<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<Filled>> {
    // As the binary format counts: microseconds since 2000. Now, not when the transaction began and waited for locks.
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 946684800000000";
    let now = attempt.row("looking at the clock", now, &[])?.get(0);
    let table = attempt.terms.table();
    let columns = attempt.terms.columns("");
    let copying = format!("COPY {table} (ingested_at, {columns}) FROM STDIN (FORMAT binary)");
    let key = attempt.terms.whole_key();
    let twice = format!("SELECT EXISTS (SELECT FROM {table} WHERE {} = ANY ($1))", attempt.terms.key(""));
    let mut nested = attempt.transaction.transaction().map_err(|error| fault::of(&error))?;
    let filled = Copy::start(&mut nested, &copying)
        .and_then(|copy| copy_all(copy, now, key, parents, feed, progress))
        .and_then(|filled| check(&mut nested, &twice, filled));
    match filled {
        Ok(filled) => {
            nested.commit().map_err(|error| fault::of(&error))?;
            attempt.summary.inserted = filled.inserted;
            Ok(Some(filled))
        }
        Err(error) => {
            log::info!("{}: the long way: {error:#}", attempt.load.resource.table);
            nested.rollback().map_err(|error| fault::of(&error))?;
            Ok(None)
        }
    }
}

fn copy_all(
    mut copy: Copy<'_>,
    now: i64,
    key: Option<usize>,
    parents: &Parents,
    feed: &mut Feed<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Filled> {
    let mut lead = Fields::default();
    lead.timestamptz(now);
    let mut filled =
        Filled { tally: Tally::default(), orphans: Rows::aside(), keys: Vec::new(), inserted: 0 };
    while let Some(record) = feed.next()? {
        filled.tally.take(&record, progress);
        match record.outcome {
            Outcome::Typed { .. } if parents.lack(record.row) => {
                let key = key.and_then(|key| record.row.bigint(key));
                filled.keys.push(key.context("a row without its parent, of a key that is no whole number")?);
                ensure!(filled.keys.len() <= MOST, "more than {MOST} rows without their parents");
                filled.orphans.record(&record)?;
            }
            Outcome::Typed { .. } => {
                filled.inserted += 1;
                copy.row(lead.as_row(), record.row)?;
            }
            Outcome::OutOfScope => {}
            Outcome::Rejected { .. } => bail!("line {} is no plain record", record.line),
        }
    }
    copy.finish()?;
    Ok(filled)
}

/// Which of two records of one key counts is decided among the staged, whether they have their parents or not.
fn check(transaction: &mut Transaction<'_>, twice: &str, filled: Filled) -> Result<Filled> {
    if !filled.keys.is_empty() {
        let row = transaction.query_one(twice, &[&filled.keys]).map_err(|error| fault::of(&error))?;
        ensure!(!row.get::<_, bool>(0), "a key is there twice, with a parent and without");
    }
    Ok(filled)
}
