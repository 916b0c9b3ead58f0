//! What is left of the hour, and for whom.

use super::{Book, HOUR, MINUTE, Reading, Share};
use crate::class::{Class, PerClass};
use crate::clock::{Micros, SECOND};

/// How many minutes tell how often live work calls.
const SEEN_MINUTES: u64 = 10;

/// It is taken to call somewhat more often than it did.
const SPARE: f64 = 1.5;

/// At least this share of the hour is taken to be wanted by it, though it was not seen: it may begin at any moment, and
/// polls five lists a minute. As the hour goes on less of that is kept, so that it is used all the same.
const EXPECTED: f64 = 0.25;

/// No more than this share of the hour is kept for it.
const MOST_KEPT: f64 = 0.5;

/// A call may reach the API before one that was sent earlier, and its header does not count that one yet. So many may be
/// on their way past each other; the header is believed where it knows of more than these.
const PASSING: i64 = 4;

/// No more than this share of the hour is kept for calls that come at once.
const MOST_AT_ONCE: f64 = 0.03;

impl Book {
    /// How many calls may still go at this instant, by the header or by our own count, whichever allows more: the
    /// header knows when the API's own hour began, our count knows what left the hour since the header was read.
    pub(super) fn allowed(&self, now: Micros, share: Share) -> i64 {
        let own = self.by_own_count(now, share);
        self.reading(now).map_or(own, |reading| {
            own.max(reading.remaining - self.of_others(now, share) - self.since(reading.call) - PASSING)
        })
    }

    fn by_own_count(&self, now: Micros, share: Share) -> i64 {
        let excess =
            self.reading(now).map_or(0, |reading| (reading.unexplained - self.of_others(now, share)).max(0));
        self.reach(now, share) - self.own(now) - excess
    }

    /// The first instant at which our own count allows a call again.
    pub(super) fn hour_due(&self, now: Micros, share: Share) -> Micros {
        let leaving = self.minutes.iter().map(|(minute, _)| leaves(*minute));
        // What is kept for live work, and what a class that was left out may take, changes with the minutes.
        let turning = (1..=60).map(|minutes| (now / MINUTE + minutes) * MINUTE);
        let expiring = self.reading.map(|reading| reading.expires);
        let mut instants: Vec<_> = leaving.chain(turning).chain(expiring).collect();
        instants.sort_unstable();
        let due =
            instants.into_iter().find(|instant| *instant > now && self.by_own_count(*instant, share) >= 1);
        due.unwrap_or(now + MINUTE)
    }

    /// Up to how many calls an hour, by all of this host, this process goes on.
    pub(super) fn reach(&self, now: Micros, share: Share) -> i64 {
        let host = self.of_host(share);
        let budget = ((f64::from(self.per_hour) * share.host * share.hour) as i64).max(1);
        match share.class {
            Class::Live => budget,
            _ if !share.by_class => budget,
            Class::Hand | Class::Backlog | Class::Bulk => {
                let rest = trickle_minutes(host);
                if self.is_left_out(now, share.class, rest) {
                    return host - self.cushion(host);
                }
                let live = self.live_rate(now, host).min(host as f64 * MOST_KEPT / 60.0);
                let trickles = (Class::ALL.len() - 1) as f64 / rest as f64;
                let kept = self.kept(now, live + trickles) + self.cushion(host);
                budget.min(host - kept).max(1)
            }
        }
    }

    /// Calls an hour that this host may make.
    pub(super) fn of_host(&self, share: Share) -> i64 {
        ((f64::from(self.per_hour) * share.host) as i64).max(1)
    }

    /// Calls an hour that are left to other hosts, and to processes that may use more of the hour.
    fn of_others(&self, now: Micros, share: Share) -> i64 {
        i64::from(self.per_hour) - self.reach(now, share)
    }

    /// How many calls of this moment's hour have to be kept, so that so many a minute can go on.
    ///
    /// Until a later instant so many are wanted, and so many of ours leave the hour; the worst of all instants counts.
    /// When calls are spread over the hour nothing has to be kept; after a burst at full speed, much.
    fn kept(&self, now: Micros, wanted: f64) -> i64 {
        let mut left = 0;
        let mut worst = 0.0_f64;
        for (minute, count) in self.minutes.iter().filter(|(minute, _)| leaves(*minute) > now) {
            let minutes = leaves(*minute).saturating_sub(now) as f64 / MINUTE as f64;
            worst = worst.max(wanted * minutes - left as f64);
            left += i64::from(*count);
        }
        worst as i64
    }

