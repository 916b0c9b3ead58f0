//! The SQL that keeps what a run saw: the run, how each check came out, and findings, open until a run finds them no more.

use crate::finding::{Finding, History};
use crate::level::Level;
use crate::measure::{Measured, State};
use crate::report::{Line, Report};
use anyhow::{Context, Result};
use postgres::{Client, Transaction};
use serde_json::{Value, json};
use std::collections::HashMap;
use warehouse::fault;

/// One run at a time, all hosts together: an older look must not overwrite what a newer one saw.
const LOCK: &str = "SET lock_timeout = '60s'; SELECT pg_advisory_lock(43, 1)";

const RUN: &str = "INSERT INTO ops.integrity_runs (started_at, finished_at, whole, status, total_checked, inconsistent, findings,
        people, error, host)
    VALUES ($1::text::timestamptz, clock_timestamp(), $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id";

/// What waits keeps its result; a run of some checks leaves all in their places.
const CHECKS: &str = "
    INSERT INTO ops.integrity_checks AS c (check_name, table_name, place, status, severity, total, inconsistent, findings, reason,
        seconds, checked_at, run_id)
    SELECT r.check, coalesce(r.\"table\", ''), r.place, r.status, r.severity, r.total, r.inconsistent, r.findings, r.reason,
        r.seconds, clock_timestamp(), $2
    FROM jsonb_to_recordset($1::text::jsonb) AS r(\"check\" text, \"table\" text, place integer, status text, severity text,
        total bigint, inconsistent bigint, findings bigint, reason text, seconds double precision)
    WHERE r.status <> 'waiting'
    ON CONFLICT (check_name, table_name) DO UPDATE SET place = CASE WHEN $3 THEN c.place ELSE excluded.place END, status = excluded.status,
        severity = excluded.severity, total = excluded.total, inconsistent = excluded.inconsistent,
        findings = excluded.findings, reason = excluded.reason, seconds = excluded.seconds,
        checked_at = excluded.checked_at, run_id = excluded.run_id";

const FOUND: &str = "
    INSERT INTO ops.integrity_violations AS v (check_name, table_name, subject, finding, first_seen, last_seen, times_seen, run_id)
    SELECT DISTINCT ON (f ->> 'check', f ->> 'table', f ->> 'subject') f ->> 'check', coalesce(f ->> 'table', ''), f ->> 'subject', f, clock_timestamp(), clock_timestamp(), 1, $2
    FROM json_array_elements($1::text::json) AS f
    ON CONFLICT (check_name, table_name, subject) DO UPDATE SET finding = excluded.finding, last_seen = excluded.last_seen,
        times_seen = CASE WHEN v.resolved_at IS NULL THEN v.times_seen + 1 ELSE 1 END,
        reopened = v.reopened + (v.resolved_at IS NOT NULL)::int, resolved_at = NULL, run_id = excluded.run_id";

/// What a check that was done to its end did not find again. One that shows only its first findings resolves none.
const RESOLVE: &str = "
    UPDATE ops.integrity_violations v SET resolved_at = clock_timestamp()
    FROM jsonb_to_recordset($1::text::jsonb) AS r(\"check\" text, \"table\" text)
    WHERE v.resolved_at IS NULL AND v.check_name = r.check AND v.table_name = coalesce(r.\"table\", '') AND v.run_id <> $2";

/// Checks that there are no more: the catalog has changed.
const FORGET: &str = "
    WITH there AS MATERIALIZED (SELECT r.check AS name, coalesce(r.\"table\", '') AS of
        FROM jsonb_to_recordset($1::text::jsonb) AS r(\"check\" text, \"table\" text)),
    gone AS (DELETE FROM ops.integrity_checks c
        WHERE NOT EXISTS (SELECT FROM there WHERE name = c.check_name AND of = c.table_name))
    DELETE FROM ops.integrity_violations v
    WHERE NOT EXISTS (SELECT FROM there WHERE name = v.check_name AND of = v.table_name)";

const PURGE: &str = "
    DELETE FROM ops.integrity_runs WHERE finished_at < clock_timestamp() - interval '30 days';
    DELETE FROM ops.integrity_violations WHERE resolved_at < clock_timestamp() - interval '30 days'";

const OPEN: &str = "SELECT check_name, table_name, count(*) FROM ops.integrity_violations WHERE resolved_at IS NULL GROUP BY 1, 2";

const KNOWN: &str = "SELECT to_char(v.first_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),
        CASE WHEN v.resolved_at IS NULL THEN v.times_seen ELSE 0 END, v.reopened + (v.resolved_at IS NOT NULL)::int
    FROM json_array_elements($1::text::json) WITH ORDINALITY AS e(f, nth)
    LEFT JOIN ops.integrity_violations v ON v.check_name = f ->> 'check' AND v.table_name = coalesce(f ->> 'table', '')
        AND v.subject = f ->> 'subject'
    ORDER BY nth";

/// Waits until no other run may write, and keeps them waiting until the connection ends.
pub(crate) fn take_turn(client: &mut Client) -> Result<()> {
    let locked = client.batch_execute(LOCK).map_err(|error| fault(&error));
    locked.context("waiting for another run of check-integrity")
}

/// Where a check that has nothing to compare any more has open findings, what is gone is the evidence: it failed.
pub(crate) fn doubt(client: &mut Client, measured: &mut Measured) -> Result<()> {
    use crate::staging::Silence::{Failed, Inapplicable};
    let rows = client.query(OPEN, &[]).map_err(|error| fault(&error)).context("reading open findings")?;
    let open: HashMap<(String, String), i64> =
        rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
    for outcome in &mut measured.results {
        let key = (outcome.check.name.clone(), outcome.check.table.clone().unwrap_or_default());
        if let (State::Silent(Inapplicable(reason)), Some(count)) = (&outcome.state, open.get(&key)) {
            let reason = format!("{reason}, and {count} findings are open");
            outcome.state = State::Silent(Failed(reason));
        }
    }
    Ok(())
}

/// Keeps a run, all of it or nothing, and tells each finding since when it is known.
pub(crate) fn keep(client: &mut Client, report: &Report, findings: &mut [Finding]) -> Result<()> {
    let keep = |client: &mut Client, report: &Report| -> Result<()> {
        let mut transaction = client.transaction().map_err(|error| fault(&error))?;
        let run = insert_run(&mut transaction, report)?;
        let lines: Vec<Value> = report.checks.iter().enumerate().map(placed).collect();
        let lines = serde_json::to_string(&lines)?;
        transaction.execute(CHECKS, &[&lines, &run, &report.partial]).map_err(|error| fault(&error))?;
        let found = serde_json::to_string(&findings)?;
        transaction.execute(FOUND, &[&found, &run]).map_err(|error| fault(&error))?;
        let done: Vec<&Line> = report.checks.iter().filter(|line| is_done(line, findings)).collect();
        let done = serde_json::to_string(&done)?;
        transaction.execute(RESOLVE, &[&done, &run]).map_err(|error| fault(&error))?;
        if !report.partial {
            transaction.execute(FORGET, &[&lines]).map_err(|error| fault(&error))?;
        }
        transaction.batch_execute(PURGE).map_err(|error| fault(&error))?;
        transaction.commit().map_err(|error| fault(&error))
    };
    keep(client, report).context("keeping the run")?;
    remember(client, findings, 0)
}

/// Tells each finding since when it is known; `more` is added to the runs that have seen it.
pub(crate) fn remember(client: &mut Client, findings: &mut [Finding], more: i32) -> Result<()> {
    let asked = serde_json::to_string(&findings)?;
    let rows = client.query(KNOWN, &[&asked]).map_err(|error| fault(&error)).context("reading findings")?;
    for (finding, row) in findings.iter_mut().zip(&rows) {
        let first_seen: Option<String> = row.get(0);
        finding.history = first_seen.map(|first_seen| History {
            first_seen,
            times_seen: row.get::<_, i32>(1) + more,
            reopened: row.get(2),
        });
    }
    Ok(())
}

/// Keeps a run that came to nothing.
pub(crate) fn keep_failure(report: &Report) -> Result<()> {
    let mut client = warehouse::connect("check-integrity")?;
    client.batch_execute("SET statement_timeout = '10s'").map_err(|error| fault(&error))?;
    let mut transaction = client.transaction().map_err(|error| fault(&error))?;
    insert_run(&mut transaction, report)?;
    transaction.commit().map_err(|error| fault(&error)).context("keeping a run that failed")
}

fn insert_run(transaction: &mut Transaction<'_>, report: &Report) -> Result<i64> {
    let Report { total_checked, inconsistent, total_violations, total_users_monitored, .. } = report;
    let whole = !report.partial;
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let row = transaction.query_one(
        RUN,
        &[
            &report.timestamp,
            &whole,
            &report.status.name(),
            total_checked,
            inconsistent,
            total_violations,
            total_users_monitored,
            &report.error,
            &host,
        ],
    );
    Ok(row.map_err(|error| fault(&error))?.get(0))
}

fn placed((place, line): (usize, &Line)) -> Value {
    let mut value = json!(line);
    value["place"] = place.into();
    value
}

fn is_done(line: &Line, findings: &[Finding]) -> bool {
    let shown = findings.iter().filter(|finding| finding.check == line.check && finding.table == line.table);
    let is_measured = Level::of_name(&line.status).is_some_and(|level| level != Level::Unknown);
    (is_measured || line.status == "not_applicable") && i64::try_from(shown.count()) == Ok(line.findings)
}
