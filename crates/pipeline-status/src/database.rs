//! What the database says of itself, of the tables and of the runs of jobs, in one snapshot.
//!
//! # Layout
//! - here: the database as a whole, and one look at it.
//! - `tables`: rows, loads, lags, quarantine. `changes`: what loads wrote and deleted. `runs`: runs that failed.

mod changes;
mod runs;
mod tables;

pub(crate) use changes::{MOVED, Moved, Recent};
pub(crate) use runs::Errors;
pub(crate) use tables::Table;

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, Utc};
use postgres::{IsolationLevel, Row, Transaction};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tool::{Judge, Verdict};

/// The database.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Database {
    pub(crate) version: String,
    pub(crate) bytes: i64,
    pub(crate) connections: i64,
    pub(crate) max_connections: i64,
    /// Those of [`Errors`], for who has known them longer.
    pub(crate) failed_runs_day: u64,
    pub(crate) failed_runs_day_before: u64,
    pub(crate) errors: Errors,
    /// By its own clock.
    #[serde(skip)]
    pub(crate) now: DateTime<Utc>,
    #[serde(skip)]
    pub(crate) tables: BTreeMap<String, Table>,
    /// What moved since the instant that was asked for.
    #[serde(skip)]
    pub(crate) recent: Recent,
}

const PRESENT: &str = "SELECT count(*) FROM unnest(ARRAY['ops.loads', 'ops.watermarks', 'ops.quarantine',
    'ops.job_executions']) AS t(name) WHERE to_regclass(name) IS NULL";

const WHOLE: &str = "SELECT current_setting('server_version'), pg_database_size(current_database()),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::bigint, now()";

/// Reads everything; what moved, since an instant of the database's clock.
///
/// # Errors
/// As [`warehouse::connect`]; [`Verdict::Config`] when the tables of the mirror are not there.
pub(crate) fn read(tables: &[String], since: Option<DateTime<Utc>>) -> Result<Database> {
    let mut client = warehouse::connect("pipeline-status")?;
    let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let mut transaction = builder.start().map_err(|error| warehouse::fault(&error))?;
    let missing: i64 = rows(&mut transaction, PRESENT, &[])?.first().map_or(0, |row| row.get(0));
    if missing > 0 {
        return Err(anyhow!("the database has no tables of the mirror; run init-db").verdict(Verdict::Config));
    }
    let whole = rows(&mut transaction, WHOLE, &[])?;
    let row = whole.first().context("the database says nothing of itself")?;
    let now = row.get(4);
    let errors = runs::errors(&mut transaction)?;
    Ok(Database {
        version: row.get(0),
        bytes: row.get(1),
        connections: row.get(2),
        max_connections: row.get(3),
        failed_runs_day: errors.day,
        failed_runs_day_before: errors.day_before,
        errors,
        now,
        tables: tables::read(&mut transaction, tables, now)?,
        recent: changes::recent(&mut transaction, since, now)?,
    })
}

/// What is said of a server that takes connections and does not answer.
pub(crate) fn silent(patience: Duration) -> anyhow::Error {
    anyhow!("PostgreSQL gave no answer within {} s", patience.as_secs()).verdict(Verdict::Unreachable)
}

type Parameters<'a> = [&'a (dyn postgres::types::ToSql + Sync)];

fn rows(transaction: &mut Transaction<'_>, query: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>> {
    transaction.query(query, parameters).map_err(|error| warehouse::fault(&error))
}
