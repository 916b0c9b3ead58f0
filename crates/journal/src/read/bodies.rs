//! The bodies of the REST API, as lines: what `job-monitor --json` prints, and `monitor-server` answers.

use super::{Item, Job};
use anyhow::Result;
use serde_json::{Map, Value, json};

/// Runs: `{"jobs":[JOB…]}`.
///
/// # Errors
/// Never, as long as a run is JSON.
pub fn jobs(jobs: &[Job]) -> Result<String> {
    line(&json!({ "jobs": jobs }))
}

/// One run: `JOB`.
///
/// # Errors
/// As [`jobs`].
pub fn job(job: &Job) -> Result<String> {
    line(&serde_json::to_value(job)?)
}

/// A line for each job: `{"summary":{NAME:ITEM…}}`, in the order that is given.
///
/// # Errors
/// As [`jobs`].
pub fn summary(items: Vec<(String, Item)>) -> Result<String> {
    let items = items.into_iter().map(|(name, item)| Ok((name, serde_json::to_value(item)?)));
    let items: Map<String, Value> = items.collect::<Result<_>>()?;
    line(&json!({ "summary": items }))
}

fn line(body: &Value) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string(body)?))
}
