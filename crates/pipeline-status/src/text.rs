//! Durations, sizes, counts, instants.

use chrono::{DateTime, SecondsFormat, Utc};

/// `45s`, `3m 35s`, `6h 48m`, `3d 4h`.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
pub(crate) fn duration(seconds: f64) -> String {
    tool::duration(seconds as i64)
}

/// `45s`, `3m`, `6h 48m`, `3d 4h`: what differs by seconds reads the same.
pub(crate) fn about(seconds: f64) -> String {
    if (60.0..3600.0).contains(&seconds) {
        format!("{}m", (seconds / 60.0).floor())
    } else {
        duration(seconds)
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

/// `02:00:07Z`.
pub(crate) fn clock(at: DateTime<Utc>) -> String {
    at.format("%H:%M:%SZ").to_string()
}

/// `7`, `9999`, `12.3k`, `4.5M`: at most five columns up to a thousand million.
pub(crate) fn short(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let tenths = |unit: u64| count as f64 / unit as f64;
    match count {
        0..=9_999 => count.to_string(),
        10_000..=99_949 => format!("{:.1}k", tenths(1000)),
        99_950..=999_499 => format!("{:.0}k", tenths(1000)),
        _ => format!("{:.1}M", tenths(1_000_000)),
    }
}

/// `51 %`, `99.9 %`: what is not whole never reads as whole.
pub(crate) fn percent(percent: f64) -> String {
    let shown = if percent < 100.0 { percent.min(99.9) } else { percent };
    format!("{shown:.1} %")
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
        assert_eq!([45.0, 215.9, 3599.0, 24_480.0].map(about), ["45s", "3m", "59m", "6h 48m"]);
        assert_eq!(
            [0, 1023, 1024, 1_048_575, 1 << 40].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.0 TiB"]
        );
    }

    #[test]
    fn counts_are_short_and_a_percent_of_what_goes_on_is_below_a_hundred() {
        let shown = [0, 9_999, 10_000, 99_949, 99_950, 999_499, 999_500, 12_345_678].map(short);
        assert_eq!(shown, ["0", "9999", "10.0k", "99.9k", "100k", "999k", "1.0M", "12.3M"]);
        assert_eq!([0.0, 53.49, 99.99, 100.0].map(percent), ["0.0 %", "53.5 %", "99.9 %", "100.0 %"]);
    }
}
