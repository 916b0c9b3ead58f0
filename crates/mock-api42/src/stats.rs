//! What was asked of the mock: what tests judge a client by.

use crate::moment::{HOUR, SECOND};
use crate::params::Params;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts since the start or the last reset.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Stats {
    /// Calls to /v2.
    calls: u64,
    /// Calls to the token endpoint.
    token_calls: u64,
    by_status: BTreeMap<u16, u64>,
    by_path: BTreeMap<String, u64>,
    /// By path and names of the parameters, those of the page aside.
    by_question: BTreeMap<String, u64>,
    /// By `grant_type`; `info` for what a token tells about itself.
    token_calls_by_grant: BTreeMap<String, u64>,
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
    /// When the calls came, rising.
    #[serde(skip)]
    calls_at: Vec<i64>,
    /// Never reset: tells one call from the next.
    #[serde(skip)]
    number: u64,
}

impl Stats {
    /// A call to /v2 begins; gives its number.
    pub(crate) fn begin(&mut self, path: &str, params: &Params, now: i64) -> u64 {
        self.calls += 1;
        self.number += 1;
        *self.by_path.entry(path.to_owned()).or_default() += 1;
        *self.by_question.entry(format!("{path}?{}", params.question())).or_default() += 1;
        let place = self.calls_at.partition_point(|at| *at <= now);
        self.calls_at.insert(place, now);
        let within = |window| place + 1 - self.calls_at.partition_point(|at| *at <= now - window);
        let (second, hour) = (within(SECOND), within(HOUR));
        self.max_in_any_second = self.max_in_any_second.max(second);
        self.max_in_any_hour = self.max_in_any_hour.max(hour);
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

    pub(crate) fn token_call(&mut self, grant: &str) -> u64 {
        self.token_calls += 1;
        *self.token_calls_by_grant.entry(grant.to_owned()).or_default() += 1;
        self.number += 1;
        self.number
    }

    /// The most calls in any so many seconds.
    pub(crate) fn most_in(&self, seconds: i64) -> usize {
        let since = |at: i64| self.calls_at.partition_point(|other| *other <= at - seconds * SECOND);
        let counts = self.calls_at.iter().enumerate().map(|(number, at)| number + 1 - since(*at));
        counts.max().unwrap_or(0)
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
