//! The keys of the tables that a table refers to, read once, so that a row without its parent is known before it is sent.

use super::attempt::Attempt;
use crate::copy::{Row, Rows};
use crate::name::quoted;
use anyhow::Result;
use catalog::Type;

/// Keys of one table that are held, eight bytes each: up to so many, or fewer for a small input, for which reading them would
/// take longer than all the rest.
const MOST: u64 = 1_000_000;
const FEW: u64 = 1000;
const BYTES_A_KEY: u64 = 16;

/// What a table's rows refer to.
pub(super) struct Parents(Vec<Reference>);

struct Reference {
    /// Place of the column that refers.
    place: usize,
    /// Ascending.
    keys: Vec<i64>,
}

impl Parents {
    /// Reads the keys; none when there are too many, or when they are no whole numbers. The locks of the load must be held.
    pub(super) fn read(attempt: &mut Attempt<'_>, input_bytes: u64) -> Result<Option<Self>> {
        let most = (input_bytes / BYTES_A_KEY).clamp(FEW, MOST);
        let columns = attempt.load.resource.columns.iter().enumerate();
        let mut references = Vec::new();
        for (place, column) in columns {
            let Some(table) = &column.references else { continue };
            let key = &attempt.load.catalog.find(table)?.key[0];
            let keys = if column.kind == Type::Bigint { read(attempt, table, key, most)? } else { None };
            match keys {
                Some(keys) => references.push(Reference { place, keys }),
                None => return Ok(None),
            }
        }
        Ok(Some(Self(references)))
    }

    /// Whether a row refers to one that is not there.
    pub(super) fn lack(&self, row: Row<'_>) -> bool {
        let is_absent = |reference: &Reference, key: i64| reference.keys.binary_search(&key).is_err();
        self.0
            .iter()
            .any(|reference| row.bigint(reference.place).is_some_and(|key| is_absent(reference, key)))
    }
}

fn read(attempt: &mut Attempt<'_>, table: &str, key: &str, most: u64) -> Result<Option<Vec<i64>>> {
    let (table, key) = (quoted(table), quoted(key));
    let statement =
        format!("COPY (SELECT {key} FROM {table} ORDER BY {key} LIMIT {most} + 1) TO STDOUT (FORMAT binary)");
    let mut rows = Rows::start(&mut attempt.transaction, &statement)?;
    let mut keys = Vec::new();
    while rows.step()? {
        // The table may be of another type than the catalog says: the server compares those.
        let Some(key) = rows.row()?.bigint(0) else { return Ok(None) };
        keys.push(key);
    }
    Ok((keys.len() as u64 <= most).then_some(keys))
}
