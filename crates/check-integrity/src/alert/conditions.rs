//! When an alert is due: what two runs in a row saw, for as long as it has to last; over when two did not.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Runs in a row that have to agree that it is over.
const RUNS: u32 = 2;

/// What is alerted about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    /// The checks could not be done, were not done, or compared nothing.
    CheckFailing,
    /// The mirror is critical.
    Critical,
    /// Fewer than 95 % of the rows are consistent.
    RateLow,
    /// More than ten rows are inconsistent.
    ManyInconsistent,
}

/// What a look saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) now: DateTime<Utc>,
    /// Tells a run from others: the same one again is no news.
    pub(crate) evidence: String,
    pub(crate) failing: bool,
    pub(crate) critical: bool,
    pub(crate) rate_low: bool,
    /// By what the run before saw too.
    pub(crate) many_inconsistent: bool,
}

/// How a condition stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Since when it holds.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Since when it is alerted.
    pub(crate) raised: Option<DateTime<Utc>>,
    evidence: String,
    /// Runs in a row that saw it.
    seen: u32,
    /// Runs in a row that did not.
    missed: u32,
}

/// A change that somebody should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) condition: Condition,
    pub(crate) event: Event,
    /// Since when it holds, or held.
    pub(crate) since: DateTime<Utc>,
}

/// Which way it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Event {
    Raised,
    Recovered,
}

impl Condition {
    const ALL: [Self; 4] = [Self::CheckFailing, Self::Critical, Self::RateLow, Self::ManyInconsistent];

    /// How long it has to last.
    const fn hold(self) -> TimeDelta {
        match self {
            Self::CheckFailing | Self::ManyInconsistent => TimeDelta::zero(),
            Self::RateLow => TimeDelta::minutes(15),
            Self::Critical => TimeDelta::minutes(30),
        }
    }

    /// Runs in a row that have to see it.
    const fn runs(self) -> u32 {
        match self {
            // Only rows count that two runs have seen.
            Self::ManyInconsistent => 1,
            Self::CheckFailing | Self::Critical | Self::RateLow => 2,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CheckFailing => "check_failing",
            Self::Critical => "critical",
            Self::RateLow => "rate_low",
            Self::ManyInconsistent => "many_inconsistent",
        }
    }

    /// Whether it holds; none when that cannot be told, because the check itself fails.
    const fn holds(self, seen: &Seen) -> Option<bool> {
        match self {
            Self::CheckFailing => Some(seen.failing),
            _ if seen.failing => None,
            Self::Critical => Some(seen.critical),
            Self::RateLow => Some(seen.rate_low),
            Self::ManyInconsistent => Some(seen.many_inconsistent),
        }
    }
}

/// Takes a look into account; gives what changed by it.
pub(crate) fn take(states: &mut BTreeMap<Condition, State>, seen: &Seen) -> Vec<Transition> {
    let mut transitions = Vec::new();
    for condition in Condition::ALL {
        let state = states.entry(condition).or_default();
        let Some(holds) = condition.holds(seen) else { continue };
        let change = state.take(holds, seen, condition);
        transitions.extend(change.map(|(event, since)| Transition { condition, event, since }));
    }
    transitions
}

impl State {
    fn take(&mut self, holds: bool, seen: &Seen, condition: Condition) -> Option<(Event, DateTime<Utc>)> {
        if self.evidence == seen.evidence {
            return None;
        }
        self.evidence.clone_from(&seen.evidence);
        if holds {
            let since = *self.since.get_or_insert(seen.now);
            (self.seen, self.missed) = (self.seen.saturating_add(1), 0);
            let lasts = self.seen >= condition.runs() && seen.now - since >= condition.hold();
            let is_due = self.raised.is_none() && lasts;
            return is_due.then(|| {
                self.raised = Some(seen.now);
                (Event::Raised, since)
            });
        }
        (self.seen, self.missed) = (0, self.missed.saturating_add(1));
        if self.raised.is_none() {
            self.since = None;
            return None;
        }
        let since = self.since.filter(|_| self.missed >= RUNS)?;
        (self.since, self.raised) = (None, None);
        Some((Event::Recovered, since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look every five minutes, with what holds in it: `f`ailing, `c`ritical, `r`ate low, `m`any, or a dot.
    fn events(looks: &[&str]) -> Vec<String> {
        let mut states = BTreeMap::new();
        let mut events = Vec::new();
        for (nth, look) in looks.iter().enumerate() {
            let minutes = TimeDelta::minutes(5 * i64::try_from(nth).unwrap());
            let seen = Seen {
                now: DateTime::<Utc>::UNIX_EPOCH + minutes,
                evidence: nth.to_string(),
                failing: look.contains('f'),
                critical: look.contains('c'),
                rate_low: look.contains('r'),
                many_inconsistent: look.contains('m'),
            };
            for Transition { condition, event, .. } in take(&mut states, &seen) {
                events.push(format!("{nth} {event:?} {}", condition.name()));
            }
            assert_eq!(take(&mut states, &seen), [], "the same run again is no news");
        }
        events
    }

    #[test]
    fn one_run_is_no_alert_and_two_are() {
        assert_eq!(events(&["f", ".", "f", "."]), Vec::<String>::new());
        assert_eq!(events(&["f", "f", "f"]), ["1 Raised check_failing"]);
        assert_eq!(events(&["m", "m"]), ["0 Raised many_inconsistent"], "two have seen it already");
    }

    #[test]
    fn a_rate_that_is_low_has_to_last_a_quarter_of_an_hour_and_a_crisis_half_of_one() {
        assert_eq!(events(&["r", "r", "r", "r", "r"]), ["3 Raised rate_low"]);
        assert_eq!(events(&["c"; 8]), ["6 Raised critical"]);
        assert_eq!(events(&["r", "r", "r", ".", "r", "r", "r"]), Vec::<String>::new());
    }

    #[test]
    fn it_is_over_when_two_runs_did_not_see_it_and_may_come_again() {
        let all = events(&["m", ".", "m", ".", ".", ".", "m"]);
        assert_eq!(
            all,
            ["0 Raised many_inconsistent", "4 Recovered many_inconsistent", "6 Raised many_inconsistent"]
        );
    }

    #[test]
    fn nothing_recovers_while_the_check_fails() {
        let all = events(&["m", "f", "f", "f", ".", "."]);
        let expected = [
            "0 Raised many_inconsistent",
            "2 Raised check_failing",
            "5 Recovered check_failing",
            "5 Recovered many_inconsistent",
        ];
        assert_eq!(all, expected);
    }
}
