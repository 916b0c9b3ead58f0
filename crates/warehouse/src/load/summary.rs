//! What came of a load.

use serde::Serialize;
use std::collections::BTreeMap;

/// The counts of a load. Every record is in exactly one of them:
///
/// `read + released = inserted + updated + unchanged + stale + quarantined + rejected + duplicates + out_of_scope + erased`
///
/// `deleted`, `cascaded` and `released_elsewhere` count rows of tables, not records.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// The table.
    pub table: String,
    /// `stdin`, or the path of what was read.
    pub source: String,
    /// Records in the input.
    pub read: u64,
    /// Rows that are new.
    pub inserted: u64,
    /// Rows that differed.
    pub updated: u64,
    /// Records that the table holds already; nothing was written for them.
    pub unchanged: u64,
    /// Rows pruned, because a complete export lacks them.
    pub deleted: u64,
    /// Records set aside because a row that they refer to is missing.
    pub quarantined: u64,
    /// Records taken out of quarantine and tried again; what became of them is among the other counts.
    pub released: u64,
    /// Records set aside because a value does not fit its column.
    pub rejected: u64,
    /// Records that belong to nobody in this mirror.
    pub out_of_scope: u64,
    /// Records beaten by a later one of the same key.
    pub duplicates: u64,
    /// Records older than the row that is there.
    pub stale: u64,
    /// Records of people who were erased, and of what hangs on them.
    pub erased: u64,
    /// Rows of other tables that went with the rows pruned.
    pub cascaded: BTreeMap<String, u64>,
    /// Rows of other tables that had waited for rows of this one, taken out of quarantine.
    pub released_elsewhere: BTreeMap<String, u64>,
    /// How long it took.
    pub seconds: f64,
    /// Set when nothing was kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Of a dry run: some of the rows that would have changed, in words.
    #[serde(skip)]
    pub examples: Vec<String>,
}
