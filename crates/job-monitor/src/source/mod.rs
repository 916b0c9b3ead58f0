//! Where runs are on record: the database, or a monitor-server that reads it.

mod address;
mod answer;
mod database;
mod server;

use anyhow::{Error, Result, anyhow};
use database::Database;
use journal::read::{Filter, Item, Job};
use server::Server;
use tool::{Judge, Verdict};

/// Either of them. What one gives the other gives too.
pub(crate) enum Source {
    Database(Box<Database>),
    Server(Server),
}

/// The jobs that run, and when they were looked at.
pub(crate) struct Look {
    pub(crate) jobs: Vec<Job>,
    /// RFC 3339, UTC.
    pub(crate) at: String,
}

impl Source {
    /// The monitor-server that `MONITOR_URL` names, else the database.
    ///
    /// # Errors
    /// [`Verdict::Config`] when the variable names no server that a token may be sent to.
    pub(crate) fn from_env() -> Result<Self> {
        let server = Server::from_env()?;
        Ok(server.map_or_else(|| Self::Database(Box::default()), Self::Server))
    }

    /// The runs that are going on, oldest first.
    ///
    /// # Errors
    /// When the source cannot be read, is somebody else, or refuses the token: never an empty answer instead.
    pub(crate) fn active(&mut self) -> Result<Look> {
        match self {
            Self::Database(database) => database.active(),
            Self::Server(server) => server.active(),
        }
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// As [`Source::active`]; [`Verdict::Usage`] when the run that it goes on from is gone.
    pub(crate) fn history(&mut self, filter: Filter) -> Result<Vec<Job>> {
        match self {
            Self::Database(database) => database.history(filter),
            Self::Server(server) => server.history(&filter),
        }
    }

    /// Every job that has a schedule or has ever run. The schedules of a server are its own.
    ///
    /// # Errors
    /// As [`Source::active`].
    pub(crate) fn summary(&mut self) -> Result<Vec<(String, Item)>> {
        match self {
            Self::Database(database) => database.summary(),
            Self::Server(server) => server.summary(),
        }
    }

    /// One run; none when there is none of this id.
    ///
    /// # Errors
    /// As [`Source::active`].
    pub(crate) fn job(&mut self, id: i64) -> Result<Option<Job>> {
        match self {
            Self::Database(database) => database.job(id),
            Self::Server(server) => server.job(id),
        }
    }
}

/// A page of the history that goes on from a run that is gone: what comes next is not known, which is not nothing.
fn no_run_before(id: i64) -> Error {
    anyhow!("there is no run {id} to go on from").verdict(Verdict::Usage)
}
