//! What is printed: data on standard output, words on standard error.

use anyhow::{Context, Result};
use api42::{Budget, TokenKind, TokenState};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::io::Write;
use tool::{Judge, Verdict, print, printable};

/// What a renewal came to.
#[derive(Serialize)]
pub(crate) struct Renewed<'state> {
    /// Whether the token is another one than before.
    pub(crate) renewed: bool,
    #[serde(flatten)]
    pub(crate) state: &'state TokenState,
}

/// One line of JSON.
pub(crate) fn line(value: &impl Serialize) -> Result<()> {
    print(&format!("{}\n", serde_json::to_string(value)?))
}

/// A line for people.
pub(crate) fn say(sentence: &str) -> Result<()> {
    writeln!(std::io::stderr().lock(), "api-token: {sentence}").context("standard error").verdict(Verdict::Io)
}

/// The token, a line for each thing that is known.
pub(crate) fn token(state: &TokenState) -> Result<()> {
    let kind = match state.kind {
        TokenKind::Application => "application",
        TokenKind::Person => "person",
    };
    let secret = match (state.secret_valid_until, state.secret_days_left) {
        (Some(end), Some(days)) => format!("until {} ({days} days)", instant(end)),
        _ => "no end known".to_owned(),
    };
    let until = state.expires_at.map(|end| format!(", until {}", instant(end))).unwrap_or_default();
    let rows = [
        ("token", format!("{} ({kind})", state.token)),
        ("valid for", format!("{}{until}", left(state.expires_in))),
        ("created", state.created_at.map_or_else(|| "unknown".to_owned(), instant)),
        ("scopes", if state.scopes.is_empty() { "unknown".to_owned() } else { state.scopes.join(" ") }),
        ("application", state.application.clone().unwrap_or_else(|| "not asked".to_owned())),
        ("secret", secret),
    ];
    table(&rows)
}

/// The budget, as a small table.
pub(crate) fn budget(budget: &Budget) -> Result<()> {
    let mut limit = format!("{} a second, {} an hour", budget.per_second, budget.per_hour);
    if budget.host != u64::from(budget.per_hour) {
        limit.push_str(&format!("; {} an hour for this host", budget.host));
    }
    let mut rows = vec![("limit", limit), ("used", format!("{} in the last hour", budget.used))];
    rows.extend(budget.by_class.iter().map(|(class, calls)| (class.name(), format!("  {calls}"))));
    let unclassed = budget.used.saturating_sub(budget.by_class.iter().map(|(_, calls)| calls).sum());
    if unclassed > 0 {
        rows.push(("unknown", format!("  {unclassed}")));
    }
    let header = budget.remaining_by_header.map_or_else(|| "unknown".to_owned(), |left| left.to_string());
    rows.push(("left", format!("{} by our count, {header} by the API's", budget.remaining)));
    if let Some(instant) = budget.oldest_leaves {
        rows.push(("next back", format!("from {}", self::instant(instant))));
    }
    if let Some(until) = budget.held_until {
        rows.push(("held", format!("until {}: the API asked for a pause", instant(until))));
    }
    if !budget.waiting.is_empty() {
        let names: Vec<_> = budget.waiting.iter().map(|class| class.name()).collect();
        rows.push(("waiting", names.join(", ")));
    }
    table(&rows)
}

/// How long something lasts, as people say it.
pub(crate) fn left(seconds: Option<i64>) -> String {
    match seconds {
        None => "an unknown time".to_owned(),
        Some(..=0) => "0 s (it has ended)".to_owned(),
        Some(seconds @ ..=90) => format!("{seconds} s"),
        Some(seconds) => format!("{} min", seconds / 60),
    }
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn table(rows: &[(&str, String)]) -> Result<()> {
    let lines: Vec<_> =
        rows.iter().map(|(name, value)| format!("{name:<12}{}\n", printable(value))).collect();
    print(&lines.concat())
}
