//! Timestamps as the API writes them, as PostgreSQL counts them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// 2000-01-01 00:00 UTC, where PostgreSQL starts to count, in seconds of Unix time.
const EPOCH: i64 = 946_684_800;

/// Microseconds since PostgreSQL's epoch: RFC 3339 with any offset, `YYYY-MM-DD HH:MM:SS UTC`, PostgreSQL's own
/// `YYYY-MM-DD HH:MM:SS+00`, or a date, which is its midnight in UTC. None when it is nothing of these, or no such day.
pub(super) fn parse(text: &str) -> Option<i64> {
    if let Some(instant) = usual(text) {
        return Some(instant);
    }
    let instant = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc()).ok();
    let instant =
        instant.or_else(|| named_utc(text)).or_else(|| short_offset(text)).or_else(|| date(text))?;
    // Years that both PostgreSQL and people can read.
    let in_range = (1..=9999).contains(&instant.year());
    instant.timestamp_micros().checked_sub(EPOCH * 1_000_000).filter(|_| in_range)
}

/// `2025-12-13T02:35:13.137Z`, as the API writes all but two of its keys: chrono's own parsing takes several times as long.
fn usual(text: &str) -> Option<i64> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let is_usual = bytes.iter().zip(b"0000-00-00T00:00:00.000Z").all(|(byte, like)| match like {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    });
    if !is_usual {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let year = i32::try_from(number(0, 4)).ok().filter(|year| *year > 0)?;
    let date = NaiveDate::from_ymd_opt(year, number(5, 7), number(8, 10))?;
    let time = date.and_hms_milli_opt(number(11, 13), number(14, 16), number(17, 19), number(20, 23))?;
    Some((time.and_utc().timestamp_millis() - EPOCH * 1000) * 1000)
}

fn named_utc(text: &str) -> Option<DateTime<Utc>> {
    let local = text.strip_suffix(" UTC")?;
    NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S%.f").ok().map(|local| local.and_utc())
}

fn short_offset(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").ok().map(|instant| instant.to_utc())
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    // chrono would take `2025-1-1` and `+12025-01-01` as well.
    let plain = text.len() == 10 && text.as_bytes()[0].is_ascii_digit();
    let date = plain.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()?;
    Some(date.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_spelling_of_one_instant_is_that_instant() {
        for text in [
            "2000-01-02T00:00:00Z",
            "2000-01-02T00:00:00.000Z",
            "2000-01-02T01:00:00.000+01:00",
            "2000-01-01T13:30:00-10:30",
            "2000-01-02 00:00:00 UTC",
            "2000-01-02 00:00:00+00",
            "2000-01-02 05:30:00+05:30",
            "2000-01-02",
        ] {
            assert_eq!(parse(text), Some(86_400_000_000), "{text}");
        }
        assert_eq!(parse("2000-01-01T00:00:00.123456Z"), Some(123_456));
        assert_eq!(parse("1999-12-31T23:59:59.5Z"), Some(-500_000));
        assert_eq!(parse("1999-12-31T23:59:59.500Z"), Some(-500_000));
        assert_eq!(parse("2016-12-31T23:59:60.000Z"), parse("2016-12-31T23:59:60Z"), "a leap second");
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "soon",
            "2025-02-30",
            "2025-13-01T00:00:00Z",
            "2025-01-01T25:00:00Z",
            "2025-01-01T00:00:00",
            "2025-1-1",
            "infinity",
            "-9999-01-01 00:00:00 UTC",
            "+12025-01-01T00:00:00Z",
            "0000-01-01T00:00:00.000Z",
            "2025-02-30T00:00:00.000Z",
            "2025-01-01T24:00:00.000Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
