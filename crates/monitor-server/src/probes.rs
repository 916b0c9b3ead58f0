//! `/healthz` and `/readyz`: whether this process lives, and whether it can serve.

use crate::app::App;
use crate::refusal::{Refusal, answer};
use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{SecondsFormat, Utc};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long the database may take to tell the time.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says that this process answers, and nothing about anything else.
pub(crate) async fn alive() -> impl IntoResponse {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    answer(format!("{}\n", json!({"status": "alive", "service": "monitor-server", "time": now})))
}

/// Says that the database answers, and its time.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let now = app.records.read(PATIENCE.min(app.patience), journal::read::Source::now).await;
    let now = now.map_err(|error| Refusal::unavailable("The database does not answer", &error))?;
    Ok(answer(format!("{}\n", json!({"status": "ready", "time": now}))))
}
