//! Walking lists: several requests under way at once, their pages given in order.

use crate::client::{Client, broken};
use crate::clock::Stop;
use crate::course::{Ask, Course, Listing, PAGE_SIZE, Step};
use crate::pace::locked;
use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use verdict::{Judge, Verdict};

/// A list of the API to walk.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Such as `/v2/cursus/21/users`.
    pub path: String,
    /// Filters and sort, not encoded; `page` and `per_page` are added.
    pub query: Vec<(String, String)>,
    /// Where an interrupted walk of the same list was.
    pub resume: Option<Resume>,
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
/// else the list is read again, up to twice. So a record may come more than once: the last one counts.
///
/// An item that is an error ends the iteration; the pages before it stay valid. It carries
/// [`Verdict::Unreachable`] when records stay missing, and otherwise the verdicts of [`Client::get`].
///
/// Dropping the walk ends its threads: what is under way is finished, nothing more is sent.
pub struct Walk {
    client: Client,
    lists: Vec<List>,
    courses: Vec<Course>,
    current: usize,
    in_flight: usize,
    under_way: usize,
    crew: Crew,
    ended: bool,
}

/// The threads that make the calls.
struct Crew {
    jobs: Sender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    done: Sender<Done>,
    results: Receiver<Done>,
    threads: usize,
    stop: Stop,
}

struct Job {
    list: usize,
    ask: Ask,
    path: String,
    query: Vec<(String, String)>,
}

struct Done {
    list: usize,
    ask: Ask,
    answer: anyhow::Result<Listing>,
}

impl Walk {
    pub(crate) fn new(client: Client, mut lists: Vec<List>, in_flight: usize) -> Self {
        let begin = |list: &mut List| {
            let resume = list.resume.take().unwrap_or_default();
            Course::new(resume.next_page, resume.total, resume.ids)
        };
        let courses = lists.iter_mut().map(begin).collect();
        let (jobs, queue) = channel();
        let (done, results) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let crew = Crew { jobs, queue, done, results, threads: 0, stop: Stop::default() };
        Self { client, lists, courses, current: 0, in_flight, under_way: 0, crew, ended: false }
    }

    fn next_page(&mut self) -> anyhow::Result<Option<Page>> {
        while let Some(course) = self.courses.get_mut(self.current) {
            match course.step() {
                Step::Give { number, listing, last } => {
                    let list = self.current;
                    self.current += usize::from(last);
                    // Asked for now, so that the answers come while the reader is busy with this page.
                    self.fill()?;
                    return Ok(Some(self.page(list, number, listing, last)));
                }
                Step::Wait => {
                    self.fill()?;
                    self.receive()?;
                }
                Step::Fail(error) => {
                    return Err(error).with_context(|| format!("GET {}", self.lists[self.current].path));
                }
            }
        }
        Ok(None)
    }

    fn page(&self, list: usize, number: u32, listing: Listing, last: bool) -> Page {
        let announced = self.courses.iter().filter_map(Course::total).fold(0, u64::saturating_add);
        let Listing { records, total, date, .. } = listing;
        Page { list, number, records, total, last, date, announced }
    }

    /// Asks for pages until enough are under way or waiting to be given. What the reader needs next is always asked.
    fn fill(&mut self) -> anyhow::Result<()> {
        let waiting: usize = self.courses.iter().skip(self.current).map(Course::waiting).sum();
        let mut room = (2 * self.in_flight).saturating_sub(waiting + self.under_way);
        for list in self.current..self.courses.len() {
            let course = &mut self.courses[list];
            while let Some(ask) = course.wanted() {
                let needed = list == self.current && course.is_urgent(ask);
                if room == 0 && !needed {
                    return Ok(());
                }
                course.asked(ask);
                room = room.saturating_sub(1);
                self.under_way += 1;
                self.crew.send(&self.client, job(&self.lists[list], list, ask), self.in_flight)?;
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> anyhow::Result<()> {
        if self.under_way == 0 {
            return Err(anyhow!("the walk waits for a page that nobody asked for"));
        }
        let done = self.crew.results.recv().context("the threads of the walk are gone")?;
        self.under_way -= 1;
        self.courses[done.list].arrive(done.ask, done.answer);
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
            self.crew.stop.set();
        }
        item
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        self.crew.stop.set();
    }
}

impl Crew {
    /// Hands a job over, to a thread of its own while there are fewer than allowed.
    fn send(&mut self, client: &Client, job: Job, most: usize) -> anyhow::Result<()> {
        self.jobs.send(job).map_err(|_| anyhow!("the threads of the walk are gone"))?;
        if self.threads < most {
            let (client, queue, done) = (client.clone(), Arc::clone(&self.queue), self.done.clone());
            let stop = self.stop.clone();
            let thread = thread::Builder::new().name("api42".to_owned());
            thread
                .spawn(move || work(&client, &queue, &done, &stop))
                .context("starting a thread")
                .verdict(Verdict::Io)?;
            self.threads += 1;
        }
        Ok(())
    }
}

fn job(list: &List, index: usize, ask: Ask) -> Job {
    let mut query = list.query.clone();
    query.push(("page".to_owned(), ask.page.to_string()));
    query.push(("per_page".to_owned(), PAGE_SIZE.to_string()));
    Job { list: index, ask, path: list.path.clone(), query }
}

/// What one thread does until the walk is dropped.
fn work(client: &Client, queue: &Mutex<Receiver<Job>>, done: &Sender<Done>, stop: &Stop) {
    loop {
        let received = locked(queue).recv();
        let Ok(job) = received else { return };
        if stop.is_set() {
            return;
        }
        // A thread that died silently would leave the reader waiting for ever.
        let outcome = catch_unwind(AssertUnwindSafe(|| read(client, &job, stop)));
        let answer = outcome.unwrap_or_else(|_| Err(anyhow!("a thread of the walk panicked")));
        if done.send(Done { list: job.list, ask: job.ask, answer }).is_err() {
            return;
        }
    }
}

fn read(client: &Client, job: &Job, stop: &Stop) -> anyhow::Result<Listing> {
    let (records, exchange) = client
        .read(&job.path, &job.query, records, stop)
        .with_context(|| format!("page {}", job.ask.page))?;
    let hints = exchange.hints;
    Ok(Listing { records, total: hints.total, per_page: hints.per_page, date: hints.date })
}

/// Cuts a page into its records, or says what it is instead.
fn records(body: &[u8]) -> Result<Vec<Box<RawValue>>, String> {
    match body.trim_ascii_start().first() {
        Some(b'[') => serde_json::from_slice(body).map_err(|error| broken(&error)),
        Some(b'{') => Err("an object where a list was due".to_owned()),
        None => Err("an empty body where a list was due".to_owned()),
        Some(_) => Err("something else where a list was due".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_every_byte_of_its_records() {
        let page = records(br#" [{"id":1,"alumni?":null, "a":"\u0026"},7] "#).unwrap();
        let texts: Vec<&str> = page.iter().map(|record| record.get()).collect();
        assert_eq!(texts, [r#"{"id":1,"alumni?":null, "a":"\u0026"}"#, "7"]);
    }

    #[test]
    fn what_is_no_list_is_named() {
        assert_eq!(records(b"{}").unwrap_err(), "an object where a list was due");
        assert_eq!(records(b"").unwrap_err(), "an empty body where a list was due");
        assert_eq!(records(br#"[{"id":1},"#).unwrap_err(), "JSON that is cut off at line 1, column 10");
    }
}
