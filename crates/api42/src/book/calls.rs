//! How many calls went of late and what came back: for those who look, and for the pace, which gives way to answers 429.

use super::{Book, HOUR, MINUTE};
use crate::calls::{Calls, Heard, MINUTES};
use crate::clock::{Micros, SECOND};

/// So many seconds are counted one by one.
const LATELY: u64 = 60;

impl Book {
    /// Takes note of what came back for a call.
    pub(crate) fn hear(&mut self, heard: Heard, now: Micros) {
        let minute = now / MINUTE;
        if self.answers.back().is_none_or(|(last, _)| *last != minute) {
            self.answers.push_back((minute, <[u32; Heard::ALL.len()]>::default()));
        }
        if let Some((_, counts)) = self.answers.back_mut() {
            counts[heard as usize] = counts[heard as usize].saturating_add(1);
        }
    }

    /// The calls of the last hour, by whole minutes since boot; the last one is not over.
    pub(crate) fn calls(&self, now: Micros) -> Calls {
        let (minute, second) = (now / MINUTE, now / SECOND);
        let lately = self.seconds.iter().filter(|(seen, _)| seen + LATELY > second);
        let mut calls = Calls { last_minute: lately.map(|(_, count)| *count).sum(), ..Calls::default() };
        for (seen, count) in &self.minutes {
            if let Some(place) = place(*seen, minute) {
                calls.by_minute[place] += count;
            }
        }
        for (_, counts) in self.answers.iter().filter(|(seen, _)| place(*seen, minute).is_some()) {
            for (heard, count) in Heard::ALL.into_iter().zip(counts) {
                *calls.answers.of(heard) += count;
            }
        }
        calls
    }

    /// Answers 429 of the last hour.
    pub(super) fn throttled(&self) -> u32 {
        self.answers.iter().map(|(_, counts)| counts[Heard::Throttled as usize]).sum()
    }

    /// Counts a call that goes now.
    pub(super) fn count_second(&mut self, now: Micros) {
        let second = now / SECOND;
        match self.seconds.back_mut() {
            Some((last, count)) if *last == second => *count = count.saturating_add(1),
            _ => self.seconds.push_back((second, 1)),
        }
    }

    pub(super) fn forget_calls(&mut self, now: Micros) {
        self.seconds.retain(|(second, _)| second + LATELY > now / SECOND);
        self.answers.retain(|(minute, _)| minute.saturating_mul(MINUTE) + HOUR + MINUTE > now);
    }
}

/// Where a minute stands among those of the last hour, oldest first.
fn place(seen: u64, minute: u64) -> Option<usize> {
    let ago = usize::try_from(minute.checked_sub(seen)?).ok()?;
    MINUTES.checked_sub(ago + 1)
}
