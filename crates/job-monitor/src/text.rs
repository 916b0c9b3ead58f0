//! Durations, columns and colours, on a terminal and elsewhere.

use std::io::IsTerminal;

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// ANSI colours.
    Colours,
    /// Plain text.
    Plain,
}

impl Paint {
    /// Colours on a terminal, unless NO_COLOR is set.
    pub(crate) fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if wanted && std::io::stdout().is_terminal() { Self::Colours } else { Self::Plain }
    }

    /// A text in the colour of a status; a text that is padded already stays as wide as it is.
    pub(crate) fn status(self, status: &str, text: &str) -> String {
        let colour = match status.trim() {
            "running" => 36,
            "completed" => 32,
            "partial" | "cancelled" | "overdue" => 33,
            "failed" | "lost" => 31,
            _ => return text.to_owned(),
        };
        match self {
            Self::Colours => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// `45s`, `3m 35s`, `6h 48m`, `3d 4h`.
pub(crate) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {}m", minutes % 60),
        (days, hours, _) => format!("{days}d {}h", hours % 24),
    }
}

/// Cut or filled to a width, so that what follows stands in its column. Control characters are made visible first.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let text = tool::printable(text);
    let length = text.chars().count();
    if length <= width {
        return format!("{text}{}", " ".repeat(width - length));
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// `2026-11-24T02:00:07.123Z` → `2026-11-24 02:00:07`.
pub(crate) fn instant(rfc3339: &str) -> String {
    rfc3339.get(..19).unwrap_or(rfc3339).replace('T', " ")
}

/// `2026-11-24T02:00:07.123Z` → `11-24 02:00`.
pub(crate) fn minute(rfc3339: &str) -> String {
    rfc3339.get(5..16).unwrap_or(rfc3339).replace('T', " ")
}

/// One decimal, and never `100.0` for what is not done.
pub(crate) fn percent(percent: f64) -> String {
    let shown = if percent < 100.0 { percent.min(99.9) } else { percent };
    format!("{shown:.1}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_documented() {
        let shown = [-3, 0, 45, 215, 24_480, 273_600].map(duration);
        assert_eq!(shown, ["0s", "0s", "45s", "3m 35s", "6h 48m", "3d 4h"]);
    }

    #[test]
    fn columns_are_as_wide_as_they_say_whatever_is_in_them() {
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(fit("abcde", 4), "abc…");
        assert_eq!(fit("é\u{1b}[2J", 20).chars().count(), 20);
        assert!(!fit("\u{1b}[2J", 20).contains('\u{1b}'));
    }

    #[test]
    fn instants_are_cut_and_percents_never_lie() {
        assert_eq!(instant("2026-11-24T02:00:07.123Z"), "2026-11-24 02:00:07");
        assert_eq!(minute("2026-11-24T02:00:07.123Z"), "11-24 02:00");
        assert_eq!([53.494, 99.99, 100.0].map(percent), ["53.5%", "99.9%", "100.0%"]);
    }
}
