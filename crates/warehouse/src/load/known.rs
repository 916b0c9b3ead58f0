//! What the table holds already, by key and digest: a record that says the same is dropped at once, and never staged.
//!
//! Most of a walk is unchanged, and to send, stage and join it costs several times as much as to read the table once.
//! A digest has 64 bits: among a billion changed records, one is taken for unchanged with a chance of one in ten billion.
//! What differs, is new, or is told twice goes the long way, where the server compares.

use super::attempt::Attempt;
use super::quarantine::holds_any;
use crate::copy::{Copy, Fields, Rows};
use anyhow::{Context, Result};
use catalog::Type;
use xxhash_rust::xxh3::xxh3_64;

/// Rows up to which this is done: sixteen bytes of memory for each.
const MOST: i64 = 1_200_000;

/// The temporary table of rows that the input did not tell of.
pub(super) const UNSEEN: &str = "_unseen";

/// The rows of a table.
pub(super) struct Known {
    /// By key, ascending.
    rows: Vec<Row>,
    /// Whether the input has told of a row, by its place.
    seen: Vec<bool>,
    /// Place of the key among the columns.
    key: usize,
    /// Where the last record was found: the next one is often beside it.
    last: usize,
}

#[derive(Clone, Copy)]
struct Row {
    key: i64,
    /// Zero for a row that has to be compared whatever the input says.
    digest: u64,
}

impl Known {
    /// Reads the table when that is worth it: when it has one whole number as its key, is not too large, and not much larger
    /// than the input. The locks of the load must be held, or what is read here may change before it is relied on.
    pub(super) fn read(attempt: &mut Attempt<'_>, input_bytes: u64) -> Result<Option<Self>> {
        let resource = attempt.load.resource;
        let [key] = resource.key.as_slice() else { return Ok(None) };
        let place = resource.columns.iter().position(|column| column.name == *key);
        let Some(key) = place.filter(|place| resource.columns[*place].kind == Type::Bigint) else {
            return Ok(None);
        };
        let size = "SELECT pg_relation_size(oid), greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass($1)";
        let row = attempt.row("looking at the table", size, &[&attempt.terms.table()])?;
        let (bytes, rows): (i64, i64) = (row.get(0), row.get(1));
        if bytes == 0 || 2 * input_bytes < bytes.unsigned_abs() || rows > MOST {
            return Ok(None);
        }
        log::info!("{}: reading what the table holds", resource.table);
        let mut known =
            Self { rows: Vec::with_capacity(usize::try_from(rows)?), seen: Vec::new(), key, last: 0 };
        if known.fill(attempt)? { Ok(Some(known)) } else { Ok(None) }
    }

    /// Whether there were few enough.
    fn fill(&mut self, attempt: &mut Attempt<'_>) -> Result<bool> {
        let statement = statement(attempt)?;
        let mut rows = Rows::start(&mut attempt.transaction, &statement)?;
        while let Some(row) = rows.next()? {
            if self.rows.len() as i64 >= MOST {
                return Ok(false);
            }
            let (waits, columns) = row.split_first().context("a row without columns")?;
            let key = columns.bigint(self.key).context("a row without a key")?;
            let digest = if waits == Some(&[1]) { 0 } else { digest(columns.bytes()) };
            self.rows.push(Row { key, digest });
        }
        self.rows.sort_unstable_by_key(|row| row.key);
        self.seen = vec![false; self.rows.len()];
        Ok(true)
    }

    /// Whether a record says what the table holds, and is the first that tells of its row: which of several counts is
    /// decided among the staged.
    pub(super) fn holds(&mut self, fields: &Fields, absent: i64) -> bool {
        let digest_there = self.hear(fields);
        absent == 0 && digest_there == Some(digest(fields.as_row().bytes()))
    }

    /// Notes that the input tells of a row; gives its digest when that is the first time.
    pub(super) fn hear(&mut self, fields: &Fields) -> Option<u64> {
        let place = self.find(fields.as_row().bigint(self.key)?)?;
        let is_first = !std::mem::replace(&mut self.seen[place], true);
        is_first.then(|| self.rows[place].digest)
    }

    /// Makes a temporary table of the keys that the input did not tell of.
    pub(super) fn unseen(&self, attempt: &mut Attempt<'_>) -> Result<()> {
        let key = attempt.terms.key("");
        attempt.run(
            "noting what was not told of",
            &format!("CREATE TEMP TABLE {UNSEEN} ({key} bigint) ON COMMIT DROP"),
        )?;
        let mut copy =
            Copy::start(&mut attempt.transaction, &format!("COPY {UNSEEN} FROM STDIN (FORMAT binary)"))?;
        let mut fields = Fields::default();
        for (row, _) in self.rows.iter().zip(&self.seen).filter(|(_, seen)| !**seen) {
            fields.clear();
            fields.bigint(row.key);
            copy.row(&Fields::default(), &fields)?;
        }
        copy.finish()
    }

    fn find(&mut self, key: i64) -> Option<usize> {
        let near = [self.last + 1, self.last, self.last.saturating_sub(1)];
        let near = near.into_iter().find(|place| self.rows.get(*place).is_some_and(|row| row.key == key));
        self.last = near.or_else(|| self.rows.binary_search_by_key(&key, |row| row.key).ok())?;
        Some(self.last)
    }
}

/// Every row, as a record that says the same would be written, and whether something of its key waits in quarantine: that
/// is decided among the staged.
fn statement(attempt: &mut Attempt<'_>) -> Result<String> {
    let terms = attempt.terms;
    let waits = if holds_any(attempt)? {
        let (table, key) = (terms.table_name(), terms.key_text("t."));
        format!("EXISTS (SELECT FROM ops.quarantine q WHERE q.table_name = {table} AND q.record_key = {key})")
    } else {
        "false".to_owned()
    };
    let (columns, table) = (terms.columns("t."), terms.table());
    Ok(format!("COPY (SELECT {waits}, {columns} FROM {table} t) TO STDOUT (FORMAT binary)"))
}

fn digest(bytes: &[u8]) -> u64 {
    xxh3_64(bytes).max(1)
}
