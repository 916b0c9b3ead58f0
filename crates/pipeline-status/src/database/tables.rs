//! The tables of the mirror: rows, loads, lags, and what waits.

use super::changes::{Moved, moved};
use super::rows;
use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use postgres::{Row, Transaction};
use serde::Serialize;
use std::collections::BTreeMap;

/// Tables up to this size are counted; of larger ones the server's estimate is taken.
const COUNTED_BYTES: i64 = 4 << 20;

/// A table.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Table {
    /// Null when the table is large and the server has no estimate yet.
    pub(crate) rows: Option<i64>,
    /// Whether they were counted; else it is the estimate of the server.
    pub(crate) rows_counted: bool,
    /// With indexes.
    pub(crate) bytes: i64,
    pub(crate) last_load: Option<DateTime<Utc>>,
    pub(crate) last_load_age_seconds: Option<f64>,
    /// The last load that wrote or deleted a row.
    pub(crate) last_change: Option<DateTime<Utc>>,
    pub(crate) watermark: Option<DateTime<Utc>>,
    /// By the database's clock.
    pub(crate) live_lag_seconds: Option<f64>,
    /// By loads that ended in the last hour.
    #[serde(flatten)]
    pub(crate) hour: Moved,
    /// Records that wait, by the kind of reason.
    pub(crate) quarantine: BTreeMap<String, i64>,
}

/// Each lateral arm reads an index backwards, to its first row: `loads_table_name_idx` and `loads_changed_idx`. By equal
/// names the server would rather read the primary key, and of a table that was never loaded all loads there are.
const TABLES: &str = "SELECT w.name, c.reltuples::float8, pg_relation_size(c.oid), pg_total_relation_size(c.oid),
        l.finished_at, extract(epoch FROM clock_timestamp() - l.finished_at)::float8, h.finished_at, m.watermark,
        extract(epoch FROM clock_timestamp() - m.watermark)::float8
    FROM unnest($1::text[]) AS w(name)
    JOIN pg_class c ON c.oid = to_regclass(quote_ident(w.name))
    LEFT JOIN ops.watermarks m ON m.table_name = w.name
    LEFT JOIN LATERAL (SELECT finished_at FROM ops.loads
        WHERE (table_name, id) BETWEEN (w.name, 0::bigint) AND (w.name, 9223372036854775807)
        ORDER BY table_name DESC, id DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (SELECT finished_at FROM ops.loads
        WHERE (table_name, id) BETWEEN (w.name, 0::bigint) AND (w.name, 9223372036854775807)
            AND inserted + updated + deleted > 0
        ORDER BY table_name DESC, id DESC LIMIT 1) h ON true";

const QUARANTINE: &str = "SELECT table_name, reason_kind, count(*) FROM ops.quarantine GROUP BY 1, 2";

pub(super) fn read(
    transaction: &mut Transaction<'_>,
    names: &[String],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, Table>> {
    let mut tables = BTreeMap::new();
    let mut small = Vec::new();
    for row in rows(transaction, TABLES, &[&names])? {
        let (name, table) = table(&row);
        if row.get::<_, i64>(2) <= COUNTED_BYTES {
            small.push(name.clone());
        }
        tables.insert(name, table);
    }
    for (name, count) in counted(transaction, &small)? {
        if let Some(table) = tables.get_mut(&name) {
            (table.rows, table.rows_counted) = (Some(count), true);
        }
    }
    for row in rows(transaction, QUARANTINE, &[])? {
        if let Some(table) = tables.get_mut(&row.get::<_, String>(0)) {
            table.quarantine.insert(row.get(1), row.get(2));
        }
    }
    for (name, hour) in moved(transaction, now - TimeDelta::hours(1), now)? {
        if let Some(table) = tables.get_mut(&name) {
            table.hour = hour;
        }
    }
    Ok(tables)
}

fn table(row: &Row) -> (String, Table) {
    #[expect(clippy::cast_possible_truncation, reason = "an estimate of rows")]
    let estimate = Some(row.get::<_, f64>(1)).filter(|rows| *rows >= 0.0).map(|rows| rows as i64);
    let table = Table {
        rows: estimate,
        rows_counted: false,
        bytes: row.get(3),
        last_load: row.get(4),
        last_load_age_seconds: row.get(5),
        last_change: row.get(6),
        watermark: row.get(7),
        live_lag_seconds: row.get(8),
        ..Table::default()
    };
    (row.get(0), table)
}

/// Rows of tables, counted.
fn counted(transaction: &mut Transaction<'_>, names: &[String]) -> Result<Vec<(String, i64)>> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let counts = names.iter().enumerate();
    let counts = counts.map(|(nth, name)| format!("SELECT {nth}::bigint, count(*) FROM {}", quoted(name)));
    let query = counts.collect::<Vec<_>>().join(" UNION ALL ");
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let rows = rows(transaction, &query, &[])?;
    let count =
        |row: &Row| Some((names.get(usize::try_from(row.get::<_, i64>(0)).ok()?)?.clone(), row.get(1)));
    Ok(rows.iter().filter_map(count).collect())
}