    /// Calls a minute that live work will want: the more of what it made in the last ten minutes and in the hour, and
    /// some more; never less than is expected of it. One minute counts no more than a sixtieth of the hour, so that one
    /// burst is no habit.
    fn live_rate(&self, now: Micros, host: i64) -> f64 {
        let minute = now / MINUTE;
        let most = u32::try_from(host / 60 + 1).unwrap_or(u32::MAX);
        let live = self.classes.iter().map(|(seen, calls)| (*seen, calls[Class::Live.index()].min(most)));
        let (mut first, mut all, mut lately) = (minute, 0, 0);
        for (seen, calls) in live.filter(|(_, calls)| *calls > 0) {
            first = first.min(seen);
            all += calls;
            lately += if seen + SEEN_MINUTES > minute { calls } else { 0 };
        }
        let expected = host as f64 * EXPECTED / 60.0;
        if lately == 0 {
            return expected;
        }
        let minutes = minute.saturating_sub(first) + 1;
        let lately = f64::from(lately) / minutes.min(SEEN_MINUTES) as f64;
        ((f64::from(all) / minutes as f64).max(lately) * SPARE).max(expected)
    }

    /// Calls that come at once rather than evenly: one poll of live work, and one of each class that was left out.
    fn cushion(&self, host: i64) -> i64 {
        let polls = self.classes.iter().map(|(_, calls)| i64::from(calls[Class::Live.index()]));
        let poll = polls.max().unwrap_or(0);
        (poll + Class::ALL.len() as i64 - 1).min((host as f64 * MOST_AT_ONCE) as i64)
    }

    /// Whether a class had no call in so many minutes, this one included.
    fn is_left_out(&self, now: Micros, class: Class, minutes: u64) -> bool {
        let minute = now / MINUTE;
        let recent = self.classes.iter().filter(|(seen, _)| *seen + minutes > minute);
        recent.map(|(_, calls)| calls[class.index()]).sum::<u32>() == 0
    }

    /// Calls of this host in the hour before an instant; whole minutes, so up to a minute's calls too many.
    pub(super) fn own(&self, now: Micros) -> i64 {
        let inside = self.minutes.iter().filter(|(minute, _)| leaves(*minute) > now);
        inside.map(|(_, count)| i64::from(*count)).sum()
    }

    /// The same by class, as far as the classes are known.
    pub(super) fn by_class(&self, now: Micros) -> PerClass {
        let inside = self.classes.iter().filter(|(minute, _)| leaves(*minute) > now);
        inside.fold(PerClass::default(), |mut sum, (_, calls)| {
            sum.iter_mut().zip(calls).for_each(|(sum, calls)| *sum = sum.saturating_add(*calls));
            sum
        })
    }

    pub(super) fn since(&self, call: u64) -> i64 {
        i64::try_from(self.calls.saturating_sub(call)).unwrap_or(i64::MAX)
    }

    pub(super) fn reading(&self, now: Micros) -> Option<Reading> {
        self.reading.filter(|reading| now < reading.expires)
    }

    pub(super) fn count(&mut self, now: Micros, class: Class) {
        let minute = now / MINUTE;
        match self.minutes.back_mut() {
            Some((last, count)) if *last == minute => *count += 1,
            _ => self.minutes.push_back((minute, 1)),
        }
        if self.classes.back().is_none_or(|(last, _)| *last != minute) {
            self.classes.push_back((minute, PerClass::default()));
        }
        if let Some((_, calls)) = self.classes.back_mut() {
            calls[class.index()] = calls[class.index()].saturating_add(1);
        }
    }

    pub(super) fn forget(&mut self, now: Micros) {
        self.minutes.retain(|(minute, _)| leaves(*minute) > now);
        self.classes.retain(|(minute, _)| leaves(*minute) > now);
        self.reading = self.reading(now);
        self.forget_calls(now);
    }

    /// When the oldest call that counts leaves the hour.
    pub(super) fn oldest_leaves(&self, now: Micros) -> Option<Micros> {
        self.minutes.iter().map(|(minute, _)| leaves(*minute)).filter(|instant| *instant > now).min()
    }
}

/// When the last call of a minute is an hour old; a second is added for its way to the API.
const fn leaves(minute: u64) -> Micros {
    minute.saturating_add(1).saturating_mul(MINUTE).saturating_add(HOUR + SECOND)
}

/// After so many minutes without a call a class may take one, whatever its share; more where the hour is small.
fn trickle_minutes(host: i64) -> u64 {
    (2400 / host.unsigned_abs().max(1)).clamp(2, 60)
}
