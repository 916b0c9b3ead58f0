//! The arithmetic of the shared pace: when the next call is due. No clock and no file here: time is an argument.
//!
//! # Layout
//! - here: the book, and the slots of a second.
//! - `hour`: how many calls the hour has left, and for whom.
//! - `turn`: who is served first when several wait.
//! - `calls`: how many calls went, and what came back.

mod calls;
mod hour;
mod turn;

use crate::budget::Budget;
use crate::calls::Heard;
use crate::class::{Class, PerClass};
use crate::clock::{self, Micros, SECOND};
use crate::hints::Hints;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The documented limits of an application, until the API announces others.
const DEFAULT_PER_SECOND: u32 = 2;
const DEFAULT_PER_HOUR: u32 = 1200;

/// Calls are spaced by `1/limit` and this much more, so that the delays of sending cannot push one call too many into
/// a second: `limit + 1` calls span at least 1.035 s, less [`LATE`] for the first one's claim and again for its sending.
const MARGIN: f64 = 1.035;

/// For each answer 429 of the last hour calls are spaced by so much more, up to a limit: this host, or its way to the API,
/// is not as even as that.
const UNEVEN: f64 = 0.01;
const MOST_UNEVEN: f64 = 0.1;

/// A slot that is claimed, or a call that is sent, later than this pushes the slots after it on, by what is beyond it.
pub(crate) const LATE: Micros = 5_000;

const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 3600 * SECOND;

/// The longest pause that an answer may impose, in microseconds: an hour and a minute.
const LONGEST_HOLD: Micros = 3660 * SECOND;

/// The longest pause that is guessed, when answers 429 repeat and none says how long.
const LONGEST_GUESS: f64 = 60.0;

/// The right to send one call now; the number orders the calls of all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// The part of the announced limits that a process may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    class: Class,
    /// Of the limits, for this host.
    host: f64,
    /// Of the host's hour, for this process.
    hour: f64,
    /// Whether the share of the hour is that of the class. Then calls are kept for live work too, and who is left out
    /// gets one beyond the share; a share that a person set is just that.
    by_class: bool,
}

/// Whether a call may go, and if not, when to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Go(Ticket),
    Wait(Micros, Why),
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The spacing of calls, or somebody who is served first: at most a few seconds.
    Gap,
    /// The API said 429.
    Hold,
    /// The quota of the hour is used up.
    Hour,
    /// What is left of the hour is kept for other kinds of work.
    Kept,
}

/// Everything that the processes of a host know together about the pace of one application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Book {
    boot: String,
    written: Micros,
    /// The limits as the API announced them.
    per_second: u32,
    per_hour: u32,
    /// When the next slot begins.
    next: Micros,
    /// No call before this instant: an answer 429 said so.
    hold_until: Micros,
    /// Calls let go so far.
    calls: u64,
    /// Calls let go per minute since boot; oldest first.
    minutes: VecDeque<(u64, u32)>,
    /// The same by class. Beside the others, so that an older release can read what a newer one wrote, and back.
    #[serde(default)]
    classes: VecDeque<(u64, PerClass)>,
    /// Calls let go per second, of the last minute.
    #[serde(default)]
    seconds: VecDeque<(u64, u32)>,
    /// What came back, by minute and kind.
    #[serde(default)]
    answers: VecDeque<(u64, [u32; Heard::ALL.len()])>,
    /// Until when each class is taken to wait for a slot, though its process may be dead.
    #[serde(default)]
    waiting: [Micros; Class::ALL.len()],
    /// Slots that live work took in a row while others waited.
    #[serde(default)]
    passed: u32,
    reading: Option<Reading>,
    /// Answers 429 in a row, those of one burst counted once.
    strikes: u32,
    /// How many calls had been let go at the last strike.
    struck: u64,
}

/// What the header of one answer said about the hour.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Reading {
    call: u64,
    remaining: i64,
    /// Used by somebody else, as far as our own calls do not explain what remains.
    unexplained: i64,
    expires: Micros,
}

impl Share {
    pub(crate) fn of(settings: &Settings) -> Self {
        let Settings { class, pace_share: host, hour_share, .. } = *settings;
        let hour = hour_share.unwrap_or(class.hour_share());
        Self { class, host, hour, by_class: hour_share.is_none() }
    }

    /// All that a host with this share of the limits may use.
    pub(crate) const fn of_host(host: f64) -> Self {
        Self { class: Class::Live, host, hour: 1.0, by_class: false }
    }
}

impl Book {
    /// An empty book: nothing was called since this boot.
    pub(crate) fn new(boot: &str) -> Self {
        Self {
            boot: boot.to_owned(),
            written: 0,
            per_second: DEFAULT_PER_SECOND,
            per_hour: DEFAULT_PER_HOUR,
            next: 0,
            hold_until: 0,
            calls: 0,
            minutes: VecDeque::new(),
            classes: VecDeque::new(),
            seconds: VecDeque::new(),
            answers: VecDeque::new(),
            waiting: [0; Class::ALL.len()],
            passed: 0,
            reading: None,
            strikes: 0,
            struck: 0,
        }
    }

    /// Reads a book. One that is damaged, of another boot or from the future is as good as none.
    pub(crate) fn read(bytes: &[u8], boot: &str, now: Micros) -> Option<Self> {
        let book: Self = serde_json::from_slice(bytes).ok()?;
        let sane = book.next <= now + HOUR && book.hold_until <= now + 2 * LONGEST_HOLD;
        let sane = sane && book.waiting.iter().all(|until| *until <= now + HOUR);
        (book.boot == boot && book.written <= now && sane).then_some(book)
    }

