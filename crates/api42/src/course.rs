//! How one list is read to its end although it moves: which page is due, what has to be read again, when it is done.
//! No calls here: answers are an argument.

use crate::listing::{Listing, id};
use anyhow::anyhow;
use std::collections::{BTreeMap, HashSet, VecDeque};
use verdict::{Judge, Verdict};

/// Records asked for per page; the API gives no more.
pub(crate) const PAGE_SIZE: u64 = 100;

/// How many readings in a row may bring nothing new before a list is given up, because records stay missing. One that
/// brings something is no failure: a list without any order gives two thirds of what is missing each time.
const VAIN: u32 = 3;

/// How often a list may lose more rows than reading a few pages again makes good.
const COLLAPSES: u32 = 2;

/// A page to ask for. Answers to asks of an earlier round are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) page: u32,
    again: bool,
    round: u32,
}

/// What the reader of a list gets next.
pub(crate) enum Step {
    Give { number: u32, listing: Listing, last: bool },
    Wait,
    Fail(anyhow::Error),
}

/// The reading of one list.
pub(crate) struct Course {
    round: u32,
    /// The page to give next.
    next: u32,
    /// Pages below this one have been asked for in this round.
    unasked: u32,
    /// Whether the first page of this round has arrived, so that the others are known.
    opened: bool,
    size: u64,
    total: Option<u64>,
    /// The total that came with the page before `next`.
    before: Option<u64>,
    here: BTreeMap<u32, anyhow::Result<Listing>>,
    /// Pages to give again before `next`, whether the first of them has been asked for, and its answer.
    again: VecDeque<u32>,
    again_asked: bool,
    again_here: Option<anyhow::Result<Listing>>,
    ids: HashSet<u64>,
    /// Records of this round that have no id.
    anonymous: u64,
    /// How many ids were known when this round began.
    known: usize,
    vain: u32,
    collapses: u32,
    exhausted: bool,
    /// Whether only the first page is read.
    is_glance: bool,
}

/// What a fallen total asks for.
#[derive(Debug, PartialEq, Eq)]
enum Mend {
    /// These pages again, lowest first.
    Reread(Vec<u32>),
    /// Everything again.
    Restart,
}

impl Course {
    /// Begins at `next_page`, with what an interrupted reading already knew.
    pub(crate) fn new(next_page: u32, total: Option<u64>, ids: HashSet<u64>) -> Self {
        let next = next_page.max(1);
        Self {
            round: 1,
            next,
            unasked: next,
            opened: false,
            size: PAGE_SIZE,
            total,
            before: total.filter(|_| next > 1),
            here: BTreeMap::new(),
            again: VecDeque::new(),
            again_asked: false,
            again_here: None,
            ids,
            anonymous: 0,
            known: 0,
            vain: 0,
            collapses: 0,
            exhausted: false,
            is_glance: false,
        }
    }

    /// Reads the first page and no other: it tells the total.
    pub(crate) fn glance() -> Self {
        Self { is_glance: true, ..Self::new(1, None, HashSet::new()) }
    }

    /// The next page to ask for, if it is known already. [`Course::asked`] takes note that it was.
    pub(crate) fn wanted(&self) -> Option<Ask> {
        if let Some(page) = self.again.front().filter(|_| !self.again_asked) {
            return Some(Ask { page: *page, again: true, round: self.round });
        }
        let due = self.unasked() > 0 && !self.exhausted;
        due.then_some(Ask { page: self.unasked, again: false, round: self.round })
    }

    /// How many pages are known and not asked for.
    pub(crate) fn unasked(&self) -> u64 {
        let end = match self.total.filter(|_| self.opened && !self.is_glance) {
            Some(total) => pages(total, self.size).max(u64::from(self.next)),
            None => u64::from(self.next),
        };
        end.saturating_add(1).saturating_sub(u64::from(self.unasked))
    }

    /// Whether the page that is wanted next will tell how many more there are.
    pub(crate) const fn is_to_be_opened(&self) -> bool {
        !self.opened && !self.is_glance && self.unasked == self.next
    }

    /// Takes note that a page was asked for.
    pub(crate) fn asked(&mut self, ask: Ask) {
        if ask.again {
            self.again_asked = true;
        } else {
            self.unasked = ask.page.saturating_add(1);
        }
    }

    /// Whether nothing can be given before this page is here.
    pub(crate) const fn is_urgent(&self, ask: Ask) -> bool {
        ask.again || ask.page == self.next
    }

    /// Takes an answer in, in whatever order they come.
    pub(crate) fn arrive(&mut self, ask: Ask, answer: anyhow::Result<Listing>) {
        if ask.round != self.round {
            return;
        }
        if ask.again {
            self.again_here = Some(answer);
            return;
        }
        if let (false, Ok(listing)) = (self.opened, &answer) {
            self.opened = true;
            self.total = listing.total.or(self.total);
            self.size = listing.per_page.map_or(PAGE_SIZE, |size| u64::from(size).clamp(1, PAGE_SIZE));
        }
        self.here.insert(ask.page, answer);
    }

