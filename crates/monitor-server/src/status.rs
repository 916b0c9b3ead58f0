//! `/api/monitoring/status` and `/metrics`: what `pipeline-status` says.

use crate::app::App;
use crate::fresh::Measured;
use crate::refusal::{Refusal, answer};
use anyhow::{Result, anyhow};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The exit codes with which it has printed all it knows, also when that is why the database cannot be read.
const WHOLE: [i32; 7] = [0, 1, 3, 69, 75, 77, 78];

/// Last line of a text that is whole.
const END: &str = "# EOF\n";

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) async fn status(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let patience = app.patience;
    app.status.get(move || measured("Failed to get the status", json(patience))).await.map(answer)
}

pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let patience = app.patience;
    let families =
        app.metrics.get(move || measured("Failed to get the metrics", openmetrics(patience))).await?;
    let text = [families.as_ref(), app.counts.families().as_bytes(), END.as_bytes()].concat();
    Ok(([(CONTENT_TYPE, OPENMETRICS)], text))
}

fn json(patience: Duration) -> Result<String> {
    let heard = ask("--json", patience)?;
    let is_whole = heard.json(&WHOLE)?.get("status").is_some_and(Value::is_string);
    if is_whole { Ok(heard.printed) } else { Err(anyhow!("pipeline-status --json said no status")) }
}

/// All families, without the end.
fn openmetrics(patience: Duration) -> Result<String> {
    let heard = ask("--openmetrics", patience)?;
    let is_whole = heard.code.is_some_and(|code| WHOLE.contains(&code));
    let families = heard.printed.strip_suffix(END).filter(|_| is_whole);
    families.map(str::to_owned).ok_or_else(|| anyhow!(heard.last_words))
}

/// It gives up on what does not answer before it is given up itself, so that it can say the rest.
fn ask(form: &str, patience: Duration) -> Result<sibling::Heard> {
    let half = (patience.as_secs() / 2).max(1).to_string();
    sibling::ask("pipeline-status", &[form, "--patience", &half], patience)
}

fn measured(what: &str, text: Result<String>) -> Measured {
    let text = text.map_err(|error| Refusal::unavailable(&format!("{what}: it cannot be measured"), &error));
    text.map(Bytes::from)
}
