//! Telling somebody: of transitions only, each at least once, with another message when it is over.
//!
//! # Layout
//! - this file: one look, and what is said of it.
//! - `conditions`: when an alert is due. `ledger`: what is remembered. `delivery`: how it reaches somebody.
//!
//! A transition and its message are written down together, before anything is sent; a channel that took the message is
//! struck out after that. Who is killed in between sends it a second time, with the same `id`.

mod conditions;
mod delivery;
mod ledger;

use crate::files;
use crate::level::{Level, is_more_than};
use crate::report::ERROR;
use crate::status::Status;
use anyhow::Result;
use chrono::{DateTime, SecondsFormat, Utc};
use conditions::{Condition, Event, Seen, Transition};
use delivery::Post;
use ledger::Ledger;
use serde_json::{Value, json};
use std::ffi::OsString;

/// More inconsistent rows than this are worth a message.
const MANY: i64 = 10;

/// Rates below this many per cent are low.
const LOW: i64 = 95;

/// Looks how the mirror is by what runs have left, and sends what is due.
pub(crate) fn run(read: impl FnOnce() -> Result<Status>, inherited: Vec<(OsString, OsString)>) -> Result<u8> {
    let post = Post::from_environment(inherited)?;
    let mut ledger = Ledger::open()?;
    let now = Utc::now();
    let facts = Facts::of(read());
    for transition in conditions::take(&mut ledger.page.conditions, &facts.seen(now)) {
        ledger.post(message(&transition, &facts, now), post.channels());
    }
    ledger.write()?;
    let (sent, failures) = deliver(&mut ledger, &post)?;
    let raised = |(condition, state): (&Condition, &conditions::State)| {
        let since = state.raised.map(instant);
        since.map(|since| {
            (condition.name().to_owned(), json!({ "raised": since, "since": state.since.map(instant) }))
        })
    };
    let raised: serde_json::Map<String, Value> = ledger.page.conditions.iter().filter_map(raised).collect();
    let waiting = ledger.page.outbox.len();
    tool::print(&format!("{}\n", json!({ "raised": raised, "sent": sent, "waiting": waiting })))?;
    for failure in &failures {
        log::error!("{failure}; tried again by the next run");
    }
    Ok(if failures.is_empty() { 0 } else { ERROR })
}

/// Sends what waits, the oldest first. A channel that fails gets nothing more this time, so that the order stays.
fn deliver(ledger: &mut Ledger, post: &Post) -> Result<(u64, Vec<String>)> {
    let (mut sent, mut failures, mut broken) = (0, Vec::new(), Vec::new());
    for nth in 0..ledger.page.outbox.len() {
        for channel in ledger.page.outbox[nth].to.clone() {
            if broken.contains(&channel) {
                continue;
            }
            match post.deliver(channel, &ledger.page.outbox[nth].message) {
                Ok(()) => {
                    ledger.page.outbox[nth].to.retain(|other| *other != channel);
                    ledger.write()?;
                    sent += 1;
                }
                Err(error) => {
                    failures.push(format!("{error:#}"));
                    broken.push(channel);
                }
            }
        }
    }
    ledger.page.outbox.retain(|letter| !letter.to.is_empty());
    ledger.write()?;
    Ok((sent, failures))
}

/// What a message tells, and what conditions are judged by.
struct Facts {
    level: Level,
    total: i64,
    inconsistent: i64,
    /// Rows of findings that two runs in a row have seen.
    confirmed: i64,
    reason: Option<String>,
    last_check: Option<String>,
    /// Tells the run.
    evidence: String,
    summary: Value,
}

impl Facts {
    /// A database that is away is a check that fails.
    fn of(read: Result<Status>) -> Self {
        match read {
            Ok(status) => {
                let (total, inconsistent) = status.totals();
                let mut summary = status.summary();
                for long in ["checks", "trend", "violations"] {
                    drop(summary.as_object_mut().map(|members| members.remove(long)));
                }
                Self {
                    level: status.level,
                    total,
                    inconsistent,
                    confirmed: status.confirmed_rows,
                    evidence: status.evidence(),
                    reason: status.reason,
                    last_check: status.last_check,
                    summary,
                }
            }
            Err(error) => Self {
                level: Level::Unknown,
                total: 0,
                inconsistent: 0,
                confirmed: 0,
                reason: Some(format!("{error:#}")),
                last_check: None,
                evidence: files::latest().map_or_else(String::new, |latest| latest["timestamp"].to_string()),
                summary: json!({ "status": Level::Unknown, "reason": format!("{error:#}") }),
            },
        }
    }

    fn seen(&self, now: DateTime<Utc>) -> Seen {
        let failing = self.level == Level::Unknown;
        // Where nothing new was measured, a later minute is what is new.
        let evidence = if failing {
            format!("{} {}", self.evidence, now.timestamp() / 60)
        } else {
            self.evidence.clone()
        };
        Seen {
            now,
            evidence,
            failing,
            critical: self.level == Level::Critical,
            rate_low: is_more_than(self.inconsistent, 100 - LOW, self.total),
            many_inconsistent: self.confirmed > MANY,
        }
    }
}

fn message(transition: &Transition, facts: &Facts, now: DateTime<Utc>) -> Value {
    let Transition { condition, event, since } = transition;
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    let name = condition.name();
    let (id, at) = (format!("{host}-{name}-{}", now.timestamp_millis()), instant(now));
    let text = text(transition, facts, &host);
    json!({
        "source": "mirror42/check-integrity", "id": id, "event": event, "condition": name, "text": text,
        "at": at, "since": instant(*since), "host": host, "status": facts.summary,
    })
}

fn text(transition: &Transition, facts: &Facts, host: &str) -> String {
    let Transition { condition, event, since } = transition;
    let (since, reason) = (instant(*since), facts.reason.as_deref().unwrap_or("nothing more is known"));
    let last = facts.last_check.as_deref().unwrap_or("never");
    let counts = format!("{} of {} rows are inconsistent", facts.inconsistent, facts.total);
    let what = match (event, condition) {
        (Event::Raised, Condition::CheckFailing) => {
            format!("the integrity check fails: {reason}; last check {last}")
        }
        (Event::Raised, Condition::Critical) => format!("integrity is critical since {since}: {reason}"),
        (Event::Raised, Condition::RateLow) => {
            format!("consistency is under {LOW} % since {since}: {counts}")
        }
        (Event::Raised, Condition::ManyInconsistent) => {
            format!("more than {MANY} rows are inconsistent: {counts}")
        }
        (Event::Recovered, Condition::CheckFailing) => {
            format!("the integrity check works again; it failed since {since}")
        }
        (Event::Recovered, Condition::Critical) => {
            format!("integrity is critical no more; it was since {since}")
        }
        (Event::Recovered, Condition::RateLow) => {
            format!("consistency is {LOW} % or more again; it was not since {since}")
        }
        (Event::Recovered, Condition::ManyInconsistent) => {
            format!("no more than {MANY} rows are inconsistent; there were more since {since}")
        }
    };
    tool::printable(&format!("mirror42 on {host}: {what}"))
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