    /// Whether this is a book, of whatever boot.
    pub(crate) fn is_one(bytes: &[u8]) -> bool {
        serde_json::from_slice::<Self>(bytes).is_ok()
    }

    /// The book as text.
    pub(crate) fn write(&mut self, now: Micros) -> serde_json::Result<Vec<u8>> {
        self.written = now;
        serde_json::to_vec(self)
    }

    /// Lets a call go now, or says when to ask again. Nothing is reserved for a call that waits.
    ///
    /// A slot that is claimed up to [`LATE`] after it began keeps the rhythm; later, the rhythm is pushed on, so that no
    /// call ever follows its predecessor too closely.
    pub(crate) fn claim(&mut self, now: Micros, share: Share) -> Decision {
        self.forget(now);
        if now < self.hold_until {
            return Decision::Wait(self.hold_until, Why::Hold);
        }
        if self.allowed(now, share) < 1 {
            let left = self.allowed(now, Share::of_host(share.host)) >= 1;
            return Decision::Wait(self.hour_due(now, share), if left { Why::Kept } else { Why::Hour });
        }
        if let Some(until) = self.waits(now, share) {
            return Decision::Wait(until, Why::Gap);
        }
        let slot = self.next.max(now.saturating_sub(LATE));
        self.next = slot + self.gap(share);
        self.calls += 1;
        self.count(now, share.class);
        self.count_second(now);
        self.served(now, share.class);
        Decision::Go(Ticket(self.calls))
    }

    /// Pushes the rhythm on for a call that was sent more than [`LATE`] after it had claimed its slot.
    pub(crate) fn push_on(&mut self, sent: Micros, share: Share) {
        self.next = self.next.max(sent.saturating_sub(LATE) + self.gap(share));
    }

    /// Learns from the headers of the answer to a call. Answers may come in any order: the latest call's counts.
    pub(crate) fn learn(&mut self, ticket: Ticket, hints: &Hints, now: Micros) {
        self.per_second = hints.per_second.filter(|limit| *limit > 0).unwrap_or(self.per_second);
        self.per_hour = hints.per_hour.filter(|limit| *limit > 0).unwrap_or(self.per_hour);
        // A number that this book never gave is of one that was lost: as the latest call it would hide all of ours.
        let newer = ticket.0 <= self.calls && self.reading.is_none_or(|reading| reading.call < ticket.0);
        if let Some(remaining) = hints.remaining.filter(|_| newer) {
            let remaining = i64::from(remaining);
            let own = self.own(now) - self.since(ticket.0);
            let unexplained = (i64::from(self.per_hour) - remaining - own).max(0);
            self.reading = Some(Reading { call: ticket.0, remaining, unexplained, expires: now + HOUR });
        }
    }

    /// An answer that was no 429: the next 429 is the first one again.
    pub(crate) fn succeed(&mut self, ticket: Ticket) {
        if ticket.0 > self.struck {
            self.strikes = 0;
        }
    }

    /// Learns from an answer 429: everybody pauses, for as long as it says, or else for a guess that doubles while
    /// such answers repeat. `jitter` is between 0 and 1.
    pub(crate) fn throttle(&mut self, ticket: Ticket, retry_after: Option<Micros>, now: Micros, jitter: f64) {
        let fresh = ticket.0 > self.struck;
        if fresh {
            self.strikes = self.strikes.saturating_add(1);
            self.struck = self.calls;
        }
        let pause = match retry_after.filter(|pause| *pause > 0) {
            Some(pause) => pause.min(LONGEST_HOLD),
            // The pause for this burst began with its first 429.
            None if !fresh => return,
            None => guess(self.strikes, jitter),
        };
        self.hold_until = self.hold_until.max(now + pause);
    }

    /// What there is to see, for a host with this share of the limits.
    pub(crate) fn budget(&self, now: Micros, share: Share) -> Budget {
        let by_class = self.by_class(now);
        let host = self.of_host(share);
        let header = self.reading(now).map(|reading| reading.remaining - self.since(reading.call));
        Budget {
            per_second: self.per_second,
            per_hour: self.per_hour,
            host: host.unsigned_abs(),
            used: self.own(now).unsigned_abs(),
            by_class: Class::ALL.map(|class| (class, u64::from(by_class[class.index()]))),
            remaining: (host - self.own(now)).max(0).unsigned_abs(),
            remaining_by_header: header.map(|left| left.max(0).unsigned_abs()),
            waiting: Class::ALL.into_iter().filter(|class| self.is_waiting(now, *class)).collect(),
            held_until: Some(self.hold_until).filter(|until| *until > now).map(clock::instant),
            oldest_leaves: self.oldest_leaves(now).map(clock::instant),
        }
    }

    /// The space between two calls.
    pub(crate) fn gap(&self, share: Share) -> Micros {
        let limit = f64::from(self.per_second) * share.host;
        // Hosts that share a limit each keep to whole calls a second, or their sum could exceed it.
        let limit = if limit >= 1.0 { limit.floor() } else { limit };
        let uneven = (UNEVEN * f64::from(self.throttled())).min(MOST_UNEVEN);
        to_micros((MARGIN + uneven) / limit)
    }
}

/// One to two seconds at first, twice as much each time it repeats.
fn guess(strikes: u32, jitter: f64) -> Micros {
    let doublings = strikes.saturating_sub(1).min(6);
    to_micros(((1.0 + jitter) * f64::from(1_u32 << doublings)).min(LONGEST_GUESS))
}

fn to_micros(seconds: f64) -> Micros {
    (seconds * 1_000_000.0).round() as Micros
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "book_class_tests.rs"]
mod class_tests;

#[cfg(test)]
#[path = "book_calls_tests.rs"]
mod calls_tests;
