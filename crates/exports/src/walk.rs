//! A draft that is written page by page, and goes on where it was after a kill.

use crate::draft::{Draft, Facts, replace};
use crate::left::{self, Progress};
use crate::snapshot::existing;
use crate::{Kind, Manifest, Place};
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use verdict::{Judge, Verdict};

/// A walk that was left for longer than this is begun anew: what it holds is a picture of one moment, more or less.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(24);

/// So is one that has taken longer than this in all.
const LONGEST_WALK: TimeDelta = TimeDelta::days(7);

/// A full walk of the lists of a resource, into a draft.
#[derive(Debug)]
pub struct Walk {
    place: Place,
    draft: Draft,
    state: State,
    /// What is walked, as it was decided when the walk began.
    plan: Option<String>,
    /// What earlier, interrupted runs of this walk have spent.
    spent: Effort,
}

/// How far a walk is; replaced after each page, so it never says more than the draft holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    /// As in [`Manifest`]: the pages of another question are of no use.
    query: String,
    /// When the walk started, by this host's clock, for its age.
    begun: DateTime<Utc>,
    /// The same by the API's clock, once an answer told it.
    started: Option<DateTime<Utc>>,
    /// When its last page was added, by this host's clock.
    added: DateTime<Utc>,
    /// Whether its plan is kept beside it.
    is_planned: bool,
    /// Bytes of the draft that hold whole pages.
    bytes: u64,
    /// Bytes of the draft before the current list.
    bytes_before_list: u64,
    /// What the lists before the current one announced; none once one of them announced nothing.
    total_before_list: Option<u64>,
    /// Index of the current list.
    list: usize,
    /// Next page of the current list.
    next_page: u32,
    /// What the current list announced last.
    total: Option<u64>,
    effort: Effort,
}

/// What a walk has cost.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Effort {
    /// Calls of the API.
    pub calls: u64,
    /// Calls among them that repeated a failed one.
    pub retries: u64,
    /// Answers 429.
    pub throttled: u64,
}

/// Where a walk goes on.
#[derive(Debug)]
pub struct Position {
    /// Index of the list; those before it are done.
    pub list: usize,
    /// Next page of that list, from 1.
    pub next_page: u32,
    /// What that list announced last.
    pub total: Option<u64>,
    /// Ids of the records of that list that are in the draft.
    pub ids: HashSet<u64>,
}

/// A page as it is added to a walk.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Index of its list.
    pub list: usize,
    /// Its number, from 1.
    pub number: u32,
    /// What the list announced with it.
    pub total: Option<u64>,
    /// Whether the list is done with it.
    pub last: bool,
    /// The API's clock when it was answered.
    pub date: Option<DateTime<Utc>>,
}

impl Walk {
    /// Starts a walk, or goes on with one that was interrupted while it asked the same `query`.
    ///
    /// # Errors
    /// [`Verdict::Busy`] when another process walks there, [`Verdict::Io`] when the folder cannot be written.
    pub fn open(place: &Place, query: &str, now: DateTime<Utc>) -> Result<Self> {
        let mut state = State::new(query, now);
        let mut plan = None;
        let draft = Draft::resume(place, || {
            let left = left::read::<State>(place)?.filter(|state| state.can_be_resumed(query, now));
            plan = if left.as_ref().is_some_and(|state| state.is_planned) { read_plan(place)? } else { None };
            match left.filter(|state| state.is_planned == plan.is_some()) {
                Some(left) => state = left,
                // It must not outlive the pages that it describes.
                None => left::forget(place)?,
            }
            Ok(state.bytes)
        })?;
        let spent = state.effort;
        Ok(Self { place: place.clone(), draft, state, plan, spent })
    }

    /// The plan of the walk that is gone on with.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }

    /// Keeps the plan of a walk that begins, so that whoever goes on with it reads the same lists.
    ///
    /// # Errors
    /// [`Verdict::Io`] when the disk is full.
    pub fn pin(&mut self, plan: String) -> Result<()> {
        let path = self.place.walk_plan();
        replace(&path, plan.as_bytes()).with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
        self.state.is_planned = true;
        self.plan = Some(plan);
        Ok(())
    }

    /// Where to go on.
    ///
    /// # Errors
    /// [`Verdict::Io`] when the draft cannot be read.
    pub fn position(&self) -> Result<Position> {
        let here = || self.place.folder().display().to_string();
        let ids = self.ids_from(self.state.bytes_before_list).with_context(here).verdict(Verdict::Io)?;
        let State { list, next_page, total, .. } = self.state;
        Ok(Position { list, next_page, total, ids })
    }

