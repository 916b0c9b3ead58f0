//! The SQL that writes runs. All instants are the database's: what comes from a host are durations and ages.

use crate::STALE_SECONDS;
use crate::snapshot::{Snapshot, Status};
use anyhow::{Context, Result};
use postgres::Client;
use postgres::error::SqlState;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is there; the id of its row.
    Row(i64),
    /// The row knows as much already, or is final.
    Older,
    /// Another run of the job is on record as running.
    Taken,
}

/// A run that was closed because nothing is heard of it.
#[derive(Debug)]
pub struct Lost {
    /// Id of its row.
    pub id: i64,
    /// Name of its job.
    pub job: String,
}

/// Every statement of ours ends by itself: bookkeeping waits for nobody. Compiling them would take longer than they do.
const SESSION: &str = "SET statement_timeout = '10s'; SET lock_timeout = '5s'; SET jit = off";

/// A snapshot as JSON, and how many seconds ago it was true. Updated before it is inserted, so that a heartbeat uses up no id.
const WRITE: &str = "
    WITH r AS MATERIALIZED (
        SELECT s.*, moment, moment - make_interval(secs => elapsed) AS start,
            make_interval(secs => elapsed) AS duration,
            metadata || CASE WHEN item IS NULL THEN '{}' ELSE jsonb_build_object('current_item', item) END AS facts
        FROM jsonb_to_record($1::text::jsonb) AS s(run uuid, seq bigint, job text, kind text, parent text, host text,
                pid integer, lease text, status text, total bigint, ok bigint, failed bigint, skipped bigint, item text,
                checkpoint jsonb, rate double precision, exit_code integer, signal integer, error text, metadata jsonb,
                elapsed double precision),
            (SELECT clock_timestamp() - make_interval(secs => $2) AS moment) AS m),
    updated AS (
        UPDATE ops.job_executions j SET seq = r.seq, status = r.status, total_items = r.total,
            items_processed = r.ok + r.failed + r.skipped, items_succeeded = r.ok, items_failed = r.failed,
            items_skipped = r.skipped, items_per_second = r.rate, heartbeat_at = r.moment,
            completed_at = CASE WHEN r.status <> 'running' THEN j.started_at + r.duration END,
            updated_at = clock_timestamp(), exit_code = r.exit_code, term_signal = r.signal, error_message = r.error,
            checkpoint = r.checkpoint, metadata = r.facts
        FROM r WHERE j.run = r.run AND j.status IN ('running', 'lost') AND j.seq < r.seq
        RETURNING j.id),
    inserted AS (
        INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, total_items, items_processed,
            items_succeeded, items_failed, items_skipped, items_per_second, started_at, heartbeat_at, completed_at,
            exit_code, term_signal, error_message, parent_run, host, pid, lease, checkpoint, metadata)
        SELECT run, seq, job, kind, status, total, ok + failed + skipped, ok, failed, skipped, rate, start, moment,
            CASE WHEN status <> 'running' THEN start + duration END, exit_code, signal, error,
            CASE WHEN parent ~ '^[0-9]+$' THEN (SELECT p.run FROM ops.job_executions p WHERE p.id = parent::bigint)
                 ELSE parent::uuid END,
            host, pid, lease, checkpoint, facts
        FROM r WHERE NOT EXISTS (SELECT FROM ops.job_executions e WHERE e.run = r.run)
        ON CONFLICT (run) DO NOTHING RETURNING id)
    SELECT id FROM updated UNION ALL SELECT id FROM inserted";

/// Runs without a heartbeat end where they were last heard of. A heartbeat of the future is none: the clock was set back.
/// A run that held the lease which is held now is gone, however fresh its heartbeat.
const REAP: &str = "
    UPDATE ops.job_executions SET status = 'lost', completed_at = heartbeat_at, updated_at = clock_timestamp(),
        error_message = coalesce(error_message, 'no heartbeat: killed, or its host is gone')
    WHERE status = 'running' AND (heartbeat_at < clock_timestamp() - make_interval(secs => $1)
        OR heartbeat_at > clock_timestamp() + make_interval(secs => $1)
        OR (job_name = $2 AND lease = $3))
    RETURNING id, job_name";

