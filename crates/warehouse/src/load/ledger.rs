//! The record of a load, and how far a table is: both in the transaction of the rows.

use super::attempt::Attempt;
use crate::fault;
use anyhow::{Context, Result, anyhow};
use catalog::Resource;
use chrono::{DateTime, TimeDelta, Utc};
use exports::{Kind, Manifest, Window};
use postgres::Client;
use std::time::Duration;
use verdict::{Judge, Verdict};

/// How long before the start of a full walk its watermark stands: clocks differ, and the API's own indexes lag.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// Up to when the changes of a table are in the mirror, in RFC 3339 with `Z`, to the millisecond as the API's; none before the first
/// complete export was loaded.
///
/// # Errors
/// [`verdict::Verdict::Config`] when `ops.watermarks` is missing.
pub fn watermark(client: &mut Client, resource: &Resource) -> Result<Option<String>> {
    // Cut, never rounded up: an earlier watermark is only less thrifty.
    let query = "SELECT to_char(date_trunc('milliseconds', watermark AT TIME ZONE 'UTC'),
            'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')
        FROM ops.watermarks WHERE table_name = $1";
    let row = client.query_opt(query, &[&resource.table]).map_err(|error| fault::of(&error));
    Ok(row.context("reading the watermark")?.map(|row| row.get(0)))
}

/// Takes a watermark back that is ahead of the walk whose load moved it, to where a load proves it: the start of that walk,
/// or of the last full one where that load is unknown, less an overlap. Without any, the table has no watermark any more and
/// is followed anew. Gives the watermark as [`watermark`] does.
///
/// # Errors
/// As [`watermark`].
pub fn rewind(client: &mut Client, resource: &Resource) -> Result<Option<String>> {
    let proof =
        "SELECT l.id, l.walk_started FROM ops.loads l WHERE l.table_name = $1 AND l.walk_started IS NOT NULL
        AND (l.id = w.load_id OR l.kind = 'full' AND l.scope ->> 'campus' IS NULL)
        ORDER BY l.id = w.load_id DESC, l.id DESC LIMIT 1";
    let update = format!(
        "WITH proven AS MATERIALIZED (
             SELECT p.id, p.walk_started FROM ops.watermarks w LEFT JOIN LATERAL ({proof}) p ON true
             WHERE w.table_name = $1 AND (p.id IS DISTINCT FROM w.load_id OR w.watermark > p.walk_started)),
         gone AS (DELETE FROM ops.watermarks USING proven WHERE table_name = $1 AND proven.id IS NULL)
         UPDATE ops.watermarks SET watermark = least(watermark, proven.walk_started - make_interval(secs => $2)),
             load_id = proven.id, updated_at = now()
         FROM proven WHERE table_name = $1 AND proven.id IS NOT NULL"
    );
    #[expect(clippy::cast_precision_loss, reason = "five minutes")]
    let overlap = OVERLAP.num_seconds() as f64;
    let done = client.execute(&update, &[&resource.table, &overlap]).map_err(|error| fault::of(&error));
    done.context("taking the watermark back")?;
    watermark(client, resource)
}

/// Refuses an export that would take the table to another cursus, or back in time.
///
/// # Errors
/// [`Verdict::Refused`], with the way to add and update without deleting.
pub(super) fn refuse_what_would_go_back(attempt: &mut Attempt<'_>, manifest: &Manifest) -> Result<()> {
    let query = "SELECT scope ->> 'cursus', walk_started > $2::text::timestamptz,
            to_char(walk_started AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
        FROM ops.loads WHERE table_name = $1 AND kind = 'full' AND scope ->> 'campus' IS NULL
        ORDER BY walk_started DESC LIMIT 1";
    let started = manifest.started.to_rfc3339();
    let rows = attempt.rows("looking at earlier loads", query, &[&attempt.load.resource.table, &started])?;
    let Some(last) = rows.first() else { return Ok(()) };
    let cursus = manifest.scope.cursus.map(|cursus| cursus.to_string());
    let (held, newer, walked): (Option<String>, bool, String) = (last.get(0), last.get(1), last.get(2));
    let problem = if held != cursus {
        format!("the table holds cursus {}, not this one", held.unwrap_or_default())
    } else if newer && manifest.kind == Kind::Full && manifest.scope.campus.is_none() {
        format!("older than the walk of {walked} UTC that is loaded")
    } else {
        return Ok(());
    };
    let source = &attempt.summary.source;
    let way_out = "as standard input it would only add and update; nothing was written";
    Err(anyhow!("{source}: {problem}; {way_out}").verdict(Verdict::Refused))
}

/// Writes the load into `ops.loads` and moves the watermark.
pub(super) fn record(attempt: &mut Attempt<'_>, manifest: Option<&Manifest>) -> Result<()> {
    if let Some(step) = manifest.and_then(|manifest| step(manifest, attempt.load.overlap)) {
        move_watermark(attempt, &step)?;
    }
    let kind = match (attempt.summary.read, manifest.map(|manifest| manifest.kind)) {
        (_, Some(Kind::Full)) => "full",
        (_, Some(Kind::Changes)) => "changes",
        (0, None) if attempt.summary.released > 0 => "release",
        (_, None) => "upsert",
    };
    let scope = manifest.map(|manifest| serde_json::to_string(&manifest.scope)).transpose()?;
    let sha256 = manifest.map(|manifest| &manifest.sha256);
    let walked = manifest.map(|manifest| manifest.started.to_rfc3339());
    let seconds = attempt.seconds();
    let summary = attempt.summary.clone();
    let cascaded = serde_json::to_string(&summary.cascaded)?;
    let statement = format!(
        "INSERT INTO ops.loads (id, table_name, source, kind, scope, sha256, walk_started, started_at, finished_at, seconds,
             cascaded, read, inserted, updated, unchanged, deleted, quarantined, released, rejected, out_of_scope,
             duplicates, stale, erased)
         OVERRIDING SYSTEM VALUE
         VALUES ($1, $2, $3, $4, $5::text::jsonb, $6, $7::text::timestamptz, now(), clock_timestamp(), $8,
             $9::text::jsonb, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) RETURNING id",
        summary.read, summary.inserted, summary.updated, summary.unchanged, summary.deleted, summary.quarantined,
        summary.released, summary.rejected, summary.out_of_scope, summary.duplicates, summary.stale,
        summary.erased,
    );
    let number = attempt.number;
    attempt.row(
        "recording the load",
        &statement,
        &[&number, &summary.table, &summary.source, &kind, &scope, &sha256, &walked, &seconds, &cascaded],
    )?;
    Ok(())
}

