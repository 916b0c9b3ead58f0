//! A line for each job: how it did last, and when it is due again.

use super::job::NEWEST_LAST;
use super::{instant, job};
use crate::schedule::Definition;
use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use postgres::Client;
use serde::{Deserialize, Serialize};

/// What is known of a job. Serialized, it holds the documented keys and those that were missing there.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Item {
    /// Start of its latest run, RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<String>,
    /// Start of its latest run that completed, at least in part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<String>,
    /// How the latest run stands; `never_run` when there is none.
    pub status: String,
    /// `"1523/2847 (53.5%)"`, while it runs and knows its total; never `100.0%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// Of the latest run, whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// RFC 3339, UTC; of a job that has a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_scheduled: Option<String>,
    /// Whether a run should have started and has not.
    pub overdue: bool,
    /// Runs that failed or were lost since one went well.
    pub consecutive_failures: i64,
    /// Of a latest run that failed or was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// What is conspicuous about the latest run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

fn query() -> String {
    let runs = job::runs();
    format!(
        "WITH RECURSIVE seen AS (
             (SELECT job_name FROM ops.job_executions ORDER BY job_name LIMIT 1)
             UNION ALL SELECT (SELECT j.job_name FROM ops.job_executions j WHERE j.job_name > seen.job_name
                 ORDER BY j.job_name LIMIT 1) FROM seen WHERE seen.job_name IS NOT NULL),
         names AS (
             SELECT name, nth FROM unnest($1::text[]) WITH ORDINALITY AS d(name, nth)
             UNION ALL SELECT job_name, NULL FROM seen WHERE job_name IS NOT NULL AND job_name <> ALL ($1))
         SELECT name, {}, {}, coalesce(l.standing, 'never_run'), l.total_items, l.items_processed,
             CASE WHEN l.started_at IS NOT NULL THEN greatest(0,
                 floor(extract(epoch FROM coalesce(l.ended_at, clock_timestamp()) - l.started_at)))::bigint END,
             (SELECT count(*) FROM {runs} AS f WHERE f.job_name = name AND f.standing IN ('failed', 'lost')
                 AND f.started_at > coalesce(s.started_at, '-infinity')),
             l.error_message, l.warning, {}, {}
         FROM names
         LEFT JOIN LATERAL (SELECT * FROM {runs} AS r WHERE r.job_name = name
             ORDER BY started_at DESC, id DESC LIMIT 1) AS l ON true
         LEFT JOIN LATERAL (SELECT started_at FROM ops.job_executions r WHERE r.job_name = name
             AND status IN ('completed', 'partial') ORDER BY started_at DESC LIMIT 1) AS s ON true
         ORDER BY nth, name",
        instant("l.started_at"),
        instant("s.started_at"),
        instant("clock_timestamp()"),
        instant(&format!(
            "(SELECT {NEWEST_LAST} FROM ops.job_executions ORDER BY {NEWEST_LAST}, id LIMIT 1) AT TIME ZONE 'UTC'"
        ))
    )
}

pub(super) fn read(client: &mut Client, definitions: &[Definition]) -> Result<Vec<(String, Item)>> {
    let names: Vec<&str> = definitions.iter().map(|definition| definition.name.as_str()).collect();
    let rows = client.query(&query(), &[&names]).map_err(|error| warehouse::fault(&error))?;
    let mut items = Vec::new();
    for row in rows {
        let name: String = row.get(0);
        let status: String = row.get(3);
        let last_run: Option<String> = row.get(1);
        let now = parsed(Some(row.get(10)))?.unwrap_or_default();
        // A job that has never run is held to its schedule since anything has run here.
        let since = parsed(last_run.clone().or(row.get(11)))?;
        let schedule = definitions.iter().find(|definition| definition.name == name).map(|d| &d.schedule);
        let next = schedule.and_then(|schedule| schedule.next(now));
        let bad = matches!(status.as_str(), "failed" | "lost");
        let running = status == "running";
        let item = Item {
            last_success: row.get(2),
            progress: running.then(|| progress(row.get(4), row.get(5))).flatten(),
            duration_seconds: row.get(6),
            next_scheduled: next.map(|next| next.to_rfc3339_opts(SecondsFormat::Secs, true)),
            overdue: !running && schedule.is_some_and(|schedule| schedule.is_overdue(now, since)),
            consecutive_failures: row.get(7),
            error_message: row.get::<_, Option<String>>(8).filter(|_| bad),
            warning: row.get(9),
            last_run,
            status,
        };
        items.push((name, item));
    }
    Ok(items)
}

fn parsed(text: Option<String>) -> Result<Option<DateTime<Utc>>> {
    text.map(|text| text.parse()).transpose().context("an instant of the database")
}

fn progress(total: Option<i64>, processed: Option<i64>) -> Option<String> {
    let (total, processed) = (total.filter(|total| *total > 0)?, processed?);
    let percent = job::percent(Some(total), processed, false)?;
    // 99.99 % is not 100.0 %.
    Some(format!("{processed}/{total} ({:.1}%)", percent.min(99.9)))
}
