//! The one snapshot that all checks look into: what there is to be read, what is in motion, and each statement by itself.

use crate::checks::Check;
use crate::staging::Silence;
use anyhow::{Context, Result, anyhow};
use catalog::Catalog;
use chrono::{DateTime, Utc};
use journal::STALE_SECONDS;
use postgres::{Client, IsolationLevel, Transaction};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use tool::{Judge, Verdict};
use warehouse::{fault, quoted};

/// Findings of a check that are looked at one by one; the rest is only counted.
pub(crate) const MOST_FINDINGS: i64 = 1000;

/// No statement takes longer: one check must not hold up the others.
const SETTINGS: &str =
    "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = '60s'";

const OURS: &str = "SELECT name FROM unnest(ARRAY['ops.loads', 'ops.watermarks', 'ops.quarantine', 'ops.job_executions',
    'ops.integrity_runs', 'ops.integrity_checks', 'ops.integrity_violations']) AS t(name) WHERE to_regclass(name) IS NULL";

const COLUMNS: &str = "SELECT w.name, a.attname::text FROM unnest($1::text[]) AS w(name)
    JOIN pg_attribute a ON a.attrelid = to_regclass(quote_ident(w.name)) AND a.attnum > 0 AND NOT a.attisdropped";

/// Tables that are being loaded: by a job that lives, or by anybody who holds the lock that every load takes.
const LIVE: &str = "SELECT w.name FROM unnest($1::text[]) AS w(name)
    WHERE EXISTS (SELECT FROM ops.job_executions j WHERE j.status = 'running'
            AND abs(extract(epoch FROM clock_timestamp() - j.heartbeat_at)) <= $2
            AND right(j.job_name, length(w.name) + 5) = 'load_' || w.name)
        OR EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND l.granted
            AND l.classid = 42 AND l.objsubid = 2 AND l.objid = (hashtext(w.name)::bigint & 4294967295)::oid
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

const WHOLE: &str = "SELECT w.name FROM unnest($1::text[]) AS w(name) WHERE EXISTS (SELECT FROM ops.loads l
    WHERE (l.table_name, l.id) BETWEEN (w.name, 0::bigint) AND (w.name, 9223372036854775807)
        AND l.kind = 'full' AND l.scope ->> 'campus' IS NULL)";

/// What stands for the people who were erased where nobody ever was.
const NOBODY: &str =
    "(SELECT NULL::bigint AS user_id, NULL::timestamptz AS erased_at, NULL::timestamptz AS lifted_at
    WHERE false)";

/// A read-only transaction, and what was asked of it first.
pub(crate) struct Snapshot<'a> {
    pub(crate) transaction: Transaction<'a>,
    /// When it was taken, by the database's clock.
    pub(crate) taken: DateTime<Utc>,
    columns: HashSet<(String, String)>,
    live: HashSet<String>,
    whole: HashSet<String>,
    /// The table of people who were erased.
    pub(crate) erased: &'static str,
}

/// What a statement gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    /// Rows that were compared.
    pub(crate) total: i64,
    /// Those that are inconsistent.
    pub(crate) inconsistent: i64,
    /// Findings that they make.
    pub(crate) findings: i64,
    pub(crate) shown: Vec<Group>,
}

/// What one finding is made of.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) subject: Value,
    pub(crate) left: Value,
    pub(crate) right: Value,
    pub(crate) rows: i64,
}

