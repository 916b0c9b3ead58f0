//! What the table holds already: a record that says the same is dropped at once, and never staged.
//!
//! Most of a walk is unchanged, and to send, stage and join it costs several times as much as to read the table once. The
//! table is read beside the input, in the order in which the input's keys come, rising or falling: each row meets its record
//! and both are forgotten. Rows that the input passes over are remembered by key and digest, since a walk of several lists
//! comes back to them. A digest has 64 bits: among a billion changed records, one is taken for unchanged with a chance of
//! one in ten billion. What differs, is new, or is told twice goes the long way, where the server compares.

use super::attempt::Attempt;
use super::quarantine::holds_any;
use crate::copy::{Copy, Fields, Row, Rows, Spool, Takes};
use anyhow::{Context, Result};
use postgres::Transaction;
use std::cmp::Ordering;
use xxhash_rust::xxh3::xxh3_64;

/// Rows passed over that are remembered, seventeen bytes each. Records of others are compared by the server.
const MOST: usize = 1_200_000;

/// The temporary table of rows that the input did not tell of.
pub(super) const UNSEEN: &str = "_unseen";

/// A table that is being read.
pub(super) struct Known<'t> {
    table: Rows<'t>,
    /// Place of the key among the columns.
    key: usize,
    is_falling: bool,
    /// The key of the row that is reached; none at the end.
    reached: Option<i64>,
    /// Rows passed over, in the order of the table.
    passed: Vec<Passed>,
    /// Whether the input has told of one since, by its place.
    told: Vec<bool>,
    /// Keys that were passed over and not remembered, when somebody asks for what is unseen.
    forgotten: Option<Spool>,
}

struct Passed {
    key: i64,
    /// None for a row that has to be compared whatever the input says.
    digest: Option<std::num::NonZeroU64>,
}

/// Where a record's row is.
enum Place {
    /// It is reached.
    Here,
    Passed(usize),
    Nowhere,
}

/// Keys of rows that the input did not tell of, and of rows that were forgotten, whose records are among the staged.
pub(super) struct Unseen(Spool);

/// Place of the key among the columns, when reading the table is worth it: when it has one whole number as its key and is
/// not empty, and not much larger than the input.
pub(super) fn is_worth_reading(attempt: &mut Attempt<'_>, input_bytes: u64) -> Result<Option<usize>> {
    let Some(key) = attempt.terms.whole_key() else { return Ok(None) };
    let size = "SELECT pg_relation_size(to_regclass($1))";
    let bytes: i64 = attempt.row("looking at the table", size, &[&attempt.terms.table()])?.get(0);
    Ok((bytes > 0 && 2 * input_bytes >= bytes.unsigned_abs()).then_some(key))
}

/// Every row, as a record that says the same would be written, and whether it waits.
pub(super) fn statement(attempt: &mut Attempt<'_>, is_falling: bool) -> Result<String> {
    let terms = attempt.terms;
    let waits = if holds_any(attempt)? {
        let (table, key) = (terms.table_name(), terms.key_text("t."));
        format!("EXISTS (SELECT FROM ops.quarantine q WHERE q.table_name = {table} AND q.record_key = {key})")
    } else {
        "false".to_owned()
    };
    let (columns, table, key) = (terms.columns("t."), terms.table(), terms.key("t."));
    let order = if is_falling { "DESC" } else { "ASC" };
    Ok(format!(
        "COPY (SELECT {waits}, {columns} FROM {table} t ORDER BY {key} {order}) TO STDOUT (FORMAT binary)"
    ))
}

impl<'t> Known<'t> {
    /// Begins to read the table. The locks of the load must be held, or what is read here may change before it is relied on.
    pub(super) fn start(
        transaction: &'t mut Transaction<'_>,
        statement: &str,
        key: usize,
        is_falling: bool,
        prunes: bool,
    ) -> Result<Self> {
        let mut known = Self {
            table: Rows::start(transaction, statement)?,
            key,
            is_falling,
            reached: None,
            passed: Vec::new(),
            told: Vec::new(),
            forgotten: prunes.then(Spool::new),
        };
        known.step()?;
        Ok(known)
    }

