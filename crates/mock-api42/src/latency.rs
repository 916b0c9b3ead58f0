//! How long the API takes: nothing, a fixed time, or what was measured in December 2025 (API42.md, section 6).

use crate::chance::Chance;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The time before an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Latency {
    Off,
    /// As measured.
    Real,
    /// Milliseconds.
    Fixed(u64),
}

/// Pieces of a path, and the median and 90th percentile of its calls in milliseconds. The first that fits counts.
const MEASURED: [(&str, f64, f64); 7] = [
    ("/v2/coalitions/", 1_300.0, 2_000.0),
    ("/v2/coalitions", 8_100.0, 20_000.0),
    ("/achievements", 690.0, 970.0),
    ("/projects_users", 1_500.0, 3_000.0),
    ("/projects", 10_000.0, 14_000.0),
    ("/users", 2_800.0, 4_300.0),
    ("/v2/", 300.0, 730.0),
];

impl Latency {
    /// The wait of a call; `number` tells one call from the next.
    pub(crate) fn of(self, seed: u64, path: &str, number: u64) -> Duration {
        match self {
            Self::Off => Duration::ZERO,
            Self::Fixed(milliseconds) => Duration::from_millis(milliseconds),
            Self::Real => {
                let measured = MEASURED.iter().find(|(piece, ..)| path.contains(piece));
                let (median, high) = measured.map_or((110.0, 300.0), |(_, median, high)| (*median, *high));
                let mut chance = Chance::of(seed, "latency", number);
                let quantiles = [(0.0, median * 0.7), (0.5, median), (0.9, high), (1.0, high * 1.6)];
                Duration::from_millis(chance.along(&quantiles) as u64)
            }
        }
    }
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "real" => Ok(Self::Real),
            _ => text
                .parse()
                .map(Self::Fixed)
                .map_err(|_| "neither off, nor real, nor milliseconds".to_owned()),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("off"),
            Self::Real => formatter.write_str("real"),
            Self::Fixed(milliseconds) => write!(formatter, "{milliseconds}"),
        }
    }
}

impl TryFrom<String> for Latency {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Latency> for String {
    fn from(latency: Latency) -> Self {
        latency.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Latency;

    #[test]
    fn real_waits_scatter_around_the_measured_median() {
        let mut waits: Vec<u128> = (0..1_000)
            .map(|number| Latency::Real.of(42, "/v2/cursus/21/users", number).as_millis())
            .collect();
        waits.sort_unstable();
        assert!((2_600..3_000).contains(&waits[500]), "{}", waits[500]);
        assert!(waits[0] >= 1_900 && waits[999] < 7_000);
    }

    #[test]
    fn words_and_milliseconds_are_read() {
        assert_eq!("real".parse(), Ok(Latency::Real));
        assert_eq!("250".parse(), Ok(Latency::Fixed(250)));
        assert!("soon".parse::<Latency>().is_err());
    }
}