impl<'a> Snapshot<'a> {
    /// Takes the snapshot.
    ///
    /// # Errors
    /// [`Verdict::Config`] when the tables of the tools are not there.
    pub(crate) fn take(client: &'a mut Client, checks: &[Check]) -> Result<Self> {
        let builder =
            client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let mut transaction = builder.start().map_err(|error| fault(&error))?;
        transaction.batch_execute(SETTINGS).map_err(|error| fault(&error))?;
        let missing = transaction.query(OURS, &[]).map_err(|error| fault(&error))?;
        if let Some(row) = missing.first() {
            let name: String = row.get(0);
            return Err(anyhow!("the database has no table {name}; run init-db").verdict(Verdict::Config));
        }
        let taken: DateTime<Utc> =
            transaction.query_one("SELECT now()", &[]).map_err(|error| fault(&error))?.get(0);
        let tables: BTreeSet<&str> = checks.iter().flat_map(Check::tables).collect();
        let tables: Vec<&str> = tables.into_iter().collect();
        let mut names = |query: &str| -> Result<HashSet<String>> {
            let rows = transaction.query(query, &[&tables]).map_err(|error| fault(&error))?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        let whole = names(WHOLE)?;
        let live = names(&LIVE.replace("$2", &STALE_SECONDS.to_string()))?;
        let rows = transaction.query(COLUMNS, &[&tables]).map_err(|error| fault(&error))?;
        let columns = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let query = "SELECT to_regclass('ops.tombstones') IS NOT NULL";
        let is_there = transaction.query_one(query, &[]).map_err(|error| fault(&error))?.get(0);
        let erased = if is_there { "ops.tombstones" } else { NOBODY };
        Ok(Self { transaction, taken, columns, live, whole, erased })
    }

    /// Why a check cannot be done now, if so.
    pub(crate) fn silence(&self, check: &Check) -> Option<Silence> {
        if let Some((table, column)) = check.needs.iter().find(|need| !self.columns.contains(*need)) {
            return Some(Silence::Inapplicable(format!("there is no column {table}.{column}")));
        }
        if let Some(table) = check.wants_whole.iter().find(|table| !self.whole.contains(*table)) {
            return Some(Silence::Inapplicable(format!("{table} was never loaded whole")));
        }
        let live = check.tables().find(|table| self.live.contains(*table))?;
        Some(Silence::Waiting(format!("{live} is being loaded")))
    }

    /// Does something by itself: when it fails, what else is asked of the snapshot is none the worse.
    ///
    /// # Errors
    /// When it failed.
    pub(crate) fn apart<T>(&mut self, what: impl FnOnce(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut nested = self.transaction.transaction().map_err(|error| fault(&error))?;
        let outcome = what(&mut nested);
        let ended = if outcome.is_ok() { nested.commit() } else { nested.rollback() };
        outcome.and_then(|value| ended.map(|()| value).map_err(|error| fault(&error)))
    }

    /// How many people the mirror knows.
    pub(crate) fn people(&mut self, catalog: &Catalog) -> Result<i64> {
        let people = catalog.resources().iter().find(|resource| resource.lookup.is_some());
        let Some(people) = people else { return Ok(0) };
        let count = format!("SELECT count(*) FROM {}", quoted(&people.table));
        let there = "SELECT to_regclass(quote_ident($1)) IS NOT NULL";
        let row = self.transaction.query_one(there, &[&people.table]).map_err(|error| fault(&error))?;
        if !row.get::<_, bool>(0) {
            return Ok(0);
        }
        let row = self.transaction.query_one(&count, &[]).map_err(|error| fault(&error));
        Ok(row.context("counting people")?.get(0))
    }
}

/// What a statement of units or groups gives: totals of all, and the first findings, in an order that does not change.
pub(crate) fn groups(transaction: &mut Transaction<'_>, groups: &str) -> Result<Groups> {
    let statement = format!(
        "SELECT subject::text, l::text, r::text, rows, total, inconsistent, findings FROM (
             SELECT subject, to_jsonb(left_value) AS l, to_jsonb(right_value) AS r, rows,
                 (sum(rows) OVER ())::bigint AS total,
                 (coalesce(sum(rows) FILTER (WHERE subject IS NOT NULL) OVER (), 0))::bigint AS inconsistent,
                 count(subject) OVER () AS findings
             FROM ({groups}) AS g) AS w
         ORDER BY subject NULLS FIRST LIMIT {}",
        MOST_FINDINGS + 1
    );
    log::debug!("{statement}");
    let rows = transaction.query(&statement, &[]).map_err(|error| fault(&error))?;
    let mut found = Groups::default();
    let json = |text: Option<&str>| -> Result<Value> {
        Ok(text.map(serde_json::from_str).transpose()?.unwrap_or_default())
    };
    for row in rows {
        (found.total, found.inconsistent, found.findings) = (row.get(4), row.get(5), row.get(6));
        let Some(subject) = row.get::<_, Option<&str>>(0) else { continue };
        found.shown.push(Group {
            subject: serde_json::from_str(subject)?,
            left: json(row.get(1))?,
            right: json(row.get(2))?,
            rows: row.get(3),
        });
    }
    found.shown.truncate(usize::try_from(MOST_FINDINGS)?);
    Ok(found)
}

/// Units, counted.
pub(crate) fn grouped(units: &str) -> String {
    format!(
        "SELECT subject, CASE WHEN subject IS NOT NULL THEN to_jsonb(left_value) END AS left_value,
             CASE WHEN subject IS NOT NULL THEN to_jsonb(right_value) END AS right_value, count(*) AS rows
         FROM ({units}) AS u GROUP BY 1, 2, 3"
    )
}
