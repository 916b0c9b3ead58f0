//! Reading the lists of a resource, to stdout or into an export.

use crate::plan::{self, Plan};
use crate::sink::Stdout;
use crate::summary::{Summary, effort};
use crate::{Job, record, rest};
use anyhow::{Context, Result};
use api42::{Client, List, Page, Resume, Settings};
use catalog::Fetch;
use chrono::Utc;
use exports::{Place, Walk};
use std::collections::BTreeSet;
use std::sync::Arc;
use tool::{Judge, Progress, Verdict};

/// Prints every record of the lists, and those that are in none of them.
pub(crate) fn print(job: &Job<'_>, fetch: &Fetch) -> Result<()> {
    let plan = &plan::of(job, fetch)?;
    let mut stdout = Stdout::open();
    let lists = plan.lists.iter().map(plan::Planned::list).collect();
    let known = rest::is_possible(job, fetch).then(BTreeSet::new);
    let mut reading = Reading::start(job, fetch, plan, lists, 0, known)?;
    while let Some((_, lines)) = reading.next_page()? {
        stdout.write(&lines)?;
    }
    reading.finish("");
    Ok(())
}

/// Walks the lists into the export of a place, from where an interrupted walk was.
pub(crate) fn export(job: &Job<'_>, fetch: &Fetch, question: &str, place: &Place) -> Result<()> {
    let mut walk = Walk::open(place, question, Utc::now())?;
    let damaged =
        || format!("{}: the walk that is kept there is damaged; remove it", place.folder().display());
    let plan = match walk.plan() {
        // Whom it asks for was decided when it began, whatever has been exported since.
        Some(plan) => serde_json::from_str(plan).with_context(damaged).verdict(Verdict::Refused)?,
        None => {
            let plan = plan::of(job, fetch)?;
            walk.pin(serde_json::to_string(&plan)?)?;
            plan
        }
    };
    let position = walk.position()?;
    let resumed = (position.list, position.next_page) != (0, 1);
    let note = if resumed {
        format!(", resumed at list {} page {}", position.list + 1, position.next_page)
    } else {
        String::new()
    };
    // What is in none of the lists is counted as one more.
    let is_whole = position.list > plan.lists.len();
    let left = plan.lists.get(position.list.min(plan.lists.len())..).with_context(damaged);
    let mut lists: Vec<_> = left.verdict(Verdict::Refused)?.iter().map(plan::Planned::list).collect();
    if let Some(first) = lists.first_mut().filter(|_| position.next_page > 1) {
        first.resume =
            Some(Resume { next_page: position.next_page, total: position.total, ids: position.ids });
    }
    let known = if rest::is_possible(job, fetch) && !is_whole { Some(walk.ids()?) } else { None };
    let mut reading = Reading::start(job, fetch, &plan, lists, position.list, known)?;
    while let Some((page, lines)) = reading.next_page()? {
        walk.add(page, &lines, effort(&reading.client.tally()))?;
    }
    walk.publish(effort(&reading.client.tally()))?;
    reading.finish(&note);
    Ok(())
}

/// Lists that are being read.
struct Reading<'a> {
    job: &'a Job<'a>,
    fetch: &'a Fetch,
    plan: &'a Plan,
    client: Client,
    pages: api42::Walk,
    /// Index of the first list that is read, in the plan.
    first: usize,
    /// Ids of the records so far, where there may be more than the lists give.
    known: Option<BTreeSet<u64>>,
    progress: Arc<Progress>,
    summary: Summary,
}

impl<'a> Reading<'a> {
    fn start(
        job: &'a Job<'a>,
        fetch: &'a Fetch,
        plan: &'a Plan,
        mut lists: Vec<List>,
        first: usize,
        known: Option<BTreeSet<u64>>,
    ) -> Result<Self> {
        let progress = Arc::new(Progress::new(&job.resource.name, "rows"));
        let client = client(&progress)?;
        lists.extend(known.is_some().then(|| rest::glance(job, fetch)));
        let pages = client.walk(lists);
        let summary = Summary::start(job.name, &job.resource.name);
        Ok(Self { job, fetch, plan, client, pages, first, known, progress, summary })
    }

    /// The next page, as exports count it, and its records as lines.
    fn next_page(&mut self) -> Result<Option<(exports::Page, Vec<String>)>> {
        let Some(page) = self.pages.next().transpose()? else { return Ok(None) };
        let list = self.first + page.list;
        let Some(planned) = self.plan.lists.get(list) else { return self.rest(list, page).map(Some) };
        let Page { number, total, last, date, .. } = page;
        if let Some(known) = &mut self.known {
            known.extend(page.records.iter().filter_map(|record| api42::id(record)));
        }
        let lines = page.records.iter().map(|record| record::line(record.get(), &planned.stamp));
        let lines: Result<Vec<_>> = lines.collect();
        let lines =
            lines.with_context(|| format!("list {} page {number}", list + 1)).verdict(Verdict::Refused)?;
        self.summary.page(lines.len());
        self.progress.total(page.announced);
        self.progress.done(self.summary.rows);
        if self.plan.lists.len() > 1 {
            self.progress.note(&format!("list {} of {}", list + 1, self.plan.lists.len()));
        }
        Ok(Some((exports::Page { list, number, total, last, date }, lines)))
    }

    /// The records that are in none of the lists, as one page more.
    fn rest(&mut self, list: usize, whole: Page) -> Result<(exports::Page, Vec<String>)> {
        let known = self.known.take().context("a page of no list of the plan")?;
        let lines = rest::lines(self.job, &self.client, self.fetch, known, whole)?;
        self.summary.rows(lines.len());
        let total = Some(lines.len() as u64);
        Ok((exports::Page { list, number: 1, total, last: true, date: None }, lines))
    }

    fn finish(&self, note: &str) {
        self.progress.clear();
        self.summary.finish(&self.client.tally(), note);
    }
}

/// A client by the environment, which says on the progress bar what it waits for.
pub(crate) fn client(progress: &Arc<Progress>) -> Result<Client> {
    let mut settings = Settings::from_env()?;
    let progress = Arc::clone(progress);
    settings.on_wait = Some(Arc::new(move |note| progress.note(note)));
    Client::new(settings)
}
