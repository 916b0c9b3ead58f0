//! What runs have left, read in one snapshot.

use super::{Day, Known, Last, Status, judge};
use crate::level::rate;
use crate::report::Line;
use anyhow::{Context, Result};
use chrono::Utc;
use postgres::{Client, IsolationLevel, Row};
use serde_json::{Value, json};
use warehouse::fault;

/// Every instant that is printed is the database's.
const LAST: &str = "SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),
        abs(extract(epoch FROM clock_timestamp() - finished_at))::float8, error, people, finished_at, total_checked,
        inconsistent, findings, status, extract(epoch FROM finished_at - started_at)::float8
    FROM ops.integrity_runs WHERE whole AND ($1 OR error IS NULL) ORDER BY finished_at DESC, id DESC LIMIT 1";

/// Of a check that was done to its end its own count, of others what is open.
const CHECKS: &str = "SELECT check_name, nullif(table_name, ''), status, severity, total, inconsistent, CASE
        WHEN status IN ('healthy', 'degraded', 'critical') THEN findings
        ELSE (SELECT count(*) FROM ops.integrity_violations v WHERE v.check_name = c.check_name
            AND v.table_name = c.table_name AND resolved_at IS NULL) END, seconds, reason,
        to_char(checked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),
        abs(extract(epoch FROM clock_timestamp() - checked_at))::float8
    FROM ops.integrity_checks c ORDER BY place";

const OPEN: &str = "SELECT finding::text,
        to_char(first_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),
        to_char(last_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), times_seen, reopened
    FROM ops.integrity_violations v LEFT JOIN ops.integrity_checks c USING (check_name, table_name)
    WHERE resolved_at IS NULL
    ORDER BY array_position(ARRAY['critical', 'error', 'warning'], v.finding ->> 'severity'), c.place, subject LIMIT $1";

const CONFIRMED: &str =
    "SELECT coalesce(sum((finding ->> 'rows')::bigint), 0)::bigint FROM ops.integrity_violations
    WHERE resolved_at IS NULL AND times_seen > 1";

/// Of each day the rows compared, and those inconsistent, of its last run and of its worst one.
const TREND: &str = "SELECT to_char(day, 'YYYY-MM-DD'), count(*), count(error),
        (array_agg(total_checked ORDER BY finished_at DESC) FILTER (WHERE total_checked > 0))[1],
        (array_agg(inconsistent ORDER BY finished_at DESC) FILTER (WHERE total_checked > 0))[1],
        (array_agg(total_checked ORDER BY share DESC) FILTER (WHERE total_checked > 0))[1],
        (array_agg(inconsistent ORDER BY share DESC) FILTER (WHERE total_checked > 0))[1]
    FROM (SELECT *, (finished_at AT TIME ZONE 'UTC')::date AS day,
            inconsistent::float8 / nullif(total_checked, 0) AS share FROM ops.integrity_runs WHERE whole) AS r
    GROUP BY day ORDER BY day";

impl Status {
    /// Reads it; at most `most` open findings.
    ///
    /// # Errors
    /// When the database is away or is not ours: then nothing is known.
    pub(crate) fn read(client: &mut Client, most: i64) -> Result<Self> {
        let builder =
            client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let mut snapshot = builder.start().map_err(|error| fault(&error))?;
        let settings = "SET LOCAL statement_timeout = '20s'; SET LOCAL jit = off";
        snapshot.batch_execute(settings).map_err(|error| fault(&error))?;
        let mut last = |with_failed: bool| -> Result<Option<Last>> {
            let row = snapshot.query_opt(LAST, &[&with_failed]).map_err(|error| fault(&error));
            Ok(row.context("reading ops.integrity_runs")?.map(|row| Last::of(&row)))
        };
        let (attempt, done) = (last(true)?, last(false)?);
        let mut rows = |query: &str| snapshot.query(query, &[]).map_err(|error| fault(&error));
        let checks: Vec<Known> =
            rows(CHECKS).context("reading ops.integrity_checks")?.iter().map(Known::of).collect();
        let trend = rows(TREND).context("reading ops.integrity_runs")?.iter().map(Day::of).collect();
        let confirmed_rows = rows(CONFIRMED)?.first().map_or(0, |row| row.get(0));
        let open = snapshot.query(OPEN, &[&most]).map_err(|error| fault(&error));
        let open = open.context("reading ops.integrity_violations")?;
        let open = open.iter().map(finding).collect::<Result<_>>()?;
        let (level, reason) = judge::whole(
            attempt.as_ref(),
            judge::failure(attempt.as_ref()),
            &checks,
            judge::period(Utc::now()),
        );
        Ok(Self {
            level,
            reason,
            findings: checks.iter().map(|known| known.line.findings).sum(),
            people: done.as_ref().map_or(0, |done| done.people),
            last_check: done.map(|done| done.at),
            confirmed_rows,
            checks,
            open,
            trend,
            attempt,
        })
    }
}

/// An open finding, with its story.
fn finding(row: &Row) -> Result<Value> {
    let mut finding: Value = serde_json::from_str(row.get(0))?;
    finding["first_seen"] = json!(row.get::<_, String>(1));
    finding["last_seen"] = json!(row.get::<_, String>(2));
    finding["times_seen"] = json!(row.get::<_, i32>(3));
    finding["reopened"] = json!(row.get::<_, i32>(4));
    Ok(finding)
}

impl Last {
    fn of(row: &Row) -> Self {
        Self {
            at: row.get(0),
            age: row.get(1),
            error: row.get(2),
            people: row.get(3),
            finished: row.get(4),
            total: row.get(5),
            inconsistent: row.get(6),
            findings: row.get(7),
            status: row.get(8),
            seconds: row.get(9),
        }
    }
}

impl Known {
    fn of(row: &Row) -> Self {
        let line = Line {
            check: row.get(0),
            table: row.get(1),
            status: row.get(2),
            severity: row.get(3),
            total: row.get(4),
            inconsistent: row.get(5),
            findings: row.get(6),
            seconds: row.get(7),
            reason: row.get(8),
        };
        Self { line, checked_at: row.get(9), age: row.get(10) }
    }
}

impl Day {
    fn of(row: &Row) -> Self {
        let of = |total: usize| {
            let (total, bad): (Option<i64>, Option<i64>) = (row.get(total), row.get(total + 1));
            rate(total?, bad?)
        };
        Self {
            day: row.get(0),
            runs: row.get(1),
            failed: row.get(2),
            consistency_rate: of(3),
            lowest_rate: of(5),
            inconsistent: row.get(4),
        }
    }
}
