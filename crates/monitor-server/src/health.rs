//! `/api/v1/health/…`: what `check-integrity` says.
//!
//! Where nothing is known, nothing reads as well: an empty list of violations is for a check that found none.

use crate::app::App;
use crate::fresh::{Fresh, Measured};
use crate::parameters;
use crate::refusal::{Refusal, answer};
use anyhow::{Result, anyhow};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use sibling::Heard;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tool::Verdict;

/// How long a check may take.
pub(crate) const LONGEST_CHECK: Duration = Duration::from_secs(300);

/// Between the starts of two checks that were asked for.
const PAUSE: Duration = Duration::from_secs(30);

/// The exit codes with which it has said what it knows: healthy, degraded, critical, unknown.
const SAID: [i32; 4] = [0, 1, 2, UNKNOWN];
const UNKNOWN: i32 = 3;

/// That with which it says that something could not be checked.
const FAILED: i32 = 4;

/// What it knew last, and the check that is going on.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    status: Fresh,
    report: Fresh,
    violations: Fresh,
    metrics: Fresh,
    going_on: Arc<tokio::sync::Mutex<()>>,
    begun: std::sync::Mutex<Option<Instant>>,
}

pub(crate) async fn status(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let patience = app.patience;
    let nothing = json!({"status": "unknown", "last_check": null, "consistency_rate": null, "total_violations": 0,
        "total_users_monitored": 0, "requires_attention": true});
    let measure =
        move || object("Failed to get the health status", ask(&["status"], patience), Some(nothing));
    app.checks.status.get(measure).await.map(answer)
}

pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let patience = app.patience;
    let nothing = json!({"consistency_rate": null, "violations_count": null, "status": "unknown", "last_check": null,
        "requires_attention": true, "total_users": null, "consistent": null, "inconsistent": null,
        "total_users_monitored": null});
    let measure =
        move || object("Failed to get the health metrics", ask(&["metrics"], patience), Some(nothing));
    app.checks.metrics.get(measure).await.map(answer)
}

pub(crate) async fn latest_report(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let patience = app.patience;
    app.checks.report.get(move || report(ask(&["latest-report"], patience))).await.map(answer)
}

pub(crate) async fn violations(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let patience = app.patience;
    app.checks.violations.get(move || list(ask(&["violations"], patience))).await.map(answer)
}

/// Runs a check, one at a time, and answers its report.
pub(crate) async fn check_now(State(app): State<Arc<App>>, uri: Uri) -> Result<impl IntoResponse, Refusal> {
    let arguments = if parameters::dry_run(&uri)? { &["run", "--dry-run"][..] } else { &["run"][..] };
    let turn = Arc::clone(&app.checks.going_on).try_lock_owned().map_err(|_| going_on())?;
    app.checks.begin()?;
    // In a thread, which goes on when who asked is gone: the turn is over when the check is.
    let check = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        checked(ask(arguments, LONGEST_CHECK))
    });
    let broken = |error| Refusal::unavailable("The check ended early", &anyhow::Error::new(error));
    let report = check.await.map_err(broken)??;
    for known in [&app.checks.status, &app.checks.report, &app.checks.violations, &app.checks.metrics] {
        known.forget().await;
    }
    Ok(answer(report))
}

impl Checks {
    /// Takes note that a check begins, unless the last one began a moment ago.
    fn begin(&self) -> Result<(), Refusal> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = begun.map_or(Duration::ZERO, |begun| PAUSE.saturating_sub(begun.elapsed()));
        if !rest.is_zero() {
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "A check was begun a moment ago");
            return Err(refusal.with(RETRY_AFTER, HeaderValue::from(rest.as_secs() + 1)));
        }
        *begun = Some(Instant::now());
        Ok(())
    }
}

fn ask(arguments: &[&str], patience: Duration) -> Result<Heard> {
    sibling::ask("check-integrity", arguments, patience)
}

/// What it printed, an object; `nothing` where there is no such tool, and so no check.
fn object(what: &str, heard: Result<Heard>, nothing: Option<Value>) -> Measured {
    let text = match (heard, nothing) {
        (Err(error), Some(nothing)) if Verdict::of(&error) == Verdict::Config => Ok(format!("{nothing}\n")),
        (heard, _) => heard.and_then(|heard| said(&heard, &SAID, Value::is_object)),
    };
    let text =
        text.map_err(|error| Refusal::unavailable(&format!("{what}: check-integrity cannot tell"), &error));
    text.map(Bytes::from)
}

/// The report; without a timestamp there is none yet, whatever else is said.
fn report(heard: Result<Heard>) -> Measured {
    let is_none = match &heard {
        Ok(heard) => heard.json(&[UNKNOWN]).is_ok_and(|said| said.get("timestamp").is_none()),
        Err(error) => Verdict::of(error) == Verdict::Config,
    };
    if is_none {
        let text = "No health reports available yet. The first check runs in 5 minutes.";
        return Err(Refusal::new(StatusCode::NOT_FOUND, text));
    }
    object("Failed to get the latest report", heard, None)
}

fn list(heard: Result<Heard>) -> Measured {
    let what = "Whether there are violations is not known";
    let text = heard.and_then(|heard| {
        let is_sure = heard.code != Some(UNKNOWN);
        said(&heard, &SAID, |list| list.as_array().is_some_and(|list| is_sure || !list.is_empty()))
    });
    text.map(Bytes::from)
        .map_err(|error| Refusal::unavailable(&format!("{what}: no recent check says it"), &error))
}

/// A report in which single checks failed is one; what names an error as a whole is none.
fn checked(heard: Result<Heard>) -> Measured {
    if heard.as_ref().is_ok_and(|heard| heard.code == Some(i32::from(Verdict::Busy.code()))) {
        return Err(going_on());
    }
    let is_report = |said: &Value| said.get("timestamp").is_some() && said.get("error").is_none();
    let text = heard.and_then(|heard| said(&heard, &[0, 1, 2, UNKNOWN, FAILED], is_report));
    text.map(Bytes::from).map_err(|error| Refusal::unavailable("The check failed", &error))
}

fn said(heard: &Heard, codes: &[i32], is_wanted: impl Fn(&Value) -> bool) -> Result<String> {
    let json = heard.json(codes)?;
    if is_wanted(&json) {
        Ok(heard.printed.clone())
    } else {
        Err(anyhow!("check-integrity did not say what was asked"))
    }
}

fn going_on() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "A check is going on")
}