/// What an export says of a watermark.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    /// Where it may move to.
    to: DateTime<Utc>,
    /// For a window: where the watermark must have arrived already, or changes in between would be skipped.
    from: Option<DateTime<Utc>>,
    /// Whether a table without a watermark gets one. A window up to now may begin one, so that the next one joins it;
    /// what changed before it comes with the first full walk.
    begins: bool,
}

/// A walk of everything, or a window of everything, moves the watermark; a part of the world or of a walk does not.
///
/// What is between `live_overlap` and the start of a window is read again by the next one: at a poll a minute, five
/// minutes would make each change cost five times over. A change that the API shows later is the nightly's.
fn step(manifest: &Manifest, live_overlap: Duration) -> Option<Step> {
    let live_overlap = TimeDelta::from_std(live_overlap).unwrap_or(OVERLAP);
    let safe = |overlap| manifest.started - overlap;
    match (manifest.kind, manifest.window) {
        _ if !manifest.complete || manifest.scope.campus.is_some() => None,
        (Kind::Full, _) => Some(Step { to: safe(OVERLAP), from: None, begins: true }),
        (Kind::Changes, Some(Window { from, to })) => {
            let safe = safe(live_overlap);
            Some(Step { to: to.map_or(safe, |to| to.min(safe)), from: Some(from), begins: to.is_none() })
        }
        (Kind::Changes, None) => None,
    }
}

fn move_watermark(attempt: &mut Attempt<'_>, step: &Step) -> Result<()> {
    let update =
        "UPDATE ops.watermarks SET watermark = $2::text::timestamptz, load_id = $3, updated_at = now()
        WHERE table_name = $1 AND watermark < $2::text::timestamptz
            AND watermark >= coalesce($4::text::timestamptz, '-infinity') RETURNING table_name";
    let insert =
        "INSERT INTO ops.watermarks (table_name, watermark, load_id) VALUES ($1, $2::text::timestamptz, $3)
        ON CONFLICT (table_name) DO NOTHING RETURNING table_name";
    let (to, from) = (step.to.to_rfc3339(), step.from.map(|from| from.to_rfc3339()));
    let (table, number) = (&attempt.load.resource.table, attempt.number);
    attempt.rows("moving the watermark", update, &[table, &to, &number, &from])?;
    if step.begins {
        attempt.rows("beginning the watermark", insert, &[table, &to, &number])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use exports::Scope;

    fn step(manifest: &Manifest) -> Option<Step> {
        super::step(manifest, Duration::from_secs(60))
    }

    fn manifest(kind: Kind) -> Manifest {
        let started: DateTime<Utc> = "2025-12-13T08:24:00Z".parse().unwrap();
        Manifest {
            resource: "08_users".to_owned(),
            scope: Scope { cursus: Some(21), campus: None },
            kind,
            complete: true,
            rows: 0,
            total: None,
            unresolved: 0,
            bytes: 0,
            sha256: String::new(),
            query: String::new(),
            calls: 0,
            retries: 0,
            throttled: 0,
            started,
            finished: started,
            window: None,
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_full_walk_moves_the_watermark_to_its_start_minus_an_overlap() {
        let full = manifest(Kind::Full);
        assert_eq!(step(&full), Some(Step { to: at("2025-12-13T08:19:00Z"), from: None, begins: true }));
        assert_eq!(step(&Manifest { complete: false, ..full.clone() }), None);
        let scope = Scope { cursus: Some(21), campus: Some(1) };
        assert_eq!(step(&Manifest { scope, ..full }), None);
    }

    #[test]
    fn a_window_moves_it_to_its_end_but_never_past_what_is_safe() {
        let from = at("2025-12-13T08:00:00Z");
        let window = |to| Manifest { window: Some(Window { from, to }), ..manifest(Kind::Changes) };
        let to = |text, begins| Some(Step { to: at(text), from: Some(from), begins });
        assert_eq!(step(&window(None)), to("2025-12-13T08:23:00Z", true));
        assert_eq!(step(&window(Some(at("2025-12-13T08:10:00Z")))), to("2025-12-13T08:10:00Z", false));
        assert_eq!(step(&window(Some(at("2025-12-13T08:24:00Z")))), to("2025-12-13T08:23:00Z", false));
        assert_eq!(step(&manifest(Kind::Changes)), None);
    }
}
