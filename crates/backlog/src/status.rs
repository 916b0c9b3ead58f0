//! How the backlog stands, counted from what was read just now.

use crate::item::{Outcome, Processed};
use crate::settings::{Kind, Settings};
use crate::store::{Counts, State};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The numbers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Status {
    store: &'static str,
    at: DateTime<Utc>,
    /// Waiting, whether due, delayed or at work.
    depth: u64,
    due: u64,
    leased: u64,
    /// Failed, and waiting for their next attempt.
    delayed: u64,
    oldest_added: Option<DateTime<Utc>>,
    oldest_age_seconds: Option<i64>,
    /// Why those who wait are there.
    reasons: BTreeMap<String, u64>,
    dead: u64,
    /// Last errors of the dead; numbers in them are `#`.
    dead_errors: BTreeMap<String, u64>,
    /// Last errors of those who wait for another attempt.
    delayed_errors: BTreeMap<String, u64>,
    /// Who left, as far as it is looked at: the last 12,000.
    processed: usize,
    outcomes: BTreeMap<&'static str, u64>,
    last_processed: Option<DateTime<Utc>>,
    /// Done of done and failed attempts; null when there were none.
    success_rate: Option<f64>,
    processing_seconds: Option<Times>,
    /// Lines of the files that hold no id; the next change sets them aside.
    unreadable: u64,
}

/// How long the batches of those who left took, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Times {
    median: f64,
    p95: f64,
    last: f64,
}

impl Status {
    pub(crate) fn of(counts: &Counts, settings: &Settings) -> Self {
        let Counts { now, groups, processed, unreadable } = counts;
        let of = |state: State| groups.iter().filter(move |group| group.state == state);
        let items = |state| of(state).map(|group| group.items).sum::<u64>();
        let waiting = || groups.iter().filter(|group| group.state != State::Dead);
        let errors = |state| {
            of(state).filter_map(|group| Some((without_numbers(group.error.as_deref()?), group.items)))
        };
        let oldest_added = waiting().map(|group| group.oldest).min();
        let outcomes = processed.iter().map(|one| (one.outcome.map_or("unknown", Outcome::name), 1));
        Self {
            store: match settings.store {
                Kind::Files => "files",
                Kind::Postgres => "postgres",
            },
            at: *now,
            depth: waiting().map(|group| group.items).sum(),
            due: items(State::Due),
            leased: items(State::Leased),
            delayed: items(State::Delayed),
            oldest_added,
            oldest_age_seconds: oldest_added.map(|added| (*now - added).num_seconds().max(0)),
            reasons: counted(waiting().map(|group| (group.reason.clone(), group.items))),
            dead: items(State::Dead),
            dead_errors: counted(errors(State::Dead)),
            delayed_errors: counted(errors(State::Delayed)),
            processed: processed.len(),
            outcomes: counted(outcomes),
            last_processed: processed.iter().filter_map(|one| one.processed).max(),
            success_rate: success_rate(groups.iter().map(|group| group.attempts).sum(), processed),
            processing_seconds: Times::of(processed),
            unreadable: *unreadable,
        }
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let instant = |at: Option<DateTime<Utc>>| {
            at.map_or("-".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
        };
        let mut line = |name: &str, value: &str| {
            // A string takes all.
            writeln!(text, "{name:<16} {}", tool::printable(value)).unwrap_or_default();
        };
        line("store", self.store);
        let states = format!("{} due, {} leased, {} delayed", self.due, self.leased, self.delayed);
        line("depth", &format!("{}: {states}", self.depth));
        let age = self.oldest_age_seconds.map_or("-".to_owned(), |age| format!("{age} s"));
        line("oldest", &format!("{age}, added {}", instant(self.oldest_added)));
        for (reason, count) in &self.reasons {
            line("  reason", &format!("{count} × {reason}"));
        }
        for (error, count) in &self.delayed_errors {
            line("  delayed by", &format!("{count} × {error}"));
        }
        line("dead", &self.dead.to_string());
        for (error, count) in &self.dead_errors {
            line("  died of", &format!("{count} × {error}"));
        }
        let outcomes: Vec<String> =
            self.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let outcomes = if outcomes.is_empty() { String::new() } else { format!(": {}", outcomes.join(", ")) };
        line("processed", &format!("{}{outcomes}", self.processed));
        line("last processed", &instant(self.last_processed));
        let rate = self.success_rate.map_or("-".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
        line("success rate", &rate);
        let times = self.processing_seconds.map_or("-".to_owned(), |times| {
            format!("median {:.1} s, p95 {:.1} s, last {:.1} s", times.median, times.p95, times.last)
        });
        line("batches took", &times);
        if self.unreadable > 0 {
            line("unreadable", &format!("{} lines", self.unreadable));
        }
        text
    }
}

impl Times {
    fn of(processed: &[Processed]) -> Option<Self> {
        let mut seconds: Vec<f64> = processed.iter().filter_map(|one| one.seconds).collect();
        let last = *seconds.last()?;
        seconds.sort_by(f64::total_cmp);
        // The nearest rank: a time that some batch took.
        let at = |percent: usize| seconds[(seconds.len() * percent).div_ceil(100).max(1) - 1];
        Some(Self { median: at(50), p95: at(95), last })
    }
}

/// `failed` attempts are those of who has not left.
fn success_rate(failed: u64, processed: &[Processed]) -> Option<f64> {
    let by_us = |one: &&Processed| matches!(one.outcome, Some(Outcome::Loaded | Outcome::Absent));
    let done = processed.iter().filter(by_us).count() as u64;
    let failed = failed + processed.iter().map(|one| u64::from(one.attempts)).sum::<u64>();
    #[expect(clippy::cast_precision_loss, reason = "a rate of thousands")]
    let rate = done as f64 / (done + failed) as f64;
    (done + failed > 0).then_some(rate)
}

fn counted<Name: Ord>(names: impl Iterator<Item = (Name, u64)>) -> BTreeMap<Name, u64> {
    let mut counts = BTreeMap::new();
    for (name, items) in names {
        *counts.entry(name).or_insert(0) += items;
    }
    counts
}

/// Errors that differ only in an id are one.
fn without_numbers(error: &str) -> String {
    let mut text = String::new();
    for character in error.chars() {
        let shown = if character.is_ascii_digit() { '#' } else { character };
        if shown != '#' || !text.ends_with('#') {
            text.push(shown);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_differ_only_in_a_number_are_one() {
        assert_eq!(without_numbers("user 123: line 4, HTTP 500"), "user #: line #, HTTP #");
    }

    #[test]
    fn percentiles_are_times_that_some_batch_took() {
        let one = |seconds| Processed {
            id: 1,
            reason: String::new(),
            added: None,
            processed: None,
            outcome: Some(Outcome::Loaded),
            attempts: 1,
            seconds: Some(seconds),
        };
        let processed: Vec<Processed> = (1..=20).rev().map(|seconds| one(f64::from(seconds))).collect();
        let times = Times::of(&processed).unwrap();
        assert_eq!((times.median, times.p95, times.last), (10.0, 19.0, 1.0));
        assert_eq!(success_rate(0, &processed), Some(0.5));
        assert_eq!(success_rate(0, &[]), None);
    }
}
