//! Walking lists: several requests under way at once, their pages given in order.

use crate::client::Client;
use crate::course::{Ask, Course, PAGE_SIZE, Step};
use crate::crew::{Crew, Job};
use crate::listing::Listing;
use crate::plan::Plan;
use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use std::collections::HashSet;
#[cfg(doc)]
use verdict::Verdict;

/// A list of the API to walk.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Such as `/v2/cursus/21/users`.
    pub path: String,
    /// Filters and sort, not encoded; `page` and `per_page` are added.
    pub query: Vec<(String, String)>,
    /// Where an interrupted walk of the same list was.
    pub resume: Option<Resume>,
    /// Whether only its first page is read, to learn its total. It is asked for after all other pages, nothing is
    /// checked, and its records are not among those announced.
    pub is_glance: bool,
}

/// What an interrupted walk had already stored of a list.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// The first page that is not stored, from 1.
    pub next_page: u32,
    /// [`Page::total`] of the last page stored.
    pub total: Option<u64>,
    /// The ids of all records stored.
    pub ids: HashSet<u64>,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// Which of the lists, counted from 0.
    pub list: usize,
    /// Number of the page within its list, from 1. A number given before means that the page was read again: its
    /// records are newer, the earlier ones stay valid. Number 1 given again means that the whole list is.
    pub number: u32,
    /// Up to 100 records, as they came.
    pub records: Vec<Box<RawValue>>,
    /// The number of records of the list, as announced with this page.
    pub total: Option<u64>,
    /// Whether the list is complete and checked after this page.
    pub last: bool,
    /// The API's own clock when it gave this page.
    pub date: Option<DateTime<Utc>>,
    /// Sum of the totals of all lists, as far as they are known.
    pub announced: u64,
}

/// Walks lists: lists in order, pages of a list in order, several requests under way at once across lists.
///
/// A list that does not move costs ⌈total/100⌉ calls, an empty one costs 1. Without `X-Total` a list ends at its
/// first page that is not full. When the total falls, rows may have moved up over a page boundary, so the pages
/// before it are given again. At the end of a list at least as many distinct ids must have come as were announced;
/// else the list is read again, as long as that brings something new. So a record may come more than once: the last
/// one counts.
///
/// An item that is an error ends the iteration; the pages before it stay valid. It carries
/// [`Verdict::Unreachable`] when records stay missing, and otherwise the verdicts of [`Client::get`].
///
/// Dropping the walk ends its threads: what is under way is finished, nothing more is sent.
pub struct Walk {
    lists: Vec<List>,
    plan: Plan,
    crew: Crew,
    ended: bool,
}

impl Walk {
    pub(crate) fn new(client: Client, mut lists: Vec<List>, in_flight: usize) -> Self {
        let begin = |list: &mut List| {
            if list.is_glance {
                return Course::glance();
            }
            let resume = list.resume.take().unwrap_or_default();
            Course::new(resume.next_page, resume.total, resume.ids)
        };
        let plan = Plan::new(lists.iter_mut().map(begin).collect(), in_flight);
        let crew = Crew::new(client, in_flight);
        Self { lists, plan, crew, ended: false }
    }

    fn next_page(&mut self) -> anyhow::Result<Option<Page>> {
        while let Some((list, course)) = self.plan.current() {
            match course.step() {
                Step::Give { number, listing, last } => {
                    if last {
                        self.plan.close();
                    }
                    // Asked for now, so that the answers come while the reader is busy with this page.
                    self.fill()?;
                    return Ok(Some(self.page(list, number, listing, last)));
                }
                Step::Wait => {
                    self.fill()?;
                    let done = self.crew.receive()?;
                    self.plan.course(done.list).arrive(done.ask, done.answer);
                }
                Step::Fail(error) => {
                    return Err(error).with_context(|| format!("GET {}", self.lists[list].path));
                }
            }
        }
        Ok(None)
    }

    fn page(&self, list: usize, number: u32, listing: Listing, last: bool) -> Page {
        let Listing { records, total, date, .. } = listing;
        Page { list, number, records, total, last, date, announced: self.plan.announced() }
    }

    fn fill(&mut self) -> anyhow::Result<()> {
        while let Some((list, ask)) = self.plan.ask(self.crew.under_way()) {
            self.crew.send(job(&self.lists[list], list, ask))?;
        }
        Ok(())
    }
}

impl Iterator for Walk {
    type Item = anyhow::Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.next_page().transpose();
        if !matches!(item, Some(Ok(_))) {
            self.ended = true;
            self.crew.stop();
        }
        item
    }
}

fn job(list: &List, index: usize, ask: Ask) -> Job {
    let mut query = list.query.clone();
    query.push(("page".to_owned(), ask.page.to_string()));
    query.push(("per_page".to_owned(), PAGE_SIZE.to_string()));
    Job { list: index, ask, path: list.path.clone(), query }
}
