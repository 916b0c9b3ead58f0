//! Durations, sizes, columns and colours.

use crate::alerts::Level;
use chrono::{DateTime, SecondsFormat, Utc};
use std::io::{IsTerminal, Write};
use tool::{Judge, Verdict};

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Colours,
    Plain,
}

impl Paint {
    /// Colours on a terminal, unless NO_COLOR is set.
    pub(crate) fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if wanted && std::io::stdout().is_terminal() { Self::Colours } else { Self::Plain }
    }

    /// A text in the colour of a level; one that is padded already stays as wide as it is.
    pub(crate) fn level(self, level: Level, text: &str) -> String {
        let colour = match level {
            Level::Ok => 32,
            Level::Warning => 33,
            Level::Unknown => 35,
            Level::Critical => 31,
        };
        match self {
            Self::Colours => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// `45s`, `3m 35s`, `6h 48m`, `3d 4h`.
pub(crate) fn duration(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
    let seconds = seconds.max(0.0) as i64;
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {}m", minutes % 60),
        (days, hours, _) => format!("{days}d {}h", hours % 24),
    }
}

/// `512 B`, `1.5 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut size = bytes as f64;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if size < 1023.95 {
            break;
        }
        (size, unit) = (size / 1024.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{size:.1} {unit}") }
}

/// `2026-11-24T02:00:07Z`.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Cut or filled to a width. Control characters are made visible first.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let text = tool::printable(text);
    let length = text.chars().count();
    if length <= width {
        return format!("{text}{}", " ".repeat(width - length));
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// The same, to the right.
pub(crate) fn right(text: &str, width: usize) -> String {
    format!("{:>width$}", fit(text, width).trim_end())
}

/// Writes what is data, whole.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    use anyhow::Context;
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.context("standard output").verdict(Verdict::Io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_short() {
        assert_eq!(
            [-3.0, 45.9, 215.0, 24_480.0, 273_600.0].map(duration),
            ["0s", "45s", "3m 35s", "6h 48m", "3d 4h"]
        );
        assert_eq!(
            [0, 1023, 1024, 1_048_575, 1 << 40].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.0 TiB"]
        );
    }

    #[test]
    fn columns_are_as_wide_as_they_say_whatever_is_in_them() {
        assert_eq!(
            (fit("ab", 4), fit("abcde", 4), right("ab", 4)),
            ("ab  ".into(), "abc…".into(), "  ab".into())
        );
        assert!(!fit("\u{1b}[2J", 20).contains('\u{1b}'));
    }
}
