//! What the query of a request says: the words of strangers, taken apart. The rest of monitor-server is `main.rs`.

use journal::read::Filter;

/// The statuses that a run can have.
const STATUSES: [&str; 6] = ["running", "completed", "partial", "failed", "cancelled", "lost"];

/// A parameter that says what it may not, and what it may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its name.
    pub name: &'static str,
    /// What is wanted instead.
    pub wanted: String,
}

/// Which runs of the history. Names that are not known are not looked at, and the first of two counts.
///
/// # Errors
/// When one of those that are known says what it may not.
pub fn filter(query: &str) -> Result<Filter, Wrong> {
    let limit = value(query, "limit").unwrap_or_else(|| "20".to_owned());
    let limit = limit.parse().ok().filter(|limit| (1..=100).contains(limit));
    let status = value(query, "status");
    let before = value(query, "before").map(|id| id.parse().map_err(|_| wrong("before", "must be a job ID")));
    let job = value(query, "job_name").filter(|name| !name.is_empty());
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
///
/// # Errors
/// When it says anything else.
pub fn dry_run(query: &str) -> Result<bool, Wrong> {
    match value(query, "dry_run").as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(wrong("dry_run", "must be true or false")),
    }
}

fn value(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn wrong(name: &'static str, wanted: &str) -> Wrong {
    Wrong { name, wanted: wanted.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_documented() {
        let said = filter("").unwrap();
        assert_eq!((said.job, said.status, said.before, said.limit), (None, None, None, 20));
        let said = filter("job_name=&other=x").unwrap();
        assert_eq!((said.job, said.status), (None, None));
    }

    #[test]
    fn what_is_said_counts_once() {
        let said = filter("job_name=a%20b%26&status=lost&before=7&limit=100&limit=0").unwrap();
        assert_eq!(said.job.as_deref(), Some("a b&"));
        assert_eq!((said.status.as_deref(), said.before, said.limit), (Some("lost"), Some(7), 100));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for query in
            ["limit=0", "limit=101", "limit=", "limit=5.0", "limit=%205", "limit=99999999999999999999"]
        {
            assert_eq!(filter(query).unwrap_err().name, "limit", "{query}");
        }
        for query in [
            "status=paused",
            "status=",
            "before=",
            "before=x",
            "before=9223372036854775808",
            "job_name=a%00b",
        ] {
            assert!(query.starts_with(filter(query).unwrap_err().name), "{query}");
        }
    }

    #[test]
    fn a_dry_run_is_true_or_false() {
        assert_eq!(
            (dry_run(""), dry_run("dry_run=false"), dry_run("dry_run=true")),
            (Ok(false), Ok(false), Ok(true))
        );
        for query in ["dry_run=", "dry_run=1", "dry_run=True", "dry_run=yes", "dry_run=true%20"] {
            assert!(dry_run(query).is_err(), "{query}");
        }
    }
}
