//! How well something is: by counts, which are compared as integers, before anything is rounded.

use catalog::Severity;
use serde::Serialize;

/// How well a check, or the whole, is. The order is that of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Healthy,
    Degraded,
    /// Not measured, not just now, or not to the end.
    Unknown,
    Critical,
}

/// Whether a share of the whole says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Of many rows, so many per cent.
    Share,
    /// Of a handful of jobs and tables each counts by itself.
    Each,
}

impl Level {
    pub(crate) const ALL: [Self; 4] = [Self::Healthy, Self::Degraded, Self::Unknown, Self::Critical];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// How a check is of whose `total` rows `bad` are inconsistent, the worst of them so badly. Of nothing there is no level.
    pub(crate) fn of_check(total: i64, bad: i64, worst: Severity, weight: Weight) -> Option<Self> {
        let more_than = |per_cent| weight == Weight::Share && is_more_than(bad, per_cent, total);
        let is_bad = bad > 0;
        match () {
            () if total == 0 => None,
            () if is_bad && worst == Severity::Critical || more_than(5) => Some(Self::Critical),
            () if is_bad && worst == Severity::Error || more_than(1) => Some(Self::Degraded),
            () if is_bad && weight == Weight::Each => Some(Self::Degraded),
            () => Some(Self::Healthy),
        }
    }

    /// How the whole would be by the share of consistent rows alone: healthy from 99 %, degraded from 95 %.
    pub(crate) fn of_ratio(total: i64, bad: i64) -> Self {
        Self::of_check(total, bad, Severity::Warning, Weight::Share).unwrap_or(Self::Unknown)
    }
}

/// Whether a part is more than so many per cent of the whole.
pub(crate) fn is_more_than(part: i64, per_cent: i64, whole: i64) -> bool {
    i128::from(part) * 100 > i128::from(whole) * i128::from(per_cent)
}

/// Per cent of the rows that are consistent, two decimals; never 100 while one is not. Null when nothing was compared.
#[expect(clippy::cast_precision_loss, reason = "two decimals of a percentage")]
pub(crate) fn rate(total: i64, bad: i64) -> Option<f64> {
    let rate = (total - bad) as f64 / total as f64 * 100.0;
    let rounded = (rate * 100.0).round() / 100.0;
    (total > 0).then_some(if bad > 0 { rounded.min(99.99) } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(total: i64, bad: i64, severity: Severity, expected: Option<Level>) {
        assert_eq!(
            Level::of_check(total, bad, severity, Weight::Share),
            expected,
            "{bad} of {total} {severity:?}"
        );
    }

    #[test]
    fn limits_belong_to_the_better_side_and_nothing_is_rounded_before() {
        use Severity::{Critical, Error, Warning};
        check(100, 1, Warning, Some(Level::Healthy));
        check(100_000, 1004, Warning, Some(Level::Degraded));
        assert_eq!(rate(100_000, 1004), Some(99.0), "98.996 % reads as 99.0 and is not healthy");
        check(100, 5, Warning, Some(Level::Degraded));
        check(100, 6, Warning, Some(Level::Critical));
        check(1, 1, Warning, Some(Level::Critical));
        check(0, 0, Critical, None);
        check(1_000_000, 1, Warning, Some(Level::Healthy));
        check(1_000_000, 1, Error, Some(Level::Degraded));
        check(1_000_000, 1, Critical, Some(Level::Critical));
        check(1_000_000, 0, Critical, Some(Level::Healthy));
        check(i64::MAX, i64::MAX / 2, Warning, Some(Level::Critical));
    }

    #[test]
    fn of_a_handful_each_counts_by_itself() {
        let of = |bad, severity| Level::of_check(4, bad, severity, Weight::Each);
        assert_eq!(of(0, Severity::Warning), Some(Level::Healthy));
        assert_eq!(of(1, Severity::Warning), Some(Level::Degraded));
        assert_eq!(of(1, Severity::Critical), Some(Level::Critical));
    }

    #[test]
    fn the_rate_is_never_100_while_one_row_is_inconsistent() {
        assert_eq!(rate(150, 2), Some(98.67), "the documented example");
        assert_eq!(rate(10_000_000, 1), Some(99.99));
        assert_eq!(rate(3, 0), Some(100.0));
        assert_eq!(rate(0, 0), None);
        assert_eq!(rate(1, 1), Some(0.0));
    }

    #[test]
    fn the_worst_is_the_whole() {
        assert!(Level::Critical > Level::Unknown && Level::Unknown > Level::Degraded);
        assert_eq!(Level::of_ratio(100, 1), Level::Healthy);
        assert_eq!(Level::of_ratio(0, 0), Level::Unknown);
    }
}
