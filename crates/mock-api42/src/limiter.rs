//! Limits per application: so many calls in any second, so many an hour. A new token does not reset them.

use crate::choices::HourWindow;
use crate::moment::{HOUR, SECOND};
use crate::switches::Switches;
use std::collections::VecDeque;

/// The calls that counted, over the last hour.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    counted: VecDeque<i64>,
}

/// What the limiter says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Let through.
    Yes,
    /// Too many in a second.
    Secondly,
    /// Too many in an hour; wait so many seconds.
    Hourly(i64),
}

/// What the four headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remaining {
    pub(crate) second: u32,
    pub(crate) hour: u32,
}

impl Limiter {
    /// Counts a call made at `now`, in milliseconds since 1970, unless a limit stops it.
    pub(crate) fn call(&mut self, now: i64, switches: &Switches) -> (Pass, Remaining) {
        while self.counted.front().is_some_and(|first| *first <= now - HOUR) {
            self.counted.pop_front();
        }
        let second = self.since(now - SECOND + 1);
        let from = match switches.hour_window {
            HourWindow::Sliding => now - HOUR + 1,
            HourWindow::Clock => now - now.rem_euclid(HOUR),
        };
        let hour = self.since(from);
        let pass = if hour >= switches.per_hour as usize {
            Pass::Hourly(self.wait(now, switches.hour_window))
        } else if second >= switches.per_second as usize {
            Pass::Secondly
        } else {
            Pass::Yes
        };
        let counts = pass == Pass::Yes || switches.count_429.is_on();
        if counts {
            self.counted.push_back(now);
        }
        let remaining = Remaining {
            // As seen live: the answer itself is not taken off here, but it is off the hour.
            second: switches.per_second.saturating_sub(second as u32),
            hour: switches.per_hour.saturating_sub(hour as u32 + u32::from(counts)),
        };
        (pass, remaining)
    }

    /// Takes back the count of a call made at `at`.
    pub(crate) fn refund(&mut self, at: i64) {
        if let Some(place) = self.counted.iter().rposition(|counted| *counted == at) {
            self.counted.remove(place);
        }
    }

    fn since(&self, from: i64) -> usize {
        self.counted.len() - self.counted.partition_point(|counted| *counted < from)
    }

    /// Seconds until the next call can pass, at least one.
    fn wait(&self, now: i64, window: HourWindow) -> i64 {
        let free = match window {
            HourWindow::Clock => now - now.rem_euclid(HOUR) + HOUR,
            HourWindow::Sliding => self.counted.front().map_or(now, |first| first + HOUR),
        };
        ((free - now + SECOND - 1) / SECOND).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::{Limiter, Pass};
    use crate::Arguments;
    use crate::moment::HOUR;
    use crate::switches::Switches;
    use clap::Parser;

    fn switches(options: &str) -> Switches {
        let options = ["mock-api42"].into_iter().chain(options.split_whitespace());
        Arguments::try_parse_from(options).unwrap().switches
    }

    #[test]
    fn the_third_call_in_any_second_is_stopped() {
        let (mut limiter, switches) = (Limiter::default(), switches("--count-429 off"));
        let mut call = |now| limiter.call(now, &switches).0;
        assert_eq!(call(10_000), Pass::Yes);
        assert_eq!(call(10_900), Pass::Yes);
        assert_eq!(call(10_999), Pass::Secondly);
        assert_eq!(call(11_000), Pass::Yes);
        assert_eq!(call(11_100), Pass::Secondly);
    }

    #[test]
    fn calls_that_were_stopped_count_where_they_do() {
        let (mut limiter, switches) = (Limiter::default(), switches("--count-429 on"));
        let mut call = |now| limiter.call(now, &switches).0;
        let hammering: Vec<Pass> = (0..6).map(|turn| call(10_000 + turn * 400)).collect();
        assert_eq!(hammering[..2], [Pass::Yes, Pass::Yes]);
        assert!(hammering[2..].iter().all(|pass| *pass == Pass::Secondly));
    }

    #[test]
    fn an_hour_is_a_clock_hour_or_a_sliding_one() {
        let options = "--per-hour 2 --per-second 9 --count-429 off --hour-window";
        let late = 5 * HOUR - 10_000;
        for (window, third, fourth) in
            [("sliding", Pass::Hourly(3_590), Pass::Yes), ("clock", Pass::Hourly(10), Pass::Yes)]
        {
            let (mut limiter, switches) = (Limiter::default(), switches(&format!("{options} {window}")));
            let mut call = |now| limiter.call(now, &switches).0;
            assert_eq!(call(late - 10_000), Pass::Yes);
            assert_eq!(call(late - 10_000), Pass::Yes);
            assert_eq!(call(late), third);
            let Pass::Hourly(wait) = third else { panic!("not stopped") };
            assert_eq!(call(late + wait * 1_000), fourth, "{window}");
        }
    }

    #[test]
    fn what_remains_is_told() {
        let (mut limiter, switches) = (Limiter::default(), switches(""));
        let remaining = |limiter: &mut Limiter| limiter.call(10_000, &switches).1;
        let first = remaining(&mut limiter);
        assert_eq!((first.second, first.hour), (2, 1_199));
        let second = remaining(&mut limiter);
        assert_eq!((second.second, second.hour), (1, 1_198));
        limiter.refund(10_000);
        assert_eq!(remaining(&mut limiter).hour, 1_198);
    }
}
