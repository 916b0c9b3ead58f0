//! Exports on their way into the snapshot: their keys in temporary tables, and where they differ from the mirror's.

use crate::checks::{ERASED, Side};
use crate::keys::{self, Writing};
use anyhow::{Context, Result, ensure};
use catalog::{Catalog, Resource};
use chrono::{DateTime, TimeDelta, Utc};
use exports::{Manifest, Place, Scope, Snapshot};
use postgres::{Client, Transaction};
use tool::{Judge, Verdict};
use warehouse::{fault, literal, quoted};

/// How long after it was published an export may still be on its way into its table.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// Why a check says nothing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// There is nothing that it could compare.
    Inapplicable(String),
    /// Something is in motion; the next run looks again.
    Waiting(String),
    /// It could not be done.
    Failed(String),
}

/// An export whose keys are in the database.
pub(crate) struct Staged<'a> {
    pub(crate) resource: &'a Resource,
    manifest: Manifest,
    rows: u64,
    keyless: u64,
}

/// Brings the keys of a resource's last full export into a temporary table of this session.
///
/// # Errors
/// When the database is lost; what is wrong with the export is a [`Silence`].
pub(crate) fn stage<'a>(
    client: &mut Client,
    catalog: &Catalog,
    resource: &'a Resource,
    cursus: u64,
    writing: Writing,
) -> Result<Result<Staged<'a>, Silence>> {
    let cursus = catalog.is_of_cursus(resource).then_some(cursus);
    let place = Place::new(&Place::root(), &resource.file, Scope { cursus, campus: None });
    let manifest = match Snapshot::open(&place) {
        Err(error) => return Ok(Err(Silence::Failed(format!("{error:#}")))),
        Ok(None) => return Ok(Err(Silence::Inapplicable("there is no export".to_owned()))),
        Ok(Some(snapshot)) => snapshot.manifest,
    };
    if !manifest.complete {
        return Ok(Err(Silence::Inapplicable("the last export is not complete".to_owned())));
    }
    let kept = match keys::open(resource, &place, &manifest, writing) {
        Ok(kept) => kept,
        Err(error) => return Ok(Err(Silence::Failed(format!("{error:#}")))),
    };
    let (rows, keyless) = (kept.rows, kept.keyless);
    send(client, resource, kept).with_context(|| format!("the keys of {}", place.data().display()))?;
    Ok(Ok(Staged { resource, manifest, rows, keyless }))
}

fn send(client: &mut Client, resource: &Resource, mut kept: keys::Kept) -> Result<()> {
    let (table, differ) = (keys_table(resource), differ_table(resource));
    let create = format!(
        "CREATE TEMP TABLE {table} ({columns});
         CREATE TEMP TABLE {differ} (_side text, {columns}, ingested_at timestamptz)",
        columns = keys::columns(resource)
    );
    client.batch_execute(&create).map_err(|error| fault(&error))?;
    let copy = format!("COPY {table} FROM STDIN (FORMAT binary)");
    let mut writer = client.copy_in(&copy).map_err(|error| fault(&error))?;
    std::io::copy(&mut kept.reader, &mut writer).verdict(Verdict::Unreachable)?;
    let taken = writer.finish().map_err(|error| fault(&error))?;
    ensure!(taken == kept.rows, "PostgreSQL took {taken} keys of the {} that were sent", kept.rows);
    Ok(())
}