    /// Gives the next page, in order.
    pub(crate) fn step(&mut self) -> Step {
        if self.exhausted {
            return Step::Fail(self.shortfall());
        }
        if let Some(page) = self.again.front().copied() {
            return self.give_again(page);
        }
        let here = self.here.remove(&self.next);
        let listing = match here {
            None => return Step::Wait,
            Some(Err(error)) => return Step::Fail(error),
            Some(Ok(listing)) => listing,
        };
        let fall = self.before.zip(listing.total).map_or(0, |(before, now)| before.saturating_sub(now));
        if fall > 0 {
            self.before = listing.total;
            self.here.insert(self.next, Ok(listing));
            self.mend(mend(self.next, fall, self.size));
            return self.step();
        }
        self.give(listing)
    }

    /// Forgets the ids of a list that is done: a walk of thousands of lists holds those of one.
    pub(crate) fn close(&mut self) {
        self.ids = HashSet::new();
    }

    /// How many pages are here and not given yet.
    pub(crate) fn waiting(&self) -> usize {
        self.here.len()
    }

    /// The number of records, as announced so far; none of a list that is not read.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total.filter(|_| !self.is_glance)
    }

    fn give(&mut self, listing: Listing) -> Step {
        let number = self.next;
        let found = self.ids.len();
        self.anonymous += self.collect(&listing);
        let news = self.ids.len() > found || self.anonymous > 0;
        self.total = listing.total.or(self.total);
        self.before = listing.total.or(self.before);
        self.next = number.saturating_add(1);
        let whole = self.total.is_none_or(|total| self.distinct() >= total);
        let ended = match self.total {
            _ if listing.records.is_empty() => true,
            Some(total) => u64::from(number) >= pages(total, self.size),
            // A list without pages gives all it has, or the same page, whatever page is asked for.
            None => listing.records.len() as u64 != self.size || !news,
        };
        // A repeated reading has done its work once nothing is missing.
        let last = self.is_glance || whole && (ended || (self.round > 1 && self.total.is_some()));
        if last {
            self.ids = HashSet::new();
        } else if ended {
            self.vain = if self.ids.len() > self.known { 0 } else { self.vain + 1 };
            self.exhausted = self.vain == VAIN;
            self.restart();
        }
        Step::Give { number, listing, last }
    }

    fn give_again(&mut self, page: u32) -> Step {
        match self.again_here.take() {
            None => Step::Wait,
            Some(Err(error)) => Step::Fail(error),
            Some(Ok(listing)) => {
                self.again.pop_front();
                self.again_asked = false;
                // Records without an id were counted when the page was first read.
                self.collect(&listing);
                Step::Give { number: page, listing, last: false }
            }
        }
    }

    fn mend(&mut self, mend: Mend) {
        match mend {
            Mend::Reread(pages) => self.again.extend(pages),
            Mend::Restart => {
                self.collapses += 1;
                self.exhausted = self.collapses > COLLAPSES;
                if !self.exhausted {
                    // What is missing can no longer be told from what left.
                    self.ids.clear();
                }
                self.restart();
            }
        }
    }

    fn restart(&mut self) {
        self.round += 1;
        self.known = self.ids.len();
        self.next = 1;
        self.unasked = 1;
        self.opened = false;
        self.before = None;
        self.anonymous = 0;
        self.here.clear();
    }

    /// Takes the ids of a page; returns how many of its records have none.
    fn collect(&mut self, listing: &Listing) -> u64 {
        let ids = listing.records.iter().map(|record| id(record));
        let mut anonymous = 0;
        for id in ids {
            match id {
                Some(id) => drop(self.ids.insert(id)),
                None => anonymous += 1,
            }
        }
        anonymous
    }

    fn distinct(&self) -> u64 {
        self.ids.len() as u64 + self.anonymous
    }

    fn shortfall(&self) -> anyhow::Error {
        let announced = self.total.unwrap_or_default();
        let (received, readings) = (self.ids.len(), self.round - 1);
        anyhow!(
            "the API announced {announced} records and gave {received} in {readings} readings; try again later"
        )
        .verdict(Verdict::Unreachable)
    }
}

/// What to read again when the total fell by `fall` between page `page - 1` and `page`: as many rows as left may have
/// moved up over the boundary, onto pages that were read before.
fn mend(page: u32, fall: u64, size: u64) -> Mend {
    match u32::try_from(fall.div_ceil(size)) {
        Ok(count) if count < page => Mend::Reread((page - count..page).collect()),
        _ => Mend::Restart,
    }
}

const fn pages(total: u64, size: u64) -> u64 {
    total.div_ceil(size)
}

#[cfg(test)]
#[path = "course_tests.rs"]
mod tests;
