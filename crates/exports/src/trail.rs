//! A draft of changes, which goes on at its cursor after a kill.

use crate::draft::{Draft, Facts};
use crate::left::{self, Progress};
use crate::{Effort, Kind, Manifest, Place, Window};
use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A window of changes that is being followed, into a draft. However long it was interrupted, what it holds stays
/// right: what changed since comes again, behind its cursor.
#[derive(Debug)]
pub struct Trail {
    place: Place,
    draft: Draft,
    state: State,
    /// What earlier, interrupted runs have spent.
    spent: Effort,
}

/// How far a trail is; replaced after each page, so it never says more than the draft holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    query: String,
    /// When it began, by this host's clock.
    begun: DateTime<Utc>,
    /// The same by the API's clock, once an answer told it.
    started: Option<DateTime<Utc>>,
    bytes: u64,
    /// Where to go on; none at the beginning.
    cursor: Option<String>,
    effort: Effort,
}

impl Progress for State {
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Trail {
    /// Starts a trail in the place of a window of changes, or goes on with one that was interrupted while it asked the
    /// same `query`.
    ///
    /// # Errors
    /// [`Verdict::Busy`](verdict::Verdict::Busy) when another process writes there,
    /// [`Verdict::Io`](verdict::Verdict::Io) when the folder cannot be written.
    pub fn open(place: &Place, query: &str, now: DateTime<Utc>) -> Result<Self> {
        ensure!(place.kind() == Kind::Changes, "changes have a place of their own");
        let (query, effort) = (query.to_owned(), Effort::default());
        let mut state = State { query, begun: now, started: None, bytes: 0, cursor: None, effort };
        let draft = Draft::resume(place, || {
            match left::read::<State>(place)?.filter(|left| left.query == state.query) {
                Some(left) => state = left,
                None => left::forget(place)?,
            }
            Ok(state.bytes)
        })?;
        let spent = state.effort;
        Ok(Self { place: place.clone(), draft, state, spent })
    }

    /// Where to go on: opaque here; none at the beginning.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.state.cursor.as_deref()
    }

    /// Adds records, one line of JSON each, then the news that they are there and that `cursor` is next. `date` is the
    /// API's clock when it gave them.
    ///
    /// # Errors
    /// [`Verdict::Io`](verdict::Verdict::Io) when the disk is full; what was added before stays.
    pub fn add<Record: AsRef<str>>(
        &mut self,
        records: &[Record],
        cursor: &str,
        date: Option<DateTime<Utc>>,
        effort: Effort,
    ) -> Result<()> {
        for record in records {
            self.draft.write(record.as_ref())?;
        }
        self.state.bytes = self.draft.sync()?;
        let begun = self.state.begun;
        let started = || date.map(|date| left::started(begun, date, Utc::now()));
        self.state.started = self.state.started.or_else(started);
        self.state.cursor = Some(cursor.to_owned());
        self.state.effort = self.spent.plus(effort);
        left::write(&self.place, &self.state)
    }

    /// Puts the changes in place of those before them. To be called when the window is done.
    ///
    /// # Errors
    /// [`Verdict::Io`](verdict::Verdict::Io); the changes before them are still there then.
    pub fn publish(self, window: Window, effort: Effort) -> Result<Manifest> {
        let Effort { calls, retries, throttled } = self.spent.plus(effort);
        let State { query, begun, started, .. } = self.state;
        let started = started.unwrap_or(begun);
        let (kind, complete, window) = (Kind::Changes, true, Some(window));
        let facts = Facts {
            kind,
            complete,
            total: None,
            unresolved: 0,
            query,
            calls,
            retries,
            throttled,
            started,
            window,
        };
        let manifest = self.draft.publish(facts)?;
        left::forget(&self.place)?;
        Ok(manifest)
    }
}
