//! `/api/monitoring/jobs/…`: the bodies of `job-monitor --json`.

use crate::app::App;
use crate::parameters;
use crate::refusal::{Refusal, answer};
use anyhow::Result;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use journal::read::{Filter, Job, Source, bodies};
use std::sync::Arc;

pub(crate) async fn active(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let what = "Failed to get active jobs";
    let jobs = read(&app, what, Source::active).await?;
    body(what, bodies::jobs(&jobs))
}

pub(crate) async fn history(State(app): State<Arc<App>>, uri: Uri) -> Result<impl IntoResponse, Refusal> {
    let what = "Failed to get job history";
    let filter = parameters::filter(&uri)?;
    let before = filter.before;
    match read(&app, what, move |source| page(source, &filter)).await? {
        Some(jobs) => body(what, bodies::jobs(&jobs)),
        None => Err(not_found(before.unwrap_or_default())),
    }
}

pub(crate) async fn summary(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let what = "Failed to get job summary";
    let definitions = journal::schedules().map_err(|error| Refusal::unavailable(what, &error))?;
    let items = read(&app, what, move |source| source.summary(&definitions)).await?;
    body(what, bodies::summary(items))
}

pub(crate) async fn one(
    State(app): State<Arc<App>>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let what = "Failed to get job";
    let Path(id) = id.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "Invalid job ID"))?;
    let job = read(&app, what, move |source| source.job(id)).await?;
    body(what, bodies::job(&job.ok_or_else(|| not_found(id))?))
}

/// A page of the history; none when the run that it goes on from is gone: then nobody knows what comes next.
fn page(source: &mut Source, filter: &Filter) -> Result<Option<Vec<Job>>> {
    let jobs = source.history(filter)?;
    let is_known = match filter.before {
        Some(before) if jobs.is_empty() => source.job(before)?.is_some(),
        _ => true,
    };
    Ok(is_known.then_some(jobs))
}

async fn read<T: Send + 'static>(
    app: &App,
    what: &str,
    read: impl Fn(&mut Source) -> Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let text = format!("{what}: the database cannot be read");
    app.records.read(app.patience, read).await.map_err(|error| Refusal::unavailable(&text, &error))
}

fn body(what: &str, line: Result<String>) -> Result<impl IntoResponse + use<>, Refusal> {
    line.map(answer).map_err(|error| Refusal::unavailable(what, &error))
}

fn not_found(id: i64) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, &format!("Job not found: {id}"))
}