impl Staged<'_> {
    /// Whether the export may be held against its table now, by the loads that the snapshot knows.
    pub(crate) fn silence(
        &self,
        transaction: &mut Transaction<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Silence>> {
        let query = "SELECT sha256, scope ->> 'cursus', walk_started > $2::text::timestamptz FROM ops.loads
            WHERE (table_name, id) BETWEEN ($1, 0::bigint) AND ($1, 9223372036854775807)
                AND kind = 'full' AND scope ->> 'campus' IS NULL ORDER BY table_name DESC, id DESC LIMIT 1";
        let started = self.manifest.started.to_rfc3339();
        let last = transaction.query_opt(query, &[&self.resource.table, &started]);
        let last = last.map_err(|error| fault(&error)).context("looking at earlier loads")?;
        let fresh = now - self.manifest.finished < GRACE;
        let Some(last) = last else {
            let waits = || Silence::Waiting("the export was published just now, and no load was".to_owned());
            return Ok(fresh.then(waits));
        };
        let (sha256, cursus, newer): (Option<String>, Option<String>, Option<bool>) =
            (last.get(0), last.get(1), last.get(2));
        let ours = self.manifest.scope.cursus.map(|cursus| cursus.to_string());
        Ok(if cursus != ours {
            let held = cursus.unwrap_or_default();
            Some(Silence::Inapplicable(format!("the table holds cursus {held}, not that of the export")))
        } else if newer == Some(true) {
            Some(Silence::Waiting("a newer export was loaded meanwhile".to_owned()))
        } else if fresh && sha256.as_ref() != Some(&self.manifest.sha256) {
            Some(Silence::Waiting("the export was published just now, and is not loaded yet".to_owned()))
        } else {
            None
        })
    }

    /// Writes down where the two differ, once for both directions. A temporary table may be written in a snapshot that is
    /// read-only.
    pub(crate) fn compare(&self, transaction: &mut Transaction<'_>) -> Result<()> {
        let resource = self.resource;
        let columns = warehouse::key_columns(resource);
        let columns = columns.map(|column| {
            let name = quoted(&column.name);
            if resource.key.contains(&column.name) {
                format!("coalesce(k.{name}, t.{name})")
            } else {
                format!("k.{name}")
            }
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let same = resource.key.iter().map(|name| format!("t.{0} = k.{0}", quoted(name)));
        let first = quoted(&resource.key[0]);
        let statement = format!(
            "INSERT INTO {differ}
             SELECT CASE WHEN t.{first} IS NULL THEN 'export' ELSE 'table' END, {columns}, t.ingested_at
             FROM {keys} k FULL JOIN {table} t ON {same} WHERE t.{first} IS NULL OR k.{first} IS NULL",
            differ = differ_table(resource),
            keys = keys_table(resource),
            table = quoted(&resource.table),
            same = same.collect::<Vec<_>>().join(" AND ")
        );
        transaction.execute(&statement, &[]).map(drop).map_err(|error| fault(&error))
    }

    /// The statement of a check: groups, as [`crate::checks::Body::Groups`].
    pub(crate) fn statement(&self, catalog: &Catalog, side: Side) -> Result<String, Silence> {
        match side {
            Side::Export => Ok(self.missing(catalog)),
            // As a load, which deletes nothing then.
            Side::Table if self.keyless > 0 => {
                Err(Silence::Inapplicable(format!("{} records of the export have no key", self.keyless)))
            }
            Side::Table => Ok(self.surplus()),
        }
    }

    /// Records that a load of the export would bring: in neither table nor quarantine, though their parents are there.
    fn missing(&self, catalog: &Catalog) -> String {
        let mut conditions = String::new();
        for column in warehouse::key_columns(self.resource) {
            let parent = column.references.as_deref().and_then(|table| catalog.find(table).ok());
            let Some(parent) = parent else { continue };
            let (name, above, key) = (quoted(&column.name), quoted(&parent.table), quoted(&parent.key[0]));
            conditions.push_str(&format!(
                " AND (d.{name} IS NULL OR EXISTS (SELECT FROM {above} p WHERE p.{key} = d.{name}))"
            ));
        }
        // People who were erased do not come back by an old export.
        if self.resource.lookup.is_some() {
            let key = quoted(&self.resource.key[0]);
            conditions.push_str(&format!(
                " AND NOT EXISTS (SELECT FROM {ERASED} x WHERE x.user_id = d.{key} AND x.lifted_at IS NULL)"
            ));
        }
        format!(
            "WITH missing AS (
                 SELECT DISTINCT {subject} AS subject FROM {differ} d WHERE d._side = 'export'{conditions}
                     AND NOT EXISTS (SELECT FROM ops.quarantine q
                         WHERE q.table_name = {label} AND q.record_key = {key}))
             SELECT subject, 1 AS left_value, NULL::int AS right_value, 1::bigint AS rows FROM missing
             UNION ALL SELECT NULL, NULL, NULL, {rows} - count(*) FROM missing",
            subject = subject(self.resource, "d"),
            differ = differ_table(self.resource),
            label = literal(&self.resource.table),
            key = key_text(self.resource, "d"),
            rows = self.rows
        )
    }

    /// Rows that were there before the export's walk began, and that it has not met.
    fn surplus(&self) -> String {
        let started = format!("{}::timestamptz", literal(&self.manifest.started.to_rfc3339()));
        format!(
            "WITH surplus AS (
                 SELECT {subject} AS subject FROM {differ} d WHERE d._side = 'table' AND d.ingested_at < {started})
             SELECT subject, 1 AS left_value, NULL::int AS right_value, 1::bigint AS rows FROM surplus
             UNION ALL SELECT NULL, NULL, NULL,
                 (SELECT count(*) FROM {table} t WHERE t.ingested_at < {started}) - (SELECT count(*) FROM surplus)",
            subject = subject(self.resource, "d"),
            differ = differ_table(self.resource),
            table = quoted(&self.resource.table)
        )
    }
}

fn keys_table(resource: &Resource) -> String {
    format!("_keys_{}", resource.table)
}

fn differ_table(resource: &Resource) -> String {
    format!("_differ_{}", resource.table)
}

/// `{"id": 7}`, as SQL.
fn subject(resource: &Resource, from: &str) -> String {
    let members = resource.key.iter().map(|name| format!("{}, {from}.{}", literal(name), quoted(name)));
    format!("jsonb_build_object({})", members.collect::<Vec<_>>().join(", "))
}

/// The key as quarantine writes it.
fn key_text(resource: &Resource, from: &str) -> String {
    let columns: Vec<_> = resource.key.iter().map(|name| format!("{from}.{}", quoted(name))).collect();
    match columns.as_slice() {
        [only] => format!("{only}::text"),
        several => format!("jsonb_build_array({})::text", several.join(", ")),
    }
}
