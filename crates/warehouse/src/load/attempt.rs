//! The transaction of a load, and what every step asks it.

use super::sql::Terms;
use super::{Ending, Load, Summary};
use crate::{commit, fault};
use anyhow::{Context, Result};
use postgres::types::ToSql;
use postgres::{Client, Row, Transaction};
use std::time::Instant;

/// Memory for sorts and hashes of one load's statements, and a sample of the stage that is enough to plan by. Each statement
/// runs once: to compile it costs more than it saves.
const SETTINGS: &str =
    "SET LOCAL work_mem = '64MB'; SET LOCAL default_statistics_target = 10; SET LOCAL jit = off";

/// A load that is going on.
pub(super) struct Attempt<'a> {
    pub(super) load: &'a Load<'a>,
    pub(super) transaction: Transaction<'a>,
    pub(super) terms: Terms<'a>,
    /// What is known so far.
    pub(super) summary: Summary,
    /// Its number in `ops.loads`.
    pub(super) number: i64,
    /// Records of the input whose key could not be read: they might be any row of the table.
    pub(super) keyless: u64,
    /// Records that say what the table holds, and were never staged.
    pub(super) held: u64,
    /// Records of the stage that may be loaded.
    pub(super) good: u64,
    /// Columns that every record of the stage lacks, and those that some lack, as bits.
    pub(super) lacking: Lacking,
    began: Instant,
}

/// Bits of columns: the first column is the lowest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lacking {
    pub(super) always: i64,
    pub(super) sometimes: i64,
}

impl<'a> Attempt<'a> {
    pub(super) fn begin(client: &'a mut Client, load: &'a Load<'a>) -> Result<Self> {
        let transaction = client.transaction().map_err(|error| fault::of(&error))?;
        let mut attempt = Self {
            load,
            transaction,
            terms: Terms { resource: load.resource },
            summary: Summary {
                table: load.resource.table.clone(),
                source: load.source.name(),
                dry_run: load.ending == Ending::Rollback,
                ..Summary::default()
            },
            number: 0,
            keyless: 0,
            held: 0,
            good: 0,
            lacking: Lacking::default(),
            began: Instant::now(),
        };
        attempt.run("starting", SETTINGS)?;
        let next = "SELECT nextval(pg_get_serial_sequence('ops.loads', 'id'))";
        attempt.number = attempt.row("starting", next, &[])?.get(0);
        Ok(attempt)
    }

    /// Runs statements without parameters.
    pub(super) fn run(&mut self, what: &'static str, statements: &str) -> Result<()> {
        self.transaction.batch_execute(statements).map_err(|error| fault::of(&error)).context(what)
    }

    /// Runs a statement and says how many rows it touched.
    pub(super) fn execute(&mut self, what: &'static str, statement: &str) -> Result<u64> {
        log::debug!("{what}: {statement}");
        self.transaction.execute(statement, &[]).map_err(|error| fault::of(&error)).context(what)
    }

    pub(super) fn rows(
        &mut self,
        what: &'static str,
        query: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        self.transaction.query(query, parameters).map_err(|error| fault::of(&error)).context(what)
    }

    pub(super) fn row(
        &mut self,
        what: &'static str,
        query: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Row> {
        self.transaction.query_one(query, parameters).map_err(|error| fault::of(&error)).context(what)
    }

    /// Counts the rows that a query without parameters gives.
    pub(super) fn count(&mut self, what: &'static str, query: &str) -> Result<u64> {
        let count: i64 = self.row(what, &format!("SELECT count(*) FROM ({query}) counted"), &[])?.get(0);
        Ok(u64::try_from(count)?)
    }

    pub(super) fn is_dry(&self) -> bool {
        self.load.ending == Ending::Rollback
    }

    pub(super) fn seconds(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
    }

    /// Ends the transaction as the load asks for.
    pub(super) fn end(mut self) -> Result<Summary> {
        match self.load.ending {
            Ending::Commit => commit(self.transaction)?,
            Ending::Rollback => self.transaction.rollback().map_err(|error| fault::of(&error))?,
        }
        self.summary.seconds = (self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        Ok(self.summary)
    }
}
