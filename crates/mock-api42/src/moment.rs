//! Instants as the API writes them: milliseconds since 1970, UTC, always three digits of fraction.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The instant at which the invented past ends: 2025-12-13T00:00:00Z. Fixed, so that a seed means the same world
/// tomorrow; whatever moves afterwards carries the time of the clock.
pub(crate) const END_OF_PAST: i64 = 1_765_584_000 * SECOND;

/// The mock's clock: the system's, except that it never goes back and never stands before the invented past.
#[derive(Debug)]
pub(crate) struct Clock {
    last: AtomicI64,
}

impl Clock {
    pub(crate) const fn new() -> Self {
        Self { last: AtomicI64::new(END_OF_PAST) }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let system = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        self.last.fetch_max(system, Ordering::Relaxed).max(system)
    }
}

/// `2025-12-13T02:35:13.137Z`.
pub(crate) fn utc(moment: i64) -> String {
    let (year, month, day) = civil(moment.div_euclid(DAY));
    let rest = moment.rem_euclid(DAY);
    let (hour, minute, second) = (rest / HOUR, rest / 60_000 % 60, rest / SECOND % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % SECOND)
}

/// `2028-12-12T00:00:00.000+01:00`: midnight of a day (since 1970) at a place so many minutes east of Greenwich.
///
/// Summer time is April to October where it is kept: the days on which it really changes do not matter here.
pub(crate) fn midnight(day: i64, minutes_east: i32, summer_time: bool) -> String {
    let (year, month, of_month) = civil(day);
    let summer = if summer_time && (4..=10).contains(&month) { 60 } else { 0 };
    let offset = minutes_east + summer;
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    format!("{year:04}-{month:02}-{of_month:02}T00:00:00.000{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Days since 1970 of a date.
pub(crate) fn day_of(year: i32, month: u32, day: u32) -> i64 {
    let date = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    i64::from(date.to_epoch_days())
}

/// Reads what the API takes as a date: ISO 8601 with or without fraction, or a bare date, which is its midnight.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_millis());
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(i64::from(date.to_epoch_days()) * DAY);
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let moment = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(moment.and_utc().timestamp_millis())
}

/// `Sat, 13 Dec 2025 02:35:13 GMT`, for the Date header.
pub(crate) fn http_date(moment: i64) -> String {
    DateTime::from_timestamp_millis(moment)
        .unwrap_or_default()
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// Year, month and day of a day since 1970. Howard Hinnant's `civil_from_days`: chrono is slower by far, and every row
/// writes up to eight instants.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::{DAY, END_OF_PAST, day_of, midnight, parse, utc};

    #[test]
    fn instants_read_as_they_were_written() {
        for text in ["2025-12-13T02:35:13.137Z", "2024-02-29T23:59:59.999Z", "1970-01-01T00:00:00.000Z"] {
            assert_eq!(parse(text).map(utc).as_deref(), Some(text));
        }
        assert_eq!(utc(END_OF_PAST), "2025-12-13T00:00:00.000Z");
    }

    #[test]
    fn dates_come_in_several_shapes() {
        let midnight = Some(day_of(2026, 7, 18) * DAY);
        for text in
            ["2026-07-18", "2026-07-18T00:00:00Z", "2026-07-18T02:00:00.000+02:00", "2026-07-18 00:00:00"]
        {
            assert_eq!(parse(text), midnight, "{text}");
        }
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn erasure_is_at_local_midnight() {
        assert_eq!(midnight(day_of(2028, 12, 12), 60, true), "2028-12-12T00:00:00.000+01:00");
        assert_eq!(midnight(day_of(2028, 7, 1), 60, true), "2028-07-01T00:00:00.000+02:00");
        assert_eq!(midnight(day_of(2028, 7, 1), -210, false), "2028-07-01T00:00:00.000-03:30");
    }
}
