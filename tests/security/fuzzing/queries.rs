//! Queries of strangers, as they come to monitor-server.

use journal::read::Filter;
use monitor_query::{dry_run, filter};

/// Reads an input as a query. What is taken is within its bounds, and means the same when it is written down and read again.
pub(crate) fn one(data: &[u8]) {
    let query = String::from_utf8_lossy(data);
    let tried = dry_run(&query);
    assert!(tried.is_err() || !query.is_empty() || tried == Ok(false));
    let Ok(said) = filter(&query) else { return };
    assert!((1..=100).contains(&said.limit), "{query}");
    assert!(said.job.as_ref().is_none_or(|job| !job.is_empty() && !job.contains('\0')), "{query}");
    assert!(
        said.status.as_ref().is_none_or(|status| status.bytes().all(|byte| byte.is_ascii_lowercase())),
        "{query}"
    );
    let again = filter(&written(&said)).unwrap();
    assert_eq!(
        (again.job, again.status, again.before, again.limit),
        (said.job, said.status, said.before, said.limit),
        "{query}"
    );
}

fn written(said: &Filter) -> String {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let mut query = format!("limit={}", said.limit);
    if let Some(job) = &said.job {
        query += &format!("&job_name={}", encoded(job));
    }
    if let Some(status) = &said.status {
        query += &format!("&status={status}");
    }
    if let Some(before) = said.before {
        query += &format!("&before={before}");
    }
    query
}

/// Queries that people and tools send.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let queries = [
        "limit=20&status=failed&job_name=load_users&before=12",
        "dry_run=true",
        "limit=5",
        "job_name=a%20b%26c+d",
        "",
    ];
    queries.map(|query| query.as_bytes().to_vec()).to_vec()
}

/// What hits where bytes alone do not.
pub(crate) const WORDS: [&str; 18] = [
    "limit=",
    "status=",
    "before=",
    "job_name=",
    "dry_run=",
    "&",
    "=",
    "%",
    "%00",
    "%ff",
    "%F0%9F%A6%80",
    "+",
    "-1",
    "0",
    "100",
    "9223372036854775807",
    "9223372036854775808",
    "lost",
];
