//! What was asked of the mock: what tests judge a client by.

use crate::moment::{HOUR, SECOND};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Counts since the start or the last reset.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Stats {
    /// Calls to /v2.
    calls: u64,
    /// Calls to the token endpoint.
    token_calls: u64,
    by_status: BTreeMap<u16, u64>,
    by_path: BTreeMap<String, u64>,
    /// Answers 429, whatever the reason.
    throttled: u64,
    /// Calls that came faster than a limit allows.
    limit_violations: u64,
    max_in_any_second: usize,
    max_in_any_hour: usize,
    max_in_flight: usize,
    served_304: u64,
    faults_fired: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    in_flight: usize,
    #[serde(skip)]
    recent: VecDeque<i64>,
    /// Never reset: tells one call from the next.
    #[serde(skip)]
    number: u64,
}

impl Stats {
    /// A call to /v2 begins; gives its number.
    pub(crate) fn begin(&mut self, path: &str, now: i64) -> u64 {
        self.calls += 1;
        self.number += 1;
        *self.by_path.entry(path.to_owned()).or_default() += 1;
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|first| *first <= now - HOUR) {
            self.recent.pop_front();
        }
        let in_second = self.recent.len() - self.recent.partition_point(|at| *at <= now - SECOND);
        self.max_in_any_second = self.max_in_any_second.max(in_second);
        self.max_in_any_hour = self.max_in_any_hour.max(self.recent.len());
        self.in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.in_flight);
        self.number
    }

    /// The call has its answer, but the answer is not written yet.
    pub(crate) fn answered(&mut self, status: u16) {
        *self.by_status.entry(status).or_default() += 1;
        self.throttled += u64::from(status == 429);
        self.served_304 += u64::from(status == 304);
    }

    pub(crate) fn end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(crate) fn token_call(&mut self) -> u64 {
        self.token_calls += 1;
        self.number += 1;
        self.number
    }

    pub(crate) fn violation(&mut self) {
        self.limit_violations += 1;
    }

    pub(crate) fn fault(&mut self, kind: &'static str) {
        *self.faults_fired.entry(kind).or_default() += 1;
    }

    /// Starts again at zero; calls in flight stay so.
    pub(crate) fn reset(&mut self) {
        *self = Self { in_flight: self.in_flight, number: self.number, ..Self::default() };
    }
}
