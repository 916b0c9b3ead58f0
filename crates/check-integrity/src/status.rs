//! How the mirror is, by what runs have left: never better than what was measured last, and unknown when that is long ago.

use crate::checks::freshness::OWN_JOB;
use crate::files;
use crate::level::{Level, rate};
use crate::report::Line;
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use postgres::{Client, Row};
use serde::Serialize;
use serde_json::{Value, json};
use warehouse::fault;

/// How often the checks are done where no schedule says so.
const USUAL_PERIOD: TimeDelta = TimeDelta::minutes(5);

/// What is known.
pub(crate) struct Status {
    pub(crate) level: Level,
    /// Why it is not better.
    pub(crate) reason: Option<String>,
    /// When a run of all checks ended last that came to something.
    pub(crate) last_check: Option<String>,
    pub(crate) checks: Vec<Known>,
    /// Findings that are open, those of checks that show only their first ones included.
    pub(crate) findings: i64,
    /// Rows of findings that two runs in a row have seen.
    pub(crate) confirmed_rows: i64,
    pub(crate) people: i64,
    /// The first open findings, as they are printed.
    pub(crate) open: Vec<Value>,
    pub(crate) trend: Vec<Day>,
    attempt: Option<Last>,
}

/// A check's last result.
#[derive(Serialize)]
pub(crate) struct Known {
    #[serde(flatten)]
    pub(crate) line: Line,
    /// RFC 3339, UTC.
    pub(crate) checked_at: String,
    #[serde(skip)]
    age: f64,
}

/// The runs of a day.
#[derive(Serialize)]
pub(crate) struct Day {
    day: String,
    runs: i64,
    failed: i64,
    /// Of its last run that compared anything.
    consistency_rate: Option<f64>,
    inconsistent: Option<i64>,
    lowest_rate: Option<f64>,
}

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

/// A run that was kept.
struct Last {
    at: String,
    age: f64,
    error: Option<String>,
    people: i64,
    finished: DateTime<Utc>,
    total: i64,
    inconsistent: i64,
    findings: i64,
    status: String,
    seconds: f64,
}

impl Status {
    /// Reads it; at most `most` open findings.
    ///
    /// # Errors
    /// When the database is away or is not ours: then nothing is known.
    pub(crate) fn read(client: &mut Client, most: i64) -> Result<Self> {
        client
            .batch_execute("SET statement_timeout = '20s'; SET jit = off")
            .map_err(|error| fault(&error))?;
        let mut last = |with_failed: bool| -> Result<Option<Last>> {
            let row = client.query_opt(LAST, &[&with_failed]).map_err(|error| fault(&error));
            Ok(row.context("reading ops.integrity_runs")?.map(|row| Last::of(&row)))
        };
        let (attempt, done) = (last(true)?, last(false)?);
        let mut rows = |query: &str| client.query(query, &[]).map_err(|error| fault(&error));
        let checks: Vec<Known> =
            rows(CHECKS).context("reading ops.integrity_checks")?.iter().map(Known::of).collect();
        let trend = rows(TREND).context("reading ops.integrity_runs")?.iter().map(Day::of).collect();
        let confirmed_rows = rows(CONFIRMED)?.first().map_or(0, |row| row.get(0));
        let open = client.query(OPEN, &[&most]).map_err(|error| fault(&error));
        let open = open.context("reading ops.integrity_violations")?;
        let open = open.iter().map(finding).collect::<Result<_>>()?;
        let (level, reason) = judge(attempt.as_ref(), failure(attempt.as_ref()), &checks, period(Utc::now()));
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

    /// Tells the last run from others.
    pub(crate) fn evidence(&self) -> String {
        let attempt = self.attempt.as_ref().map_or_else(String::new, |attempt| attempt.at.clone());
        let failed = files::latest().filter(|latest| latest["error"].is_string());
        failed.map_or(attempt.clone(), |latest| format!("{attempt} {}", latest["timestamp"]))
    }

    /// Rows that were compared, and those inconsistent, over all checks.
    pub(crate) fn totals(&self) -> (i64, i64) {
        let sum = |of: fn(&Line) -> i64| self.checks.iter().map(|known| of(&known.line)).sum();
        (sum(|line| line.total), sum(|line| line.inconsistent))
    }

    /// The documented summary; what is unknown has no rate and lists nothing.
    pub(crate) fn summary(&self) -> Value {
        let (total, bad) = self.totals();
        let mut body = json!({
            "status": self.level,
            "last_check": self.last_check,
            "consistency_rate": self.rate(),
            "total_violations": self.findings,
            "total_users_monitored": self.people,
            "requires_attention": self.level != Level::Healthy,
        });
        let mut more = json!({
            "reason": self.reason,
            "ratio_status": self.ratio(),
            "total_checked": total,
            "inconsistent": bad,
            "checks": self.checks,
            "trend": self.trend,
        });
        if self.level != Level::Unknown {
            body["violations"] = json!(self.open);
        }
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object_mut()) {
            body.append(more);
        }
        body
    }

