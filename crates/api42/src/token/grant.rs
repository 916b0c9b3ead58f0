//! The answer of the token endpoint.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};

/// The longest life of a token, in seconds, as documented.
const LIFETIME: i64 = 7200;

/// A token is renewed this many seconds before it ends.
pub(crate) const RENEW_AHEAD: i64 = 30;

/// The secret of the application ends too, about monthly; from this many days before on, everybody is told.
const WARN_DAYS: i64 = 10;

/// The answer, as far as it matters.
#[derive(Deserialize)]
pub(super) struct Grant {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) expires_in: Option<i64>,
    pub(super) created_at: Option<i64>,
    pub(super) scope: Option<String>,
    /// Seconds since 1970. Absent: nothing was said; `Some(None)`: it has no end.
    #[serde(default, deserialize_with = "said")]
    pub(super) secret_valid_until: Option<Option<i64>>,
}

fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Grant {
    /// Reads an answer. Says nothing about its text: it may hold a token.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let grant: Self =
            serde_json::from_slice(body).map_err(|_| "not the answer of a token endpoint".to_owned())?;
        // What goes into a header must be visible ASCII.
        let printable =
            !grant.access_token.is_empty() && grant.access_token.bytes().all(|byte| byte.is_ascii_graphic());
        if printable { Ok(grant) } else { Err("a token that is no token".to_owned()) }
    }

    /// How many seconds the token lasts: until the earlier of the two ends that its answer gives. `date` is the API's
    /// own clock, so a wrong clock here does no harm.
    pub(super) fn seconds_left(&self, date: DateTime<Utc>) -> i64 {
        let by_answer = self.expires_in.unwrap_or(LIFETIME);
        let age = self.created_at.map_or(0, |created| date.timestamp().saturating_sub(created));
        by_answer.min(LIFETIME - age.clamp(0, LIFETIME)).clamp(1, LIFETIME)
    }
}

/// How many of a token's seconds it may be used: until [`RENEW_AHEAD`] before its end.
///
/// The API hands a token out again while it lasts. One that is already within its last half minute is used to its
/// end, or every call of that half minute would ask for another.
pub(super) const fn usable(seconds: i64) -> i64 {
    if seconds > RENEW_AHEAD { seconds - RENEW_AHEAD } else { seconds }
}

/// What to say about the end of the application's secret; nothing while it is more than ten days away.
pub(super) fn secret_warning(end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<String> {
    let end = end?;
    let left = end - now;
    let way_out = "renew it on its page of the intra and put it into .env as CLIENT_SECRET_NEXT";
    if left <= TimeDelta::zero() {
        return Some(format!("the secret of the application ended on {}; {way_out}", end.format("%Y-%m-%d")));
    }
    let (day, days) = (end.format("%Y-%m-%d %H:%M UTC"), left.num_days());
    (left < TimeDelta::days(WARN_DAYS))
        .then(|| format!("the secret of the application ends on {day} ({days} days); {way_out}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expires_in: Option<i64>, created_at: Option<i64>, seconds: i64) {
        let mut grant = Grant::read(br#"{"access_token":"t"}"#).unwrap();
        (grant.expires_in, grant.created_at) = (expires_in, created_at);
        let date = DateTime::from_timestamp(100_000, 0).unwrap();
        assert_eq!(usable(grant.seconds_left(date)), seconds, "{expires_in:?} {created_at:?}");
    }

    #[test]
    fn a_token_ends_at_the_earlier_of_its_two_ends_less_half_a_minute() {
        check(Some(7200), Some(100_000), 7170);
        check(Some(7168), Some(99_968), 7138);
        check(Some(7200), Some(96_400), 3570);
        check(Some(600), None, 570);
        check(None, Some(99_900), 7070);
        check(None, None, 7170);
        check(Some(1_000_000), Some(100_000), 7170);
    }

    #[test]
    fn a_clock_that_is_wrong_does_not_lengthen_it() {
        check(Some(7200), Some(900_000), 7170);
        check(Some(7200), Some(0), 1);
        check(Some(i64::MAX), Some(i64::MIN), 1);
    }

    #[test]
    fn a_token_handed_out_again_in_its_last_moments_is_used_to_its_end() {
        check(Some(30), None, 30);
        check(Some(12), Some(92_812), 12);
        check(Some(0), None, 1);
        check(Some(-5), None, 1);
    }

    #[test]
    fn a_secret_that_ends_within_ten_days_is_mentioned() {
        let now = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        let after = |days: i64| secret_warning(Some(now + TimeDelta::days(days)), now);
        assert!(after(11).is_none() && after(10).is_none() && secret_warning(None, now).is_none());
        assert!(after(9).unwrap().contains("2001-09-18 01:46 UTC (9 days)"));
        assert!(after(0).unwrap().contains("ended on 2001-09-09"));
    }

    #[test]
    fn an_end_of_the_secret_that_is_null_is_not_one_that_is_absent() {
        let read = |text: &str| Grant::read(text.as_bytes()).unwrap().secret_valid_until;
        assert_eq!(read(r#"{"access_token":"t"}"#), None);
        assert_eq!(read(r#"{"access_token":"t","secret_valid_until":null}"#), Some(None));
        assert_eq!(read(r#"{"access_token":"t","secret_valid_until":7}"#), Some(Some(7)));
    }

    #[test]
    fn an_answer_without_a_usable_token_is_refused_without_quoting_it() {
        for body in ["{}", "[]", r#"{"access_token":""}"#, r#"{"access_token":"MARK\r\nX: y"}"#, "MARK"] {
            let message = Grant::read(body.as_bytes()).err().unwrap();
            assert!(!message.contains("MARK"), "{message}");
        }
    }
}