    /// Whether a record says what the table holds, and is the first that tells of its row: which of several counts is
    /// decided among the staged.
    pub(super) fn holds(&mut self, record: Row<'_>, absent: i64) -> Result<bool> {
        match self.find(record)? {
            Place::Here => {
                let (waits, row) = split(self.table.row()?)?;
                let same = absent == 0 && !waits && row == record.bytes();
                self.step()?;
                Ok(same)
            }
            Place::Passed(place) => {
                let is_first = !std::mem::replace(&mut self.told[place], true);
                Ok(is_first && absent == 0 && self.passed[place].digest == Some(digest(record.bytes())))
            }
            Place::Nowhere => Ok(false),
        }
    }

    /// Notes that the input tells of a row.
    pub(super) fn hear(&mut self, record: Row<'_>) -> Result<()> {
        match self.find(record)? {
            Place::Here => self.step()?,
            Place::Passed(place) => self.told[place] = true,
            Place::Nowhere => {}
        }
        Ok(())
    }

    /// Reads the table to its end, when what the input did not tell of is asked for.
    pub(super) fn finish(mut self) -> Result<Option<Unseen>> {
        let Some(mut unseen) = self.forgotten.take() else { return Ok(None) };
        while let Some(reached) = self.reached {
            forget(&mut unseen, reached)?;
            self.step()?;
        }
        for (row, _) in self.passed.iter().zip(&self.told).filter(|(_, told)| !**told) {
            forget(&mut unseen, row.key)?;
        }
        Ok(Some(Unseen(unseen)))
    }

    /// Goes on in the table up to a record's key.
    fn find(&mut self, record: Row<'_>) -> Result<Place> {
        let Some(key) = record.bigint(self.key) else { return Ok(Place::Nowhere) };
        while let Some(reached) = self.reached {
            match self.order(reached, key) {
                Ordering::Less => self.pass(reached)?,
                Ordering::Equal => return Ok(Place::Here),
                Ordering::Greater => break,
            }
        }
        let place = self.passed.binary_search_by(|passed| self.order(passed.key, key));
        Ok(place.map_or(Place::Nowhere, Place::Passed))
    }

    fn order(&self, one: i64, other: i64) -> Ordering {
        if self.is_falling { other.cmp(&one) } else { one.cmp(&other) }
    }

    /// Leaves the row that is reached behind.
    fn pass(&mut self, key: i64) -> Result<()> {
        if self.passed.len() < MOST {
            let (waits, row) = split(self.table.row()?)?;
            let digest = (!waits).then(|| digest(row));
            self.passed.push(Passed { key, digest });
            self.told.push(false);
        } else if let Some(forgotten) = &mut self.forgotten {
            forget(forgotten, key)?;
        }
        self.step()
    }

    fn step(&mut self) -> Result<()> {
        self.reached = None;
        if self.table.step()? {
            let key = self.table.row()?.bigint(self.key + 1);
            self.reached = Some(key.context("a row without its key")?);
        }
        Ok(())
    }
}

impl Unseen {
    /// Makes a temporary table of them, without those that are among the staged. The stage must hold all that the input told.
    pub(super) fn into_table(self, attempt: &mut Attempt<'_>) -> Result<()> {
        let what = "noting what was not told of";
        let key = attempt.terms.key("");
        attempt.run(what, &format!("CREATE TEMP TABLE {UNSEEN} ({key} bigint) ON COMMIT DROP"))?;
        let statement = format!("COPY {UNSEEN} FROM STDIN (FORMAT binary)");
        let mut copy = Copy::start(&mut attempt.transaction, &statement)?;
        self.0.pour(&mut copy)?;
        copy.finish().context(what)?;
        let same = attempt.terms.same_key("u.", "s.");
        attempt.run(what, &format!("DELETE FROM {UNSEEN} u USING _stage s WHERE {same}"))
    }
}

fn forget(spool: &mut Spool, key: i64) -> Result<()> {
    let mut fields = Fields::default();
    fields.bigint(key);
    spool.row(Fields::default().as_row(), fields.as_row())
}

/// Whether something of a row's key waits in quarantine, which is decided among the staged; and the bytes of its columns.
fn split(row: Row<'_>) -> Result<(bool, &[u8])> {
    let (waits, columns) = row.split_first().context("a row without columns")?;
    Ok((waits == Some(&[1]), columns.bytes()))
}

fn digest(bytes: &[u8]) -> std::num::NonZeroU64 {
    xxh3_64(bytes).try_into().unwrap_or(std::num::NonZeroU64::MIN)
}
