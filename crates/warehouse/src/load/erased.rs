//! People who were erased: their records, and what hangs on them, are turned away until they may come again.
//!
//! A tombstone stands for what the mirror has forgotten, so everything older than it is turned away: last week's export,
//! a slow queue, a row out of quarantine. Only evidence that is newer lifts it: a record that changed since, or one of
//! an export whose walk began since, that says nothing of an erasure which is due. Who asked to be erased stays so
//! until a person says otherwise.

use super::attempt::Attempt;
use super::locks;
use super::prune::{self, gone};
use super::sql::Terms;
use crate::name::{literal, quoted};
use anyhow::Result;
use catalog::{Resource, Type};
use exports::Manifest;

/// Takes the records of people who were erased out of the stage, and counts them.
pub(super) fn turn_away(attempt: &mut Attempt<'_>, manifest: Option<&Manifest>) -> Result<()> {
    let (catalog, resource) = (attempt.load.catalog, attempt.load.resource);
    let owners = catalog.owners(resource);
    if !is_anybody(attempt)? {
        return Ok(());
    }
    if !resource.erase_at.is_empty() {
        attempt.execute("lifting tombstones", &lift(attempt.terms, manifest))?;
    }
    for column in owners {
        let delete = format!(
            "DELETE FROM _stage s USING ops.tombstones x WHERE x.user_id = s.{} AND x.lifted_at IS NULL",
            quoted(&column.name)
        );
        attempt.summary.erased += attempt.execute("turning away who was erased", &delete)?;
    }
    Ok(())
}

/// Whether a table's records are people's, and somebody was erased.
pub(super) fn is_anybody(attempt: &mut Attempt<'_>) -> Result<bool> {
    if attempt.load.catalog.owners(attempt.load.resource).is_empty() {
        return Ok(false);
    }
    let anybody = "SELECT EXISTS (SELECT FROM ops.tombstones WHERE lifted_at IS NULL)";
    Ok(attempt.row("looking for tombstones", anybody, &[])?.get(0))
}

/// Lifts the tombstones of people whom newer evidence shows as people to be mirrored.
fn lift(terms: Terms<'_>, manifest: Option<&Manifest>) -> String {
    let resource = terms.resource;
    let mut newer = Vec::new();
    if let Some(version) = resource.version.as_ref().filter(|version| is_instant(resource, version)) {
        newer.push(format!("s.{} > x.erased_at", quoted(version)));
    }
    if let Some(manifest) = manifest {
        // What comes out of quarantine has line 0, and is no part of the walk.
        let started = literal(&manifest.started.to_rfc3339());
        newer.push(format!("(s._line > 0 AND {started}::timestamptz > x.erased_at)"));
    }
    let newer = if newer.is_empty() { "false".to_owned() } else { newer.join(" OR ") };
    let dates = resource.erase_at.iter().map(|name| format!("s.{}", quoted(name)));
    let dates = dates.collect::<Vec<_>>().join(", ");
    let places =
        resource.columns.iter().enumerate().filter(|(_, column)| resource.erase_at.contains(&column.name));
    // A record without any of the dates says nothing of them.
    let silent = places.fold(0_i64, |bits, (place, _)| bits | 1 << place);
    format!(
        "UPDATE ops.tombstones x SET lifted_at = statement_timestamp() FROM _stage s
         WHERE x.user_id = {key} AND x.lifted_at IS NULL AND x.why <> 'request' AND s._reason IS NULL
           AND ({newer}) AND s._absent & {silent} <> {silent} AND coalesce(least({dates}) > now(), true)",
        key = terms.first_key("s.")
    )
}

fn is_instant(resource: &Resource, name: &str) -> bool {
    resource.column(name).is_some_and(|column| column.kind == Type::Timestamptz)
}

/// Remembers the people among the rows that a complete export takes away, as of the start of its walk.
pub(super) fn note_departures(attempt: &mut Attempt<'_>, scope: &prune::Scope) -> Result<()> {
    let (catalog, own) = (attempt.load.catalog, attempt.load.resource);
    let goes = |people: &&Resource| {
        people.table == own.table
            || locks::below(catalog, own).iter().any(|other| other.table == people.table)
    };
    let Some(people) = catalog.people().filter(goes) else { return Ok(()) };
    let people = Terms { resource: people };
    let insert = format!(
        "INSERT INTO ops.tombstones AS x (user_id, erased_at, why) SELECT {}, {}, 'left' FROM {}
         ON CONFLICT (user_id) DO UPDATE SET erased_at = excluded.erased_at, why = excluded.why, lifted_at = NULL
         WHERE x.lifted_at IS NOT NULL",
        people.key(""),
        scope.started,
        gone(people)
    );
    attempt.execute("remembering who left", &insert).map(drop)
}
