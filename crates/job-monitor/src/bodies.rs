//! The bodies of the REST API, as lines.

use anyhow::Result;
use journal::read::{Item, Job};
use serde_json::{Map, Value, json};

pub(crate) fn jobs(jobs: &[Job]) -> Result<String> {
    line(&json!({ "jobs": jobs }))
}

pub(crate) fn job(job: &Job) -> Result<String> {
    line(&serde_json::to_value(job)?)
}

pub(crate) fn summary(items: Vec<(String, Item)>) -> Result<String> {
    let items = items.into_iter().map(|(name, item)| Ok((name, serde_json::to_value(item)?)));
    let items: Map<String, Value> = items.collect::<Result<_>>()?;
    line(&json!({ "summary": items }))
}

fn line(body: &Value) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string(body)?))
}
