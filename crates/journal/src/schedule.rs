//! When jobs are due.

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;
use verdict::{Judge, Verdict};

/// The schedules that are compiled in.
const BUILT_IN: &str = include_str!("schedules.toml");

/// A job that is known before it has ever run.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// When it is due.
    pub schedule: Schedule,
}

/// When a job is due.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    grace: TimeDelta,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    job: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    cron: String,
    /// In minutes.
    grace: u32,
}

/// The jobs with a schedule: those that are compiled in, or those of `SCHEDULES_FILE`.
///
/// # Errors
/// [`Verdict::Config`] when the file cannot be read or holds something else.
pub fn schedules() -> Result<Vec<Definition>> {
    let file = std::env::var_os("SCHEDULES_FILE").filter(|value| !value.is_empty()).map(PathBuf::from);
    let Some(file) = file else { return parse(BUILT_IN).context("the built-in schedules") };
    let text = std::fs::read_to_string(&file).map_err(anyhow::Error::from);
    let parsed = text.and_then(|text| parse(&text));
    parsed.with_context(|| format!("SCHEDULES_FILE {}", file.display())).verdict(Verdict::Config)
}

fn parse(text: &str) -> Result<Vec<Definition>> {
    let listing: Listing = toml::from_str(text)?;
    let define = |entry: Entry| {
        let cron = Cron::from_str(&entry.cron).with_context(|| format!("{}: {}", entry.name, entry.cron))?;
        let grace = TimeDelta::minutes(entry.grace.into());
        Ok(Definition { name: entry.name, kind: entry.kind, schedule: Schedule { cron, grace } })
    };
    listing.job.into_iter().map(define).collect()
}

impl Schedule {
    /// The first time after `now`; none for an expression that never comes true again.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.cron.find_next_occurrence(&now, false).ok()
    }

    /// How many of its times after `since` have passed, each by more than the grace; never more than `most`.
    #[must_use]
    pub fn missed(&self, since: DateTime<Utc>, now: DateTime<Utc>, most: usize) -> usize {
        let times = std::iter::successors(self.next(since), |time| self.next(*time));
        times.take(most).take_while(|time| *time + self.grace < now).count()
    }

    /// What lies between two of its times, from `now` on; none for one that never comes true again.
    #[must_use]
    pub fn period(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let next = self.next(now)?;
        Some(self.next(next)? - next)
    }

    /// Whether a run should have started and has not: its last time is more than the grace ago, and `last`, the start of
    /// the latest run, or when anything was first recorded, lies before it.
    #[must_use]
    pub fn is_overdue(&self, now: DateTime<Utc>, last: Option<DateTime<Utc>>) -> bool {
        // Of the times that may be held against it, the latest.
        let due = self.cron.find_previous_occurrence(&(now - self.grace), true).ok();
        matches!((due, last), (Some(due), Some(last)) if last < due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn nightly() -> Schedule {
        parse(BUILT_IN).unwrap().remove(0).schedule
    }

    #[test]
    fn the_next_time_is_on_the_clock_and_never_now() {
        assert_eq!(nightly().next(at("2026-02-28T01:59:59Z")), Some(at("2026-02-28T02:00:00Z")));
        assert_eq!(nightly().next(at("2026-02-28T02:00:00Z")), Some(at("2026-03-01T02:00:00Z")));
    }

    #[test]
    fn a_run_is_overdue_when_it_has_not_started_within_the_grace() {
        let yesterday = Some(at("2026-03-01T02:00:05Z"));
        assert!(!nightly().is_overdue(at("2026-03-02T02:59:59Z"), yesterday));
        assert!(nightly().is_overdue(at("2026-03-02T03:00:01Z"), yesterday));
        assert!(nightly().is_overdue(at("2026-03-09T02:30:00Z"), yesterday), "not forgiven at the next slot");
        assert!(!nightly().is_overdue(at("2026-03-02T03:00:01Z"), Some(at("2026-03-02T02:00:00Z"))));
        assert!(!nightly().is_overdue(at("2026-03-02T03:00:01Z"), None), "nothing is known yet");
    }

    #[test]
    fn missed_times_are_counted_from_the_last_run_on() {
        let last = at("2026-03-01T02:00:05Z");
        let missed = |now: &str| nightly().missed(last, at(now), 3);
        assert_eq!(
            ["02T03:00:00Z", "02T03:00:01Z", "03T03:00:01Z", "30T00:00:00Z"]
                .map(|day| missed(&format!("2026-03-{day}"))),
            [0, 1, 2, 3]
        );
        assert_eq!(nightly().period(last), Some(TimeDelta::days(1)));
    }

    #[test]
    fn the_schedules_are_those_of_the_crontab_in_the_readme() {
        let readme = include_str!("../../../README.md");
        let words = |line: &str| line.split_whitespace().take(5).collect::<Vec<_>>().join(" ");
        // Measuring is no job: it is what tells when there are none.
        let is_job = |line: &&str| line.contains("cd /srv/mirror42") && !line.contains("write_metrics.sh");
        let crontab: Vec<_> = readme.lines().filter(is_job).map(words).collect();
        let listing: Listing = toml::from_str(BUILT_IN).unwrap();
        let scheduled: Vec<_> = listing.job.iter().map(|entry| entry.cron.clone()).collect();
        assert_eq!(scheduled, crontab);
    }

    #[test]
    fn a_schedule_that_is_wrong_is_refused() {
        for bad in ["[[job]]\nname = 'x'", "[[job]]\nname='x'\ntype='x'\ngrace=1\ncron='61 * * * *'"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
