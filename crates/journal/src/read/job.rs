//! A run as it is shown: the `Job` of the REST API.

use super::instant;
use crate::STALE_SECONDS;
use anyhow::Result;
use postgres::types::ToSql;
use postgres::{Client, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A run. Serialized, it is the documented body, which can be read back; what is ours besides is in `metadata`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Job {
    /// Number of the run.
    pub id: i64,
    /// Name of its job.
    pub job_name: String,
    /// Type of its job.
    pub job_type: String,
    /// `running`, `completed`, `partial`, `failed`, `cancelled` or `lost`.
    pub status: String,
    /// How many items there are; null when that is not known.
    pub total_items: Option<i64>,
    /// How many are done: the sum of those that succeeded, failed and needed nothing.
    pub items_processed: i64,
    /// How many succeeded.
    pub items_succeeded: i64,
    /// How many failed.
    pub items_failed: i64,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// An object: the run's own facts, and `items_skipped`, `exit_code`, `signal`, `parent_id`, `warning`, `checkpoint`,
    /// `heartbeat_at` where there are any.
    pub metadata: Map<String, Value>,
    /// 0 to 100, and 100 only when it is done; null when the total is not known.
    pub progress_percent: Option<f64>,
    /// Whole seconds; of a run that is lost, up to its last heartbeat.
    pub elapsed_seconds: i64,
    /// Whole seconds, at the rate of the last minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_remaining_seconds: Option<i64>,
    /// Over the last minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_per_second: Option<f64>,
}

/// Which runs of the history.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this job.
    pub job: Option<String>,
    /// Only of this status.
    pub status: Option<String>,
    /// Only with a lower id, to go on where a page ended.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

/// What the index of the whole history is on. Not on the bare column: for one job's runs that index would be preferred to the
/// job's own, and searched from end to end for a job that never ran.
pub(super) const NEWEST_LAST: &str = "(started_at AT TIME ZONE 'UTC')";

/// The runs, with what time makes of them: `stale` is without a heartbeat, or with one of the future.
pub(super) fn runs() -> String {
    format!(
        "(SELECT j.*, stale, CASE WHEN stale THEN 'lost' ELSE status END AS standing,
              CASE WHEN stale THEN heartbeat_at ELSE completed_at END AS ended_at
          FROM ops.job_executions j, LATERAL (SELECT status = 'running'
              AND abs(extract(epoch FROM clock_timestamp() - heartbeat_at)) > {STALE_SECONDS} AS stale) AS s)"
    )
}

fn select() -> String {
    format!(
        "SELECT id, job_name, job_type, standing, total_items, items_processed, items_succeeded, items_failed,
             error_message, {}, {}, {}, {},
             greatest(0, floor(extract(epoch FROM coalesce(ended_at, clock_timestamp()) - started_at)))::bigint,
             items_per_second,
             (metadata || jsonb_strip_nulls(jsonb_build_object('items_skipped', nullif(items_skipped, 0),
                 'exit_code', exit_code, 'signal', term_signal, 'warning', warning, 'checkpoint', checkpoint,
                 'parent_id', (SELECT p.id FROM ops.job_executions p WHERE p.run = r.parent_run))))::text
         FROM {} AS r",
        instant("started_at"),
        instant("ended_at"),
        instant("updated_at"),
        instant("heartbeat_at"),
        runs()
    )
}

pub(super) fn active(client: &mut Client) -> Result<Vec<Job>> {
    let query = format!("{} WHERE status = 'running' AND NOT stale ORDER BY r.started_at, id", select());
    rows(client, &query, &[])
}

pub(super) fn history(client: &mut Client, filter: &Filter) -> Result<Vec<Job>> {
    let query = format!(
        "{} WHERE ($1::text IS NULL OR job_name = $1) AND ($2::text IS NULL OR standing = $2)
         AND ($3::bigint IS NULL OR (r.started_at, id) <
             (SELECT b.started_at, b.id FROM ops.job_executions b WHERE b.id = $3))
         ORDER BY {NEWEST_LAST} DESC, id DESC LIMIT $4",
        select()
    );
    rows(client, &query, &[&filter.job, &filter.status, &filter.before, &filter.limit])
}

pub(super) fn one(client: &mut Client, id: i64) -> Result<Option<Job>> {
    Ok(rows(client, &format!("{} WHERE id = $1", select()), &[&id])?.pop())
}

fn rows(client: &mut Client, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Job>> {
    let rows = client.query(query, parameters).map_err(|error| warehouse::fault(&error))?;
    rows.iter().map(Job::of).collect()
}

impl Job {
    fn of(row: &Row) -> Result<Self> {
        let status: String = row.get(3);
        let (total, processed): (Option<i64>, i64) = (row.get(4), row.get(5));
        let running = status == "running";
        let rate = row.get::<_, Option<f64>>(14).filter(|_| running && processed > 0);
        let mut metadata: Map<String, Value> = serde_json::from_str(row.get(15))?;
        if running {
            metadata.insert("heartbeat_at".to_owned(), Value::String(row.get(12)));
        }
        Ok(Self {
            id: row.get(0),
            job_name: row.get(1),
            job_type: row.get(2),
            progress_percent: percent(total, processed, matches!(status.as_str(), "completed" | "partial")),
            estimated_remaining_seconds: rate.and_then(|rate| remaining(total?, processed, rate)),
            status,
            total_items: total,
            items_processed: processed,
            items_succeeded: row.get(6),
            items_failed: row.get(7),
            error_message: row.get(8),
            started_at: row.get(9),
            completed_at: row.get(10),
            updated_at: row.get(11),
            metadata,
            elapsed_seconds: row.get(13),
            items_per_second: rate,
        })
    }
}

/// The share that is done. What goes on, or came to a bad end, never reads as 100 %, even where there was more than was said.
pub(super) fn percent(total: Option<i64>, processed: i64, done: bool) -> Option<f64> {
    let total = total?;
    Some(match (total, done) {
        (0, true) => 100.0,
        (0, false) => 0.0,
        _ if processed >= total && done => 100.0,
        _ => (as_float(processed) / as_float(total) * 100.0).min(99.99),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a float beyond the range of i64 becomes its end")]
fn remaining(total: i64, processed: i64, rate: f64) -> Option<i64> {
    (total > processed && rate > 0.0).then(|| (as_float(total - processed) / rate) as i64)
}

#[expect(clippy::cast_precision_loss, reason = "no run has 2^52 items")]
const fn as_float(items: i64) -> f64 {
    items as f64
}

#[cfg(test)]
mod tests {
    use super::{percent, remaining};

    #[test]
    fn a_hundred_percent_is_for_what_is_done() {
        assert_eq!(percent(None, 5, true), None);
        assert_eq!(percent(Some(0), 0, false), Some(0.0));
        assert_eq!(percent(Some(0), 0, true), Some(100.0));
        assert_eq!(percent(Some(2847), 1523, false).map(|p| (p * 10.0).round()), Some(535.0));
        assert_eq!(percent(Some(10_000), 10_000, false), Some(99.99));
        assert_eq!(percent(Some(10_000), 10_000, true), Some(100.0));
        assert_eq!(percent(Some(5), 9, false), Some(99.99));
        assert_eq!(percent(Some(10), 4, true), Some(40.0));
    }

    #[test]
    fn what_stands_still_has_no_end() {
        assert_eq!(remaining(100, 40, 2.0), Some(30));
        assert_eq!(remaining(100, 40, 0.0), None);
        assert_eq!(remaining(100, 100, 2.0), None);
    }
}
