//! What came back: a body of the REST API, or a reason why not. Nothing else passes for an empty one.

use super::no_run_before;
use super::server::{CONNECT_PATIENCE, PATIENCE};
use anyhow::{Context, Error, Result, anyhow};
use journal::read::{Filter, Item, Job};
use serde::Deserialize;
use serde_json::{Map, Value};
use tool::{Judge, Verdict};

/// So much of what a server says of an error is shown.
const WORDS: usize = 300;

/// An answer as it came, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Summary {
    summary: Map<String, Value>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Answer {
    /// The body as it should be.
    fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        let body = serde_json::from_slice(&self.body);
        body.context("the answer is not that of a monitor-server").verdict(Verdict::Refused)
    }

    /// What a monitor-server says when it does not do what it is asked.
    fn said(&self) -> Option<String> {
        let refusal: Refusal = serde_json::from_slice(&self.body).ok()?;
        Some(refusal.error.chars().take(WORDS).collect())
    }

    /// Whether it says that there is no such run, as opposed to no such page.
    fn is_no_run(&self) -> bool {
        self.status == 404 && self.said().is_some_and(|said| said.starts_with("Job not found"))
    }
}

pub(super) fn jobs(answer: &Answer) -> Result<Vec<Job>> {
    known(answer)?;
    Ok(answer.read::<Jobs>()?.jobs)
}

/// The runs, if they are those that were asked for: a server that does not know a filter would ignore it.
pub(super) fn history(answer: &Answer, filter: &Filter) -> Result<Vec<Job>> {
    if let Some(id) = filter.before.filter(|_| answer.is_no_run()) {
        return Err(no_run_before(id));
    }
    let jobs = jobs(answer)?;
    let fits = |job: &Job| {
        filter.job.as_ref().is_none_or(|name| *name == job.job_name)
            && filter.status.as_ref().is_none_or(|status| *status == job.status)
    };
    if jobs.iter().all(fits) && i64::try_from(jobs.len()).is_ok_and(|count| count <= filter.limit) {
        return Ok(jobs);
    }
    Err(refused("the server gives other runs than it was asked for; it may be of another version"))
}

pub(super) fn summary(answer: &Answer) -> Result<Vec<(String, Item)>> {
    known(answer)?;
    let Summary { summary } = answer.read()?;
    let item = |(name, item)| -> Result<_> { Ok((name, serde_json::from_value(item)?)) };
    let items: Result<_> = summary.into_iter().map(item).collect();
    items.context("the answer is not that of a monitor-server").verdict(Verdict::Refused)
}

pub(super) fn job(answer: &Answer, id: i64) -> Result<Option<Job>> {
    if answer.is_no_run() {
        return Ok(None);
    }
    known(answer)?;
    let job: Job = answer.read()?;
    if job.id == id {
        Ok(Some(job))
    } else {
        Err(refused(&format!("the server gives run {} instead", job.id)))
    }
}

/// Fails for what no server of ours answers.
fn known(answer: &Answer) -> Result<()> {
    let way_out = "MONITOR_URL has to name a monitor-server";
    let status = answer.status;
    Err(refused(&match (status, answer.said()) {
        (200, _) => return Ok(()),
        (301..=308, _) => format!("HTTP {status}: leads elsewhere; {way_out} itself"),
        (404, _) => format!("HTTP 404: there is no such page; {way_out}"),
        (_, Some(said)) => format!("HTTP {status}: {said}"),
        (_, None) => format!("HTTP {status}; {way_out}"),
    }))
}

fn refused(why: &str) -> Error {
    anyhow!("{why}").verdict(Verdict::Refused)
}

/// Fails when the server refuses to answer, or cannot.
pub(super) fn refusal(answer: &Answer, has_token: bool) -> Result<()> {
    let status = answer.status;
    let said = answer.said().map(|said| format!(": {said}")).unwrap_or_default();
    let way_out = if has_token { "refuses MONITOR_TOKEN" } else { "wants a token; set MONITOR_TOKEN" };
    let (verdict, why) = match status {
        401 | 403 => (Verdict::Credentials, format!("HTTP {status}: the server {way_out}")),
        429 => (Verdict::Busy, format!("HTTP 429{said}; try again later")),
        500..=599 => (Verdict::Unreachable, format!("HTTP {status}{said}; what runs is not known")),
        _ => return Ok(()),
    };
    Err(anyhow!(why).verdict(verdict))
}

/// Why no answer came.
pub(super) fn fault(error: &ureq::Error) -> Error {
    use ureq::Error::{BodyExceedsLimit, Decompress, Protocol, Timeout};
    use ureq::Timeout::{Connect, Resolve};
    match error {
        Timeout(Resolve | Connect) => {
            anyhow!("no connection within {} s", CONNECT_PATIENCE.as_secs()).verdict(Verdict::Unreachable)
        }
        Timeout(_) => anyhow!("no answer within {} s", PATIENCE.as_secs()).verdict(Verdict::Unreachable),
        BodyExceedsLimit(limit) => {
            anyhow!("the answer is larger than {} MiB", limit >> 20).verdict(Verdict::Refused)
        }
        Protocol(_) | Decompress(..) => anyhow!("the answer is no HTTP: {error}").verdict(Verdict::Refused),
        _ => anyhow!("{error}").verdict(Verdict::Unreachable),
    }
}
