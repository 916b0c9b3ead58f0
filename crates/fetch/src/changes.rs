//! Following what changed in a list, to stdout or into an export.

use crate::roster::Roster;
use crate::sink::Stdout;
use crate::summary::{Summary, effort};
use crate::{Job, lists, record};
use anyhow::{Context, Result, anyhow};
use api42::{Client, Feed, Follow};
use catalog::Source;
use chrono::{DateTime, SecondsFormat, Utc};
use exports::{Place, Trail};
use std::sync::Arc;
use tool::{Judge, Progress, Verdict};

/// The changes that are wanted.
pub(crate) struct Window {
    feed: Feed,
}

impl Window {
    /// The window that the command line asks for.
    pub(crate) fn of(job: &Job<'_>, from: DateTime<Utc>) -> Result<Self> {
        let (resource, until) = (job.resource, job.part.until);
        let (Some(live), Source::Fetch(fetch)) = (&resource.live, &resource.source) else {
            let problem = anyhow!("--since does not apply: the API does not say what changed in it");
            return Err(problem.verdict(Verdict::Usage));
        };
        if until.is_some_and(|until| until < from) {
            return Err(anyhow!("--until is before --since").verdict(Verdict::Usage));
        }
        let cursus = job.options.cursus.to_string();
        let path = live.path.as_ref().unwrap_or(&fetch.path).replace("{cursus}", &cursus);
        let query = live.query.as_ref().unwrap_or(&fetch.query).iter();
        let query = query.map(|(key, value)| (key.clone(), value.replace("{cursus}", &cursus))).collect();
        let (field, sort, sort_is_documented) =
            (live.range.clone(), live.sort.clone(), live.sort_is_documented);
        let feed = Feed { path, query, field, sort, sort_is_documented, from, until, cursor: None };
        Ok(Self { feed })
    }

    /// The question as a text: a trail goes on only where the same is asked.
    fn query(&self) -> String {
        let Feed { path, query, field, from, until, .. } = &self.feed;
        let instant = |instant: &DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let until = until.as_ref().map(instant).unwrap_or_default();
        let pairs: Vec<_> = query.iter().map(|(key, value)| format!("{key}={value}&")).collect();
        format!("{path}?{}range[{field}]={},{until}", pairs.concat(), instant(from))
    }
}

/// Prints what changed.
pub(crate) fn print(job: &Job<'_>, window: &Window) -> Result<()> {
    let mut stdout = Stdout::open();
    let mut reading = Reading::start(job, window.feed.clone())?;
    while let Some(changes) = reading.next()? {
        stdout.write(&changes.lines)?;
    }
    reading.finish("");
    Ok(())
}

/// Follows what changed into the export of a place, from where an interrupted run was.
pub(crate) fn export(job: &Job<'_>, window: &Window, place: &Place) -> Result<()> {
    let mut trail = Trail::open(place, &window.query(), Utc::now())?;
    let cursor = trail.cursor().map(str::to_owned);
    let note = if cursor.is_some() { ", resumed" } else { "" };
    let mut reading = Reading::start(job, Feed { cursor, ..window.feed.clone() })?;
    while let Some(Sifted { lines, cursor, date }) = reading.next()? {
        trail.add(&lines, &cursor, date, effort(&reading.client.tally()))?;
    }
    let Feed { from, until, .. } = window.feed;
    trail.publish(exports::Window { from, to: until }, effort(&reading.client.tally()))?;
    reading.finish(note);
    Ok(())
}

/// Changes as lines, and the cursor behind them.
struct Sifted {
    lines: Vec<String>,
    cursor: String,
    date: Option<DateTime<Utc>>,
}

/// A list that is being followed.
struct Reading<'a> {
    client: Client,
    follow: Follow,
    roster: Option<Roster<'a>>,
    progress: Arc<Progress>,
    summary: Summary,
}

impl<'a> Reading<'a> {
    fn start(job: &'a Job<'a>, feed: Feed) -> Result<Self> {
        let progress = Arc::new(Progress::new(&job.resource.name, "changes"));
        let client = lists::client(&progress)?;
        let roster = Roster::of(job, &client)?;
        let follow = client.follow(feed)?;
        let summary = Summary::start(job.name, &job.resource.name);
        Ok(Self { client, follow, roster, progress, summary })
    }

    fn next(&mut self) -> Result<Option<Sifted>> {
        let Some(changes) = self.follow.next().transpose()? else { return Ok(None) };
        let lines = match &mut self.roster {
            Some(roster) => roster.sift(&changes.records)?,
            None => {
                let lines = changes.records.iter().map(|record| record::line(record.get(), &[]));
                lines.collect::<Result<_>>().context("changes").verdict(Verdict::Refused)?
            }
        };
        self.summary.page(lines.len());
        self.progress.done(self.summary.rows);
        Ok(Some(Sifted { lines, cursor: changes.cursor, date: changes.date }))
    }

    fn finish(&self, note: &str) {
        self.progress.clear();
        let people = self.roster.as_ref().map(Roster::note).unwrap_or_default();
        self.summary.finish(&self.client.tally(), &format!("{people}{note}"));
    }
}