    /// The last run of all checks, as it was reported; none before the first.
    pub(crate) fn report(&self) -> Option<Value> {
        let last = self.attempt.as_ref()?;
        let status = Level::of_name(&last.status).unwrap_or(Level::Unknown);
        let mut body = json!({
            "timestamp": last.at,
            "total_checked": last.total,
            "consistent": last.total - last.inconsistent,
            "inconsistent": last.inconsistent,
            "consistency_rate": rate(last.total, last.inconsistent),
            "violations": self.open,
            "total_violations": last.findings,
            "total_users_monitored": last.people,
            "status": status,
            "ratio_status": Level::of_ratio(last.total, last.inconsistent),
            "requires_attention": status != Level::Healthy,
            "partial": false,
            "dry_run": false,
            "duration_seconds": (last.seconds * 1000.0).round() / 1000.0,
            "checks": self.checks,
        });
        if let Some(error) = &last.error {
            body["error"] = json!(error);
        }
        Some(body)
    }

    /// The documented metrics.
    pub(crate) fn metrics(&self) -> Value {
        let (total, bad) = self.totals();
        json!({
            "consistency_rate": self.rate(),
            "violations_count": self.findings,
            "status": self.level,
            "last_check": self.last_check,
            "requires_attention": self.level != Level::Healthy,
            "total_users": self.people,
            "consistent": total - bad,
            "inconsistent": bad,
            "total_users_monitored": self.people,
            "reason": self.reason,
            "ratio_status": self.ratio(),
            "checks": self.checks,
            "trend": self.trend,
        })
    }

    fn rate(&self) -> Option<f64> {
        let (total, bad) = self.totals();
        rate(total, bad).filter(|_| self.level != Level::Unknown)
    }

    fn ratio(&self) -> Level {
        let (total, bad) = self.totals();
        if self.level == Level::Unknown { Level::Unknown } else { Level::of_ratio(total, bad) }
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

/// What lies between two checks, by their schedule.
fn period(now: DateTime<Utc>) -> TimeDelta {
    let schedules = journal::schedules().unwrap_or_else(|error| {
        log::warn!("{error:#}");
        Vec::new()
    });
    let own = schedules.into_iter().find(|job| job.name == OWN_JOB);
    own.and_then(|job| job.schedule.period(now)).unwrap_or(USUAL_PERIOD)
}

/// Why the last run came to nothing: by the database, or by the file, when the database was away then.
fn failure(attempt: Option<&Last>) -> Option<String> {
    if let Some(error) = attempt.and_then(|attempt| attempt.error.clone()) {
        return Some(error);
    }
    let latest = files::latest()?;
    let error = latest["error"].as_str()?;
    let at: DateTime<Utc> = latest["timestamp"].as_str()?.parse().ok()?;
    attempt.is_none_or(|attempt| at > attempt.finished).then(|| error.to_owned())
}

/// How the whole is, and why it is not better.
fn judge(
    attempt: Option<&Last>,
    failure: Option<String>,
    checks: &[Known],
    period: TimeDelta,
) -> (Level, Option<String>) {
    let unknown = |reason: String| (Level::Unknown, Some(reason));
    let minutes = period.num_minutes();
    #[expect(clippy::cast_precision_loss, reason = "minutes")]
    let is_old = |age: f64| age > 2.0 * 60.0 * minutes as f64;
    if let Some(error) = failure {
        return unknown(format!("the last check failed: {error}"));
    }
    let Some(attempt) = attempt else { return unknown("no check has run yet".to_owned()) };
    if is_old(attempt.age) {
        let age = attempt.age / 60.0;
        return unknown(format!("the last check was {age:.0} minutes ago, and is due every {minutes}"));
    }
    let judged = checks.iter().filter_map(|known| {
        let Line { check, table, status, reason, findings, .. } = &known.line;
        let name = table.as_ref().map_or(check.clone(), |table| format!("{check}:{table}"));
        let reason = reason.clone().unwrap_or_else(|| format!("{findings} findings"));
        match Level::of_name(status)? {
            Level::Unknown => Some((Level::Unknown, format!("{name}: {reason}"))),
            _ if is_old(known.age) => Some((Level::Unknown, format!("{name}: not looked at any more"))),
            level => Some((level, format!("{name}: {reason}"))),
        }
    });
    // Of equals the first.
    let worst = judged.reduce(|worst, other| if other.0 > worst.0 { other } else { worst });
    match worst {
        None => unknown("there is nothing to compare".to_owned()),
        Some((Level::Healthy, _)) => (Level::Healthy, None),
        Some((level, reason)) => (level, Some(reason)),
    }
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
