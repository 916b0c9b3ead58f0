//! What a query says.

use crate::refusal::Refusal;
use axum::http::{StatusCode, Uri};
use journal::read::Filter;

/// The statuses that a run can have.
const STATUSES: [&str; 6] = ["running", "completed", "partial", "failed", "cancelled", "lost"];

/// Which runs of the history. Names that are not known are not looked at, and the first of two counts.
pub(crate) fn filter(uri: &Uri) -> Result<Filter, Refusal> {
    let limit = value(uri, "limit").unwrap_or_else(|| "20".to_owned());
    let limit = limit.parse().ok().filter(|limit| (1..=100).contains(limit));
    let status = value(uri, "status");
    let before = value(uri, "before").map(|id| id.parse().map_err(|_| wrong("before", "must be a job ID")));
    let job = value(uri, "job_name").filter(|name| !name.is_empty());
    if status.as_ref().is_some_and(|status| !STATUSES.contains(&status.as_str())) {
        return Err(wrong("status", &format!("must be one of {}", STATUSES.join(", "))));
    }
    if job.as_ref().is_some_and(|name| name.contains('\0')) {
        return Err(wrong("job_name", "must not hold NUL"));
    }
    Ok(Filter {
        job,
        status,
        before: before.transpose()?,
        limit: limit.ok_or_else(|| wrong("limit", "must be 1-100"))?,
    })
}

/// Whether a check is only to be tried; nothing but `true` and `false` says so.
pub(crate) fn dry_run(uri: &Uri) -> Result<bool, Refusal> {
    match value(uri, "dry_run").as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let text = "Invalid dry_run parameter (must be true or false)";
            Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text))
        }
    }
}

fn value(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn wrong(name: &str, wanted: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, &format!("Invalid {name} parameter ({wanted})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<Filter, u16> {
        let uri = format!("/history?{query}").parse().unwrap();
        filter(&uri).map_err(|refusal| refusal.status().as_u16())
    }

    #[test]
    fn what_is_not_said_is_as_documented() {
        let filter = of("").unwrap();
        assert_eq!((filter.job, filter.status, filter.before, filter.limit), (None, None, None, 20));
        let filter = of("job_name=&other=x").unwrap();
        assert_eq!((filter.job, filter.status), (None, None));
    }

    #[test]
    fn what_is_said_counts_once() {
        let filter = of("job_name=a%20b%26&status=lost&before=7&limit=100&limit=0").unwrap();
        assert_eq!(filter.job.as_deref(), Some("a b&"));
        assert_eq!((filter.status.as_deref(), filter.before, filter.limit), (Some("lost"), Some(7), 100));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for query in
            ["limit=0", "limit=101", "limit=", "limit=5.0", "limit=%205", "limit=99999999999999999999"]
        {
            assert_eq!(of(query).unwrap_err(), 400, "{query}");
        }
        for query in [
            "status=paused",
            "status=",
            "before=",
            "before=x",
            "before=9223372036854775808",
            "job_name=a%00b",
        ] {
            assert_eq!(of(query).unwrap_err(), 400, "{query}");
        }
    }

    #[test]
    fn a_dry_run_is_true_or_false() {
        let of =
            |query: &str| dry_run(&format!("/x{query}").parse().unwrap()).map_err(|refusal| refusal.status());
        assert_eq!((of(""), of("?dry_run=false"), of("?dry_run=true")), (Ok(false), Ok(false), Ok(true)));
        for query in ["?dry_run=", "?dry_run=1", "?dry_run=True", "?dry_run=yes", "?dry_run=true%20"] {
            assert_eq!(of(query), Err(StatusCode::UNPROCESSABLE_ENTITY), "{query}");
        }
    }
}
