//! A load's time over the floor's of the same round. There is no other ratio.

use crate::contender::{FLOOR, Phase};
use crate::run::{Cost, Run};
use anyhow::{Context, Result};
use std::fmt;
use verdict::{Judge, Verdict};

/// Several measures of the same thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<_> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }

    pub(crate) fn median(&self) -> Option<f64> {
        let upper = *self.0.get(self.0.len() / 2)?;
        let lower = self.0[(self.0.len() - 1) / 2];
        Some(f64::midpoint(lower, upper))
    }

    pub(crate) fn most(&self) -> Option<f64> {
        self.0.last().copied()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.median(), self.0.as_slice()) {
            (Some(median), [least, .., most]) => write!(formatter, "**{median:.2}** ({least:.2}–{most:.2})"),
            (Some(median), _) => write!(formatter, "**{median:.2}** (once)"),
            (None, _) => formatter.write_str("–"),
        }
    }
}

/// The ratios of a contender's loads in one phase, of runs of one workload.
///
/// # Errors
/// [`Verdict::Refused`] when a load has no floor of its own round, or more than one.
pub(crate) fn of(runs: &[&Run], contender: &str, phase: Phase) -> Result<Spread> {
    let mut ratios = Vec::new();
    for (run, cost) in loads(runs, contender, phase) {
        ratios.push(cost.seconds / floor(runs, run)?.seconds);
    }
    Ok(Spread::of(ratios))
}

/// The loads of a contender in one phase.
pub(crate) fn loads<'r>(
    runs: &[&'r Run],
    contender: &str,
    phase: Phase,
) -> impl Iterator<Item = (&'r Run, &'r Cost)> {
    let runs = runs.iter().filter(move |run| run.contender == contender && run.phase == phase);
    runs.filter_map(|run| Some((*run, run.cost()?)))
}

fn floor<'r>(runs: &[&'r Run], run: &Run) -> Result<&'r Cost> {
    let place = |run: &Run| (run.session.clone(), run.workload.clone(), run.rows, run.round);
    let mut floors = loads(runs, FLOOR, Phase::Init).filter(|(floor, _)| place(floor) == place(run));
    let first = floors.next().filter(|_| floors.next().is_none());
    let sentence = || {
        format!(
            "{} {:?} of {} in round {} of {}: not one floor of the same round; there is no ratio of different rounds",
            run.contender, run.phase, run.workload, run.round, run.session
        )
    };
    first.map(|(_, cost)| cost).with_context(sentence).verdict(Verdict::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::OURS;
    use crate::run::Outcome;

    fn run(contender: &str, round: u32, seconds: f64) -> Run {
        let (processor_seconds, resident_bytes, log_bytes, rows_written, rows_wrong) = (0.0, 0, 0, 0, 0);
        Run {
            session: "now".to_owned(),
            machine: String::new(),
            workload: "users".to_owned(),
            rows: 1,
            round,
            contender: contender.to_owned(),
            phase: Phase::Init,
            outcome: Outcome::Loaded(Cost {
                seconds,
                processor_seconds,
                resident_bytes,
                log_bytes,
                rows_written,
                rows_wrong,
                load_average: 0.0,
            }),
        }
    }

    fn check(runs: &[Run]) -> Result<Spread> {
        of(&runs.iter().collect::<Vec<_>>(), OURS, Phase::Init)
    }

    #[test]
    fn a_load_is_divided_by_the_floor_of_its_own_round() {
        let runs = [run(FLOOR, 1, 2.0), run(OURS, 1, 1.0), run(OURS, 2, 9.0), run(FLOOR, 2, 3.0)];
        assert_eq!(check(&runs).unwrap(), Spread::of([0.5, 3.0]));
    }

    #[test]
    fn there_is_no_ratio_of_different_rounds() {
        let mut foreign = run(FLOOR, 1, 1.0);
        foreign.session = "yesterday".to_owned();
        for runs in [
            vec![run(OURS, 1, 1.0)],
            vec![run(OURS, 1, 1.0), run(FLOOR, 2, 1.0)],
            vec![run(OURS, 1, 1.0), foreign],
            vec![run(OURS, 1, 1.0), run(FLOOR, 1, 1.0), run(FLOOR, 1, 2.0)],
        ] {
            let error = check(&runs).unwrap_err();
            assert_eq!(Verdict::of(&error), Verdict::Refused);
            assert!(error.to_string().contains("round 1"), "{error}");
        }
    }

    #[test]
    fn the_median_stands_between_the_ends() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).to_string(), "**2.00** (1.00–3.00)");
        assert_eq!(Spread::of([1.0, 2.0]).median(), Some(1.5));
        assert_eq!(Spread::of([1.0]).to_string(), "**1.00** (once)");
        assert_eq!(Spread::of([]).to_string(), "–");
    }
}
