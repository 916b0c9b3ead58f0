//! The database, asked over a connection that is kept from one question to the next.

use super::{Look, no_run_before};
use crate::patience::within;
use anyhow::Result;
use journal::read::{self, Filter, Item, Job};

/// A database that is connected to when it is first asked, and again after it failed.
#[derive(Default)]
pub(crate) struct Database {
    kept: Option<read::Source>,
}

impl Database {
    pub(super) fn active(&mut self) -> Result<Look> {
        self.ask(|source| Ok(Look { jobs: source.active()?, at: source.now()? }))
    }

    pub(super) fn history(&mut self, filter: Filter) -> Result<Vec<Job>> {
        self.ask(move |source| {
            let jobs = source.history(&filter)?;
            match filter.before {
                Some(id) if jobs.is_empty() && source.job(id)?.is_none() => Err(no_run_before(id)),
                _ => Ok(jobs),
            }
        })
    }

    pub(super) fn summary(&mut self) -> Result<Vec<(String, Item)>> {
        let definitions = journal::schedules()?;
        self.ask(move |source| source.summary(&definitions))
    }

    pub(super) fn job(&mut self, id: i64) -> Result<Option<Job>> {
        self.ask(move |source| source.job(id))
    }

    /// What `read` gives, if it does so in time.
    fn ask<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(&mut read::Source) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let kept = self.kept.take();
        let (source, answer) = within(move || {
            let mut source = kept.map_or_else(|| read::Source::open("job-monitor"), again)?;
            let answer = read(&mut source)?;
            Ok((source, answer))
        })?;
        self.kept = Some(source);
        Ok(answer)
    }
}

/// A connection that was used before: what opening one does, but for connecting.
fn again(mut source: read::Source) -> Result<read::Source> {
    source.close_lost();
    Ok(source)
}
