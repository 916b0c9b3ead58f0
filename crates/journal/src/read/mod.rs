//! What is on record, read from the database just now, and the bodies that the REST API documents.
//!
//! # Layout
//! - this file: [`Source`], a connection that only reads, but for closing what is lost.
//! - [`Job`]: a run. [`Item`]: a job's line of the summary. [`bodies`]: what is said of them.

pub mod bodies;
mod job;
mod summary;

pub use job::{Filter, Job};
pub use summary::Item;

use crate::schedule::Definition;
use crate::spool::Spool;
use crate::{replay, store};
use anyhow::{Context, Result};
use postgres::Client;

/// A database that runs are read from.
pub struct Source {
    client: Client,
}

impl Source {
    /// Connects, brings in what was spooled on this host, and closes runs that are lost. Where those two are not allowed
    /// or fail, what is read is right nevertheless: a run without a heartbeat reads as lost.
    ///
    /// # Errors
    /// As [`warehouse::connect`].
    pub fn open(application: &str) -> Result<Self> {
        let mut source = Self { client: store::connect(application)? };
        let spool = Spool::new(&crate::folder());
        if let Err(error) = replay::catch_up(&mut source.client, &spool) {
            log::warn!("what waits in {} is not shown: {error:#}", spool.path().display());
        }
        source.close_lost();
        Ok(source)
    }

    /// Closes runs that are lost, where that is allowed.
    pub fn close_lost(&mut self) {
        if let Err(error) = store::reap(&mut self.client, None) {
            log::info!("{error:#}");
        }
    }

    /// The runs that are going on, oldest first.
    ///
    /// # Errors
    /// When the database is away, or its tables are not ours.
    pub fn active(&mut self) -> Result<Vec<Job>> {
        job::active(&mut self.client).context("reading ops.job_executions")
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// As [`Source::active`].
    pub fn history(&mut self, filter: &Filter) -> Result<Vec<Job>> {
        job::history(&mut self.client, filter).context("reading ops.job_executions")
    }

    /// One run; none when there is none of this id.
    ///
    /// # Errors
    /// As [`Source::active`].
    pub fn job(&mut self, id: i64) -> Result<Option<Job>> {
        job::one(&mut self.client, id).context("reading ops.job_executions")
    }

    /// Every job that has a schedule or has ever run, those with a schedule first.
    ///
    /// # Errors
    /// As [`Source::active`].
    pub fn summary(&mut self, definitions: &[Definition]) -> Result<Vec<(String, Item)>> {
        summary::read(&mut self.client, definitions).context("reading ops.job_executions")
    }

    /// The database's clock, RFC 3339, UTC.
    ///
    /// # Errors
    /// As [`Source::active`].
    pub fn now(&mut self) -> Result<String> {
        let query = format!("SELECT {}", instant("clock_timestamp()"));
        let row = self.client.query_one(&query, &[]).map_err(|error| warehouse::fault(&error));
        Ok(row.context("the database's clock")?.get(0))
    }
}

/// SQL that gives an instant as RFC 3339 with `Z`.
fn instant(expression: &str) -> String {
    format!("to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
}
