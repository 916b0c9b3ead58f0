//! Exports, database, tables.

use super::{Sample, Text, seconds};
use crate::database::Table;
use crate::measure::Measured;

pub(super) fn add(text: &mut Text, measured: &Measured) {
    exports(text, measured);
    database(text, measured);
    tables(text, measured);
}

fn label<'a>(table: &&'a str) -> Vec<(&'a str, &'a str)> {
    vec![("table", *table)]
}

fn exports(text: &mut Text, measured: &Measured) {
    let there: Vec<_> = measured
        .resources
        .iter()
        .filter_map(|line| Some((line.table.as_str(), line.export.get().ok()?.as_ref()?)))
        .collect();
    let finished = there.iter().map(|(table, export)| (label(table), Some(export.finished.timestamp())));
    text.gauge("export_timestamp_seconds", "When the last full export was published.", finished);
    let rows = there.iter().map(|(table, export)| (label(table), Some(export.rows)));
    text.gauge("export_records", "Records of the last full export.", rows);
    let bytes = there.iter().map(|(table, export)| (label(table), Some(export.bytes)));
    text.gauge("export_bytes", "Size of the last full export.", bytes);
    let complete = there.iter().map(|(table, export)| (label(table), Some(u8::from(export.complete))));
    text.gauge("export_complete", "1 when every record that the API announced is in it.", complete);
    let throttled = there.iter().map(|(table, export)| (label(table), Some(export.throttled)));
    text.gauge("export_throttled_calls", "Answers 429 that it met.", throttled);
}

fn database(text: &mut Text, measured: &Measured) {
    let up = u8::from(measured.database.get().is_ok());
    text.one("database_up", "1 when the database answered just now.", Some(up));
    if let Ok(database) = measured.database.get() {
        text.one("database_bytes", "Size of the database.", Some(database.bytes));
        text.one("database_connections", "Clients of the server.", Some(database.connections));
        let help = "Runs of jobs that failed or were lost in 24 hours.";
        text.one("failed_runs_day", help, Some(database.errors.day));
    }
}

fn tables(text: &mut Text, measured: &Measured) {
    let there: Vec<_> = measured
        .resources
        .iter()
        .filter_map(|line| Some((vec![("table", line.table.as_str())], line.mirror.as_ref()?)))
        .collect();
    let each = |take: fn(&Table) -> Option<i64>| {
        there.iter().map(move |(labels, table)| (labels.clone(), take(table))).collect::<Vec<_>>()
    };
    text.gauge("table_rows", "Rows; of large tables the server's estimate.", each(|table| table.rows));
    text.gauge("table_bytes", "Size with indexes.", each(|table| Some(table.bytes)));
    let help = "When the last load was committed.";
    text.gauge("table_load_timestamp_seconds", help, each(|table| seconds(table.last_load)));
    let help = "When a load last wrote or deleted a row.";
    text.gauge("table_change_timestamp_seconds", help, each(|table| seconds(table.last_change)));
    let help = "Up to when the changes are in the mirror.";
    text.gauge("table_watermark_timestamp_seconds", help, each(|table| seconds(table.watermark)));
    // A kind that there is none of is 0, so that a rise from nothing is seen.
    let kinds = |label: &'static str, take: fn(&Table) -> Vec<(&'static str, i64)>| {
        let one = move |(labels, table): &(Vec<(&'static str, _)>, &Table)| {
            let with = |(kind, count)| ([&labels[..], &[(label, kind)]].concat(), Some(count));
            take(table).into_iter().map(with).collect::<Vec<Sample<'_, i64>>>()
        };
        there.iter().flat_map(one).collect::<Vec<_>>()
    };
    let changed = kinds("change", |table| {
        let hour = table.hour;
        vec![("insert", hour.inserted), ("update", hour.updated), ("delete", hour.deleted)]
    });
    text.gauge(
        "table_rows_changed_last_hour",
        "Rows that loads of the last hour wrote and deleted.",
        changed,
    );
    let waiting = kinds("reason", |table| {
        let count = |reason| (reason, table.quarantine.get(reason).copied().unwrap_or(0));
        ["parent", "type"].map(count).into()
    });
    text.gauge("quarantine_records", "Records that wait, by the kind of reason.", waiting);
}
