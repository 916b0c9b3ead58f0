//! Runs of jobs and stages that failed or were lost, by the hour in which they ended.

use super::rows;
use anyhow::Result;
use postgres::Transaction;
use serde::Serialize;

/// Hours of a day.
const HOURS: usize = 24;

/// How many runs failed or were lost.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Errors {
    /// In the last 24 hours.
    pub(crate) day: u64,
    /// In the 24 hours before.
    pub(crate) day_before: u64,
    /// Those of the last 24 hours, by hours that end now, oldest first.
    pub(crate) by_hour: [u64; HOURS],
}

/// Reads `job_executions_failed_idx`, which holds only what failed. An end that lies ahead is of a clock that was set.
const FAILED: &str =
    "SELECT floor(extract(epoch FROM now() - least(completed_at, now())) / 3600)::bigint, count(*)
    FROM ops.job_executions
    WHERE status IN ('failed', 'lost') AND completed_at > now() - interval '2 days' GROUP BY 1";

pub(super) fn errors(transaction: &mut Transaction<'_>) -> Result<Errors> {
    let mut errors = Errors::default();
    for row in rows(transaction, FAILED, &[])? {
        let (ago, count) = (row.get::<_, i64>(0), row.get::<_, i64>(1).unsigned_abs());
        match usize::try_from(ago) {
            Ok(ago) if ago < HOURS => {
                errors.day += count;
                errors.by_hour[HOURS - 1 - ago] += count;
            }
            _ => errors.day_before += count,
        }
    }
    Ok(errors)
}
