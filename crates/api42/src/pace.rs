//! The shared pace: every call of every process on this host takes its turn from one file.

use crate::book::{Book, Decision, LATE, Share, Ticket, Why};
use crate::calls::Heard;
use crate::chance;
use crate::clock::{self, Micros, SECOND, Stop};
use crate::hints::Hints;
use crate::settings::WaitListener;
use crate::state::Shared;
use anyhow::{Context, anyhow};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use verdict::{Judge, Verdict};

/// While the hour is used up, the book is looked at again after this long: another process may have learnt better.
const LOOK_AGAIN: Micros = 15 * SECOND;

/// Waits shorter than this are not worth a word.
const SILENT: Micros = 2 * SECOND;

/// The pace of one application, as this process draws from it.
pub(crate) struct Pace {
    book: Shared,
    boot: String,
    share: Share,
    on_wait: Option<WaitListener>,
    /// When this process claimed a slot last.
    claimed: AtomicU64,
    /// One thread of a process waits for a slot at a time, the others queue here.
    turn: Mutex<()>,
}

/// How much longer one call may wait for quota. The spacing of calls does not count.
pub(crate) struct Patience(Micros);

impl Patience {
    pub(crate) fn new(longest: Duration) -> Self {
        Self(clock::micros(longest))
    }
}

impl Pace {
    pub(crate) fn new(book: Shared, boot: &str, share: Share, on_wait: Option<WaitListener>) -> Self {
        Self { book, boot: boot.to_owned(), share, on_wait, claimed: AtomicU64::new(0), turn: Mutex::new(()) }
    }

    /// Waits until a call may be sent, and takes the slot. Send at once.
    ///
    /// # Errors
    ///
    /// [`Verdict::Busy`] when the quota comes back later than `patience` allows.
    pub(crate) fn take(&self, patience: &mut Patience, stop: &Stop) -> anyhow::Result<Ticket> {
        let queued = clock::now();
        let _turn = locked(&self.turn);
        patience.0 = patience.0.saturating_sub(clock::now().saturating_sub(queued + SECOND));
        let mut announced = false;
        let taken = loop {
            stop.check()?;
            let (decision, asked, gap) =
                self.with_book(|book, now| (book.claim(now, self.share), now, book.gap(self.share)))?;
            match decision {
                Decision::Go(ticket) if clock::now() - asked <= LATE.max(gap / 4) => {
                    self.claimed.store(asked, Ordering::Relaxed);
                    break Ok(ticket);
                }
                // This process stood still: what it claimed is somebody else's turn now.
                Decision::Go(_) => {}
                Decision::Wait(until, Why::Gap) => clock::sleep_until(until, stop),
                Decision::Wait(until, why) => {
                    let wait = until.saturating_sub(asked);
                    if wait > patience.0 {
                        break Err(busy(wait, why)).verdict(Verdict::Busy);
                    }
                    announced |= self.announce(wait, why);
                    let until = until.min(asked + LOOK_AGAIN);
                    clock::sleep_until(until, stop);
                    patience.0 = patience.0.saturating_sub(clock::now() - asked);
                }
            }
        };
        if announced {
            self.say("");
        }
        taken
    }

    /// Takes note that a call is on its way since just now. One that is late, because the file was slow, the machine busy or
    /// a connection had to be made, pushes the next one on.
    pub(crate) fn sent(&self) {
        let now = clock::now();
        if now.saturating_sub(self.claimed.load(Ordering::Relaxed)) <= LATE {
            return;
        }
        // A file that cannot be written fails the next claim.
        if let Err(error) = self.with_book(|book, _| book.push_on(now, self.share)) {
            log::debug!("a late call is not noted: {error:#}");
        }
    }

    /// Learns from what came back for a call, if anything did. After an answer 429 all processes pause.
    pub(crate) fn learn(&self, ticket: Ticket, hints: Option<&Hints>, heard: Heard) -> anyhow::Result<()> {
        self.with_book(|book, now| {
            book.hear(heard, now);
            let Some(hints) = hints else { return };
            book.learn(ticket, hints, now);
            if heard == Heard::Throttled {
                book.throttle(ticket, hints.retry_after.map(clock::micros), now, chance::fraction());
            } else {
                book.succeed(ticket);
            }
        })
    }

    fn with_book<T>(&self, change: impl FnOnce(&mut Book, Micros) -> T) -> anyhow::Result<T> {
        let held = self.book.hold()?;
        let bytes = held.read()?;
        let now = clock::now();
        let known = bytes.and_then(|bytes| Book::read(&bytes, &self.boot, now));
        let mut book = known.unwrap_or_else(|| Book::new(&self.boot));
        let outcome = change(&mut book, now);
        held.replace(&book.write(now).context("writing the pace")?)?;
        Ok(outcome)
    }

    fn announce(&self, wait: Micros, why: Why) -> bool {
        if wait < SILENT {
            return false;
        }
        self.say(&match why {
            Why::Hour => format!("waiting {} for the hour's quota", spoken(wait)),
            Why::Kept => {
                format!("waiting {}: the rest of the hour's quota is kept for live work", spoken(wait))
            }
            Why::Hold | Why::Gap => format!("waiting {}: the API asked for a pause", spoken(wait)),
        });
        true
    }

    fn say(&self, sentence: &str) {
        if let Some(listener) = &self.on_wait {
            listener(sentence);
        }
    }
}

/// Locks a mutex whose data stays right when a thread panics.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn busy(wait: Micros, why: Why) -> anyhow::Error {
    let reason = match why {
        Why::Hour => "the hour's quota of API calls is used up",
        Why::Kept => "the rest of the hour's quota of API calls is kept for live work",
        Why::Hold | Why::Gap => "the API asked for a pause",
    };
    anyhow!("{reason}; try again in {}, or allow a longer wait with MAX_WAIT_SECONDS", spoken(wait))
}

/// A wait as people say it, rounded up: `45 s`, `12 min`.
fn spoken(wait: Micros) -> String {
    match wait.div_ceil(SECOND) {
        seconds @ ..=90 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_sent_late_pushes_the_next_one_on() {
        let folder = tempfile::tempdir().unwrap();
        let book = Shared::new(folder.path(), "pace", "abc", Duration::from_secs(60));
        let pace = Pace::new(book, "boot", Share::of_host(1.0), None);
        let due = || {
            let decision = pace.with_book(|book, now| book.claim(now, pace.share));
            let Decision::Wait(due, Why::Gap) = decision.unwrap() else { panic!("no wait") };
            due
        };
        let ticket = pace.take(&mut Patience::new(Duration::ZERO), &Stop::default());
        ticket.unwrap();
        let before = due();
        pace.claimed.store(clock::now() + SECOND, Ordering::Relaxed);
        pace.sent();
        assert_eq!(due(), before);
        pace.claimed.store(clock::now() - SECOND / 10, Ordering::Relaxed);
        pace.sent();
        assert!(due() > before);
    }

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(spoken(1), "1 s");
        assert_eq!(spoken(90 * SECOND), "90 s");
        assert_eq!(spoken(90 * SECOND + 1), "2 min");
        assert_eq!(spoken(12 * 60 * SECOND), "12 min");
    }
}
