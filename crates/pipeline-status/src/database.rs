//! What the database says of itself and of the tables, in one snapshot.

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, Utc};
use postgres::{IsolationLevel, Row, Transaction};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tool::{Judge, Verdict};

/// Tables up to this size are counted; of larger ones the server's estimate is taken.
const COUNTED_BYTES: i64 = 4 << 20;

/// The database.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Database {
    pub(crate) version: String,
    pub(crate) bytes: i64,
    pub(crate) connections: i64,
    pub(crate) max_connections: i64,
    /// Runs of jobs and stages that failed or were lost in the last 24 hours, and in the 24 hours before.
    pub(crate) failed_runs_day: i64,
    pub(crate) failed_runs_day_before: i64,
    #[serde(skip)]
    pub(crate) tables: BTreeMap<String, Table>,
}

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
    /// Records that wait, by the kind of reason.
    pub(crate) quarantine: BTreeMap<String, i64>,
}

const PRESENT: &str = "SELECT count(*) FROM unnest(ARRAY['ops.loads', 'ops.watermarks', 'ops.quarantine',
    'ops.job_executions']) AS t(name) WHERE to_regclass(name) IS NULL";

const WHOLE: &str = "SELECT current_setting('server_version'), pg_database_size(current_database()),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::bigint,
    (SELECT count(*) FROM ops.job_executions WHERE started_at > now() - interval '1 day' AND status IN ('failed', 'lost')),
    (SELECT count(*) FROM ops.job_executions WHERE started_at > now() - interval '2 days'
        AND started_at <= now() - interval '1 day' AND status IN ('failed', 'lost'))";

/// Each lateral arm reads `loads_table_name_idx` backwards, to its first row. By equal names the server would rather read
/// the primary key, and of a table that was never loaded all loads there are.
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

/// Reads everything.
///
/// # Errors
/// As [`warehouse::connect`]; [`Verdict::Config`] when the tables of the mirror are not there.
pub(crate) fn read(tables: &[String]) -> Result<Database> {
    let mut client = warehouse::connect("pipeline-status")?;
    let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let mut transaction = builder.start().map_err(|error| warehouse::fault(&error))?;
    let missing: i64 = rows(&mut transaction, PRESENT, &[])?.first().map_or(0, |row| row.get(0));
    if missing > 0 {
        return Err(anyhow!("the database has no tables of the mirror; run init-db").verdict(Verdict::Config));
    }
    let whole = rows(&mut transaction, WHOLE, &[])?;
    let row = whole.first().context("the database says nothing of itself")?;
    Ok(Database {
        version: row.get(0),
        bytes: row.get(1),
        connections: row.get(2),
        max_connections: row.get(3),
        failed_runs_day: row.get(4),
        failed_runs_day_before: row.get(5),
        tables: of_tables(&mut transaction, tables)?,
    })
}

/// What is said of a server that takes connections and does not answer.
pub(crate) fn silent(patience: Duration) -> anyhow::Error {
    anyhow!("PostgreSQL gave no answer within {} s", patience.as_secs()).verdict(Verdict::Unreachable)
}

fn of_tables(transaction: &mut Transaction<'_>, names: &[String]) -> Result<BTreeMap<String, Table>> {
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
        quarantine: BTreeMap::new(),
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

type Parameters<'a> = [&'a (dyn postgres::types::ToSql + Sync)];

fn rows(transaction: &mut Transaction<'_>, query: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>> {
    transaction.query(query, parameters).map_err(|error| warehouse::fault(&error))
}
