//! Durations, columns and colours, on a terminal and elsewhere.

use tool::Paint;

/// A text in the colour of a status; a text that is padded already stays as wide as it is.
pub(crate) fn painted(paint: Paint, status: &str, text: &str) -> String {
    let colour = match status.trim() {
        "running" => 36,
        "completed" => 32,
        "partial" | "cancelled" | "overdue" => 33,
        "failed" | "lost" => 31,
        _ => return text.to_owned(),
    };
    match paint {
        Paint::Colours => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
        Paint::Plain => text.to_owned(),
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
