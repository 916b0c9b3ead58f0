//! Expressions that the steps of a load share. Everything that names a table or a column comes from the catalog.
//!
//! The stage is called `_stage` and its own columns start with `_`: the catalog lets no name start like that.

use crate::name::{list, literal, quoted};
use catalog::{Column, Resource, Type};

/// The stage's own columns, in front of those of the table: number of the line (0 for what comes from quarantine), bits
/// of the columns that the record lacks, and for a record that is set aside itself, the reason, and the parent it lacks.
pub(super) const OWN_COLUMNS: &str =
    "_line bigint, _absent bigint, _record text, _reason text, _parent_table text, _parent_key text";

/// Expressions over one resource.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) resource: &'a Resource,
}

impl<'a> Terms<'a> {
    pub(super) fn table(self) -> String {
        quoted(&self.resource.table)
    }

    /// All columns, each behind a prefix such as `s.`.
    pub(super) fn columns(self, prefix: &str) -> String {
        list(prefix, self.resource.columns.iter().map(|column| column.name.as_str()))
    }

    pub(super) fn key(self, prefix: &str) -> String {
        list(prefix, self.resource.key.iter().map(String::as_str))
    }

    /// The place of the key among the columns, when it is one whole number.
    pub(super) fn whole_key(self) -> Option<usize> {
        let [key] = self.resource.key.as_slice() else { return None };
        let is_key = |column: &Column| column.name == *key && column.kind == Type::Bigint;
        self.resource.columns.iter().position(is_key)
    }

    /// The first key column: null where an outer join found nothing.
    pub(super) fn first_key(self, prefix: &str) -> String {
        format!("{prefix}{}", quoted(&self.resource.key[0]))
    }

    /// Whether two rows have the same key.
    pub(super) fn same_key(self, left: &str, right: &str) -> String {
        let pairs = self.resource.key.iter().map(|name| format!("{left}{0} = {right}{0}", quoted(name)));
        pairs.collect::<Vec<_>>().join(" AND ")
    }

    /// The key as text, null when it is not whole: `7`, or `[3, 7]` when it has several columns.
    pub(super) fn key_text(self, prefix: &str) -> String {
        match self.resource.key.as_slice() {
            [only] => format!("{prefix}{}::text", quoted(only)),
            several => {
                let null = several.iter().map(|name| format!("{prefix}{} IS NULL", quoted(name)));
                let null = null.collect::<Vec<_>>().join(" OR ");
                format!("CASE WHEN {null} THEN NULL ELSE jsonb_build_array({})::text END", self.key(prefix))
            }
        }
    }

    /// The key under which a record is set aside; a checksum of the record when it has no key of its own.
    pub(super) fn record_key(self, prefix: &str) -> String {
        let checksum = format!("encode(sha256(convert_to({prefix}_record, 'UTF8')), 'hex')");
        format!("coalesce({}, 'sha256:' || {checksum})", self.key_text(prefix))
    }

    /// The names of all columns as an array of texts.
    pub(super) fn names(self) -> String {
        let names = self.resource.columns.iter().map(|column| literal(&column.name));
        format!("ARRAY[{}]", names.collect::<Vec<_>>().join(", "))
    }

    /// Columns that refer to other tables, with the table.
    pub(super) fn references(self) -> impl Iterator<Item = (&'a Column, &'a str)> {
        self.resource.columns.iter().filter_map(|column| Some((column, column.references.as_deref()?)))
    }

    /// Columns outside the key, with their places.
    pub(super) fn values(self) -> impl Iterator<Item = (usize, &'a Column)> {
        let key = &self.resource.key;
        self.resource.columns.iter().enumerate().filter(|(_, column)| !key.contains(&column.name))
    }

    pub(super) fn table_name(self) -> String {
        literal(&self.resource.table)
    }
}