/// Compares a run with the last twenty of its job that went well and were not conspicuous themselves. Five conspicuous ones
/// in a row are the new way of the job.
const FLAG: &str = "
    WITH this AS MATERIALIZED (SELECT * FROM ops.job_executions WHERE run = $1::text::uuid),
    past AS MATERIALIZED (
        SELECT p.items_processed AS items, extract(epoch FROM p.completed_at - p.started_at) AS seconds, p.warning,
            row_number() OVER (ORDER BY p.started_at DESC) AS nth
        FROM ops.job_executions p JOIN this ON p.job_name = this.job_name AND p.started_at < this.started_at
        WHERE p.status IN ('completed', 'partial') ORDER BY p.started_at DESC LIMIT 100),
    usual AS (
        SELECT count(*) AS runs, min(items) AS items, min(seconds) AS seconds
        FROM (SELECT * FROM past WHERE warning IS NULL ORDER BY nth LIMIT 20) AS unremarkable),
    habit AS (SELECT count(*) FILTER (WHERE warning IS NOT NULL) = 5 AS is_new FROM past WHERE nth <= 5)
    UPDATE ops.job_executions j SET warning = nullif(concat_ws('; ',
        CASE WHEN usual.seconds >= 10 AND 2 * extract(epoch FROM j.completed_at - j.started_at) < usual.seconds
            THEN format('too fast: %s s, never under %s s in its last %s runs',
                round(extract(epoch FROM j.completed_at - j.started_at), 1), round(usual.seconds, 1), usual.runs) END,
        CASE WHEN usual.items >= 20 AND 2 * j.items_processed < usual.items
            THEN format('too few: %s items, never under %s in its last %s runs',
                j.items_processed, usual.items, usual.runs) END), '')
    FROM this, usual, habit
    WHERE j.run = this.run AND j.status IN ('completed', 'partial') AND usual.runs >= 5 AND NOT habit.is_new
    RETURNING j.warning";

/// Of each job its newest 200 runs stay, of older ones those of the last 90 days among the newest 3,000, and always the
/// latest that went well and the latest that did not.
const PURGE: &str = "
    DELETE FROM ops.job_executions WHERE id IN (
        SELECT id FROM (
            SELECT id, started_at, status, row_number() OVER (ORDER BY started_at DESC) AS nth,
                row_number() OVER (PARTITION BY status IN ('completed', 'partial') ORDER BY started_at DESC) AS nth_of_kind
            FROM ops.job_executions WHERE job_name = $1) AS ranked
        WHERE nth > 200 AND nth_of_kind > 1 AND status <> 'running'
            AND (nth > 3000 OR started_at < clock_timestamp() - interval '90 days')
        LIMIT 1000)";

/// Connects, for bookkeeping.
pub(crate) fn connect(application: &str) -> Result<Client> {
    let mut client = warehouse::connect(application)?;
    client.batch_execute(SESSION).map_err(|error| warehouse::fault(&error))?;
    Ok(client)
}

/// Writes a snapshot that was true `age` seconds ago.
pub(crate) fn write(client: &mut Client, snapshot: &Snapshot, age: f64) -> Result<Written> {
    let text = serde_json::to_string(snapshot)?;
    match client.query_opt(WRITE, &[&text, &age]) {
        Ok(Some(row)) => Ok(Written::Row(row.get(0))),
        Ok(None) => Ok(Written::Older),
        Err(error) if is_taken(&error) => Ok(Written::Taken),
        Err(error) => Err(refusal(&error)).context("writing ops.job_executions"),
    }
}

/// Compares a run that ended with its job's history, and removes runs that are too old to keep.
pub(crate) fn settle(client: &mut Client, snapshot: &Snapshot) -> Result<Option<String>> {
    if snapshot.status == Status::Running {
        return Ok(None);
    }
    let identity = &snapshot.identity;
    let flagged = client.query_opt(FLAG, &[&identity.run]).map_err(|error| refusal(&error));
    let warning = flagged.context("comparing with earlier runs")?.and_then(|row| row.get(0));
    client.execute(PURGE, &[&identity.job]).map_err(|error| refusal(&error)).context("removing old runs")?;
    Ok(warning)
}

/// Closes the runs that are lost; with the name of a job and of its lease, also those that held the lease before.
///
/// # Errors
/// When the database is away, or its tables are not ours.
pub fn reap(client: &mut Client, held: Option<(&str, &str)>) -> Result<Vec<Lost>> {
    let (job, lease) = held.unzip();
    let rows = client.query(REAP, &[&f64::from(STALE_SECONDS), &job, &lease]);
    let rows = rows.map_err(|error| refusal(&error)).context("closing lost runs")?;
    Ok(rows.iter().map(|row| Lost { id: row.get(0), job: row.get(1) }).collect())
}

/// Says who runs a job: `run 12 on HOST (process 34) since …`.
pub(crate) fn holder(client: &mut Client, job: &str) -> Result<Option<String>> {
    let query = "SELECT format('run %s on %s (process %s) since %s UTC', id, host, pid,
            to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
        FROM ops.job_executions WHERE job_name = $1 AND status = 'running'";
    let row = client.query_opt(query, &[&job]).map_err(|error| refusal(&error))?;
    Ok(row.map(|row| row.get(0)))
}

/// Marks an error that will come again however often the same is written.
#[derive(Debug)]
struct Refusal;

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the database will not take it")
    }
}

/// Whether an error is about what was written, not about the database.
pub(crate) fn is_refusal(error: &anyhow::Error) -> bool {
    error.is::<Refusal>()
}

fn refusal(error: &postgres::Error) -> anyhow::Error {
    let ours = warehouse::fault(error);
    let about_data =
        |code: &SqlState| code.code().starts_with("22") || matches!(code.code(), "23502" | "23505" | "23514");
    if error.code().is_some_and(about_data) { ours.context(Refusal) } else { ours }
}

fn is_taken(error: &postgres::Error) -> bool {
    let refusal = error.as_db_error();
    refusal.is_some_and(|refusal| refusal.constraint() == Some("job_executions_live_idx"))
}