    /// The ids of the records from a byte of the draft on.
    fn ids_from<Ids: FromIterator<u64>>(&self, start: u64) -> Result<Ids> {
        #[derive(Deserialize)]
        struct Identified {
            id: Option<u64>,
        }
        let Some(mut part) = existing(&self.place.part())? else { return Ok(Ids::from_iter([])) };
        part.seek(SeekFrom::Start(start))?;
        let pages = BufReader::new(part.take(self.state.bytes - start));
        let id = |line: std::io::Result<String>| {
            line.map(|line| serde_json::from_str::<Identified>(&line).ok().and_then(|record| record.id))
        };
        Ok(pages.lines().filter_map(|line| id(line).transpose()).collect::<std::io::Result<_>>()?)
    }

    /// The ids of all records so far.
    ///
    /// # Errors
    /// [`Verdict::Io`] when the draft cannot be read.
    pub fn ids<Ids: FromIterator<u64>>(&self) -> Result<Ids> {
        let here = || self.place.folder().display().to_string();
        self.ids_from(0).with_context(here).verdict(Verdict::Io)
    }

    /// Adds a page: its records, one line of JSON each, then the news that they are there.
    ///
    /// # Errors
    /// [`Verdict::Io`] when the disk is full; the pages before this one stay.
    pub fn add<Record: AsRef<str>>(&mut self, page: Page, records: &[Record], effort: Effort) -> Result<()> {
        for record in records {
            self.draft.write(record.as_ref())?;
        }
        let bytes = self.draft.sync()?;
        self.state.advance(page, bytes, Utc::now());
        self.state.effort = self.spent.plus(effort);
        left::write(&self.place, &self.state)
    }

    /// Puts the walk in place of the export before it. To be called when its last list is done.
    ///
    /// # Errors
    /// [`Verdict::Io`]; the export before it is still there then.
    pub fn publish(self, effort: Effort) -> Result<Manifest> {
        let Effort { calls, retries, throttled } = self.spent.plus(effort);
        let State { query, begun, started, total_before_list: total, .. } = self.state;
        let started = started.unwrap_or(begun);
        let (kind, complete, unresolved, window) = (Kind::Full, true, 0, None);
        let facts =
            Facts { kind, complete, total, unresolved, query, calls, retries, throttled, started, window };
        let manifest = self.draft.publish(facts)?;
        left::forget(&self.place)?;
        left::remove(&self.place.walk_plan())?;
        Ok(manifest)
    }
}

impl Progress for State {
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl State {
    fn new(query: &str, now: DateTime<Utc>) -> Self {
        Self {
            query: query.to_owned(),
            begun: now,
            started: None,
            added: now,
            is_planned: false,
            bytes: 0,
            bytes_before_list: 0,
            total_before_list: Some(0),
            list: 0,
            next_page: 1,
            total: None,
            effort: Effort::default(),
        }
    }

    fn can_be_resumed(&self, query: &str, now: DateTime<Utc>) -> bool {
        let within = |since, longest| (TimeDelta::zero()..longest).contains(&(now - since));
        let is_young = within(self.begun, LONGEST_WALK) && within(self.added, LONGEST_PAUSE);
        self.query == query && self.bytes_before_list <= self.bytes && is_young
    }

    fn advance(&mut self, page: Page, bytes: u64, now: DateTime<Utc>) {
        self.started = self.started.or_else(|| page.date.map(|date| left::started(self.begun, date, now)));
        self.added = now;
        self.bytes = bytes;
        self.list = page.list;
        self.next_page = page.number + 1;
        self.total = page.total;
        if page.last {
            self.total_before_list =
                self.total_before_list.zip(page.total).map(|(before, total)| before + total);
            self.bytes_before_list = bytes;
            self.list += 1;
            self.next_page = 1;
            self.total = None;
        }
    }
}

impl Effort {
    pub(crate) const fn plus(self, more: Self) -> Self {
        Self {
            calls: self.calls + more.calls,
            retries: self.retries + more.retries,
            throttled: self.throttled + more.throttled,
        }
    }
}

fn read_plan(place: &Place) -> Result<Option<String>> {
    let Some(mut file) = existing(&place.walk_plan())? else { return Ok(None) };
    let mut plan = String::new();
    let read = file.read_to_string(&mut plan).with_context(|| place.walk_plan().display().to_string());
    read.verdict(Verdict::Io).map(|_| Some(plan))
}
