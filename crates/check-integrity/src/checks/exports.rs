//! For every resource: the ids of its last full export against those of its table, in both directions.

use super::{Body, Check, Mend, Side, needs};
use crate::action::Action;
use crate::level::Weight;
use catalog::{Resource, Severity};
use std::collections::BTreeMap;

/// The two checks of a resource.
pub(super) fn of(resource: &Resource) -> [Check; 2] {
    let table = &resource.table;
    [
        Check {
            about: format!(
                "Each record of the last full export of {table} is in the table, in quarantine, or lacks a parent"
            ),
            ..check(resource, "export_rows_in_db", Side::Export)
        },
        Check {
            about: format!("Each row of {table} is in its last full export, or came after its walk began"),
            severity: Severity::Warning,
            mend: Mend::of_table(Action::ReviewDeletion, table),
            left: table.clone(),
            right: format!("exports/{}", resource.file),
            ..check(resource, "db_rows_not_in_export", Side::Table)
        },
    ]
}

fn check(resource: &Resource, name: &str, side: Side) -> Check {
    let table = &resource.table;
    let columns: Vec<&str> = warehouse::key_columns(resource).map(|column| column.name.as_str()).collect();
    let mut columns = needs(table, &columns);
    columns.extend(needs(table, &["ingested_at"]));
    Check {
        name: name.to_owned(),
        alias: None,
        table: Some(table.clone()),
        about: String::new(),
        severity: Severity::Error,
        weight: Weight::Share,
        needs: columns,
        wants_whole: Vec::new(),
        left: format!("exports/{}", resource.file),
        right: table.clone(),
        mend: Mend::of_table(Action::ReloadExport, table),
        also: BTreeMap::new(),
        body: Body::Export(side),
    }
}
