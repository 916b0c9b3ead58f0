//! What the headers of an answer say besides its content.

use chrono::{DateTime, Utc};
use std::time::Duration;
use ureq::http::HeaderMap;

/// The headers that steer the client. Each may be absent; one that cannot be read counts as absent.
///
/// `X-Secondly-RateLimit-Remaining` is not among them: it was seen to read the full limit on an answer that had
/// itself used one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    pub(crate) per_second: Option<u32>,
    pub(crate) per_hour: Option<u32>,
    /// Calls left in the hour.
    pub(crate) remaining: Option<u32>,
    pub(crate) retry_after: Option<Duration>,
    /// Number of records of the list, not of its pages.
    pub(crate) total: Option<u64>,
    pub(crate) per_page: Option<u32>,
    /// The API's own clock.
    pub(crate) date: Option<DateTime<Utc>>,
    pub(crate) content_type: Option<String>,
    /// Whether `WWW-Authenticate` is there: a refusal by the API itself and not by something in front of it.
    pub(crate) challenged: bool,
}

impl Hints {
    /// Reads the headers of an answer that arrived at `now`.
    pub(crate) fn read(headers: &HeaderMap, now: DateTime<Utc>) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let number = |name: &str| text(name).and_then(|text| text.parse::<u32>().ok());
        let date = text("date").and_then(http_date);
        Self {
            per_second: number("x-secondly-ratelimit-limit"),
            per_hour: number("x-hourly-ratelimit-limit"),
            remaining: number("x-hourly-ratelimit-remaining"),
            retry_after: text("retry-after").and_then(|text| retry_after(text, date.unwrap_or(now))),
            total: text("x-total").and_then(|text| text.parse().ok()),
            per_page: number("x-per-page"),
            date,
            content_type: text("content-type").map(str::to_ascii_lowercase),
            challenged: headers.contains_key("www-authenticate"),
        }
    }

    /// Whether the body may be JSON: it says so, or says nothing.
    pub(crate) fn may_be_json(&self) -> bool {
        self.content_type.as_ref().is_none_or(|kind| kind.contains("json"))
    }
}

/// Reads `Retry-After`: seconds, or an HTTP date. Zero and the past are no hint.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (http_date(text)? - now).to_std().ok()?,
    };
    Some(pause).filter(|pause| !pause.is_zero())
}

/// Reads the date of RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::{HeaderName, HeaderValue};

    fn read(headers: &[(&'static str, &'static str)]) -> Hints {
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Hints::read(&pairs.collect(), DateTime::UNIX_EPOCH)
    }

    fn check_retry_after(text: &str, seconds: Option<u64>) {
        let now = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_zero_is_no_hint() {
        check_retry_after("7", Some(7));
        check_retry_after("0", None);
        check_retry_after("-3", None);
        check_retry_after("1.5", None);
        check_retry_after("soon", None);
        check_retry_after("99999999999999999999999", None);
        check_retry_after("Sun, 06 Nov 1994 08:50:07 GMT", Some(30));
        check_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", None);
        check_retry_after("Sat, 05 Nov 1994 08:49:37 GMT", None);
    }

    #[test]
    fn a_date_is_measured_by_the_clock_of_the_api() {
        let hints = read(&[
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"),
        ]);
        assert_eq!(hints.retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn what_is_absent_or_unreadable_is_none() {
        let hints = read(&[("x-total", "many"), ("x-hourly-ratelimit-limit", "-1"), ("date", "today")]);
        assert!(hints.total.is_none() && hints.per_hour.is_none() && hints.date.is_none());
        assert!(hints.may_be_json() && !hints.challenged);
    }

    #[test]
    fn the_type_of_the_body_decides_whether_it_is_parsed() {
        assert!(read(&[("content-type", "application/json; charset=utf-8")]).may_be_json());
        assert!(!read(&[("content-type", "text/html")]).may_be_json());
        assert!(!read(&[("content-type", "text/plain")]).may_be_json());
    }
}
