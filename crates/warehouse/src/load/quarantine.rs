//! Quarantine: records that wait for their parent, or for a catalog that can type them; tried again with every load.
//!
//! A record that waits for its parent is kept as the typed row it would be, without the columns it lacks; one that could
//! not be typed as it was written. A record leaves quarantine by going back into the stage, so it is never in both.

use super::attempt::Attempt;
use super::prune::Scope;
use super::sql::Terms;
use super::stage::Rows;
use super::upsert::give_examples;
use crate::convert::{Converter, NoRecord, Outcome};
use crate::fault;
use crate::input::Text;
use crate::name::{literal, quoted};
use anyhow::{Context, Result};
use catalog::{Catalog, Resource};
use postgres::Client;
use serde_json::Value;

/// How many records that could not be typed are read at a time.
const BATCH: i64 = 1000;

/// Whether rows wait in a table for parents that are there now.
pub(super) fn is_anything_due(client: &mut Client, catalog: &Catalog, resource: &Resource) -> Result<bool> {
    let query =
        format!("SELECT EXISTS (SELECT FROM ops.quarantine q WHERE {})", due(catalog, Terms { resource }));
    let row = client
        .query_one(&query, &[])
        .map_err(|error| fault::of(&error))
        .context("looking into quarantine")?;
    Ok(row.get(0))
}

/// Whether a row of `ops.quarantine q` waits for a parent that is there now, and still fits the catalog.
fn due(catalog: &Catalog, terms: Terms<'_>) -> String {
    let mut cases = String::new();
    let mut tables: Vec<&str> = terms.references().map(|(_, table)| table).collect();
    tables.dedup();
    for parent in catalog.resources().iter().filter(|parent| tables.contains(&parent.table.as_str())) {
        let (table, key) = (quoted(&parent.table), quoted(&parent.key[0]));
        let kind = parent.column(&parent.key[0]).map_or_else(String::new, |column| column.kind.to_string());
        let exists = format!("EXISTS (SELECT FROM {table} p WHERE p.{key} = q.parent_key::{kind})");
        cases.push_str(&format!(" WHEN q.parent_table = {} THEN {exists}", literal(&parent.table)));
    }
    let arrived = if cases.is_empty() { "true".to_owned() } else { format!("CASE{cases} ELSE true END") };
    let mut conditions = vec![
        format!("q.table_name = {}", terms.table_name()),
        "q.reason_kind = 'parent'".to_owned(),
        arrived,
    ];
    for column in &terms.resource.columns {
        let value = format!("(q.row ->> {})", literal(&column.name));
        if !column.null {
            conditions.push(format!("{value} IS NOT NULL"));
        }
        if !column.one_of.is_empty() {
            let known: Vec<_> = column.one_of.iter().map(|known| literal(known)).collect();
            conditions.push(format!("({value} IS NULL OR {value} IN ({}))", known.join(", ")));
        }
    }
    conditions.join(" AND ")
}

/// Of a complete export: forgets what waits here and is not in it.
pub(super) fn forget_departed(attempt: &mut Attempt<'_>, scope: &Scope) -> Result<()> {
    let terms = attempt.terms;
    let of_campus = scope.campus.as_ref().map_or_else(String::new, |(column, campus)| {
        format!(" AND q.row ->> {} = '{campus}'", literal(column))
    });
    let delete = format!(
        "DELETE FROM ops.quarantine q WHERE q.table_name = {} AND q.first_seen < {}{of_campus}
         AND NOT EXISTS (SELECT FROM _stage s WHERE {} = q.record_key)",
        terms.table_name(),
        scope.started,
        terms.record_key("s.")
    );
    if holds_any(attempt)? {
        attempt.execute("forgetting what left quarantine", &delete)?;
    }
    Ok(())
}

/// Moves into the stage what may be loaded now.
pub(super) fn release(attempt: &mut Attempt<'_>) -> Result<()> {
    if holds_any(attempt)? {
        release_untyped(attempt)?;
        release_orphans(attempt)?;
    }
    Ok(())
}

fn holds_any(attempt: &mut Attempt<'_>) -> Result<bool> {
    let query = "SELECT EXISTS (SELECT FROM ops.quarantine WHERE table_name = $1)";
    let table = &attempt.load.resource.table;
    Ok(attempt.row("looking into quarantine", query, &[table])?.get(0))
}

/// Records that the catalog could not type once; perhaps it can now.
fn release_untyped(attempt: &mut Attempt<'_>) -> Result<()> {
    let query = "SELECT record_key, record, q.row::text FROM ops.quarantine q
        WHERE table_name = $1 AND reason_kind = 'type' AND record_key > $2 ORDER BY record_key LIMIT $3";
    let resource = attempt.load.resource;
    let converter = Converter::new(resource);
    let mut last = String::new();
    loop {
        let waiting = attempt.rows("looking into quarantine", query, &[&resource.table, &last, &BATCH])?;
        let Some(end) = waiting.last() else { return Ok(()) };
        last = end.get(0);
        let mut freed: Vec<String> = Vec::new();
        let mut rows = Rows::open(&mut attempt.transaction, attempt.terms)?;
        for row in &waiting {
            let cells =
                row.get::<_, Option<&str>>(2).and_then(|text| serde_json::from_str::<Value>(text).ok());
            let text = match (row.get::<_, Option<&str>>(1), &cells) {
                (Some(line), _) => Text::Line(line),
                (None, Some(Value::Object(cells))) => Text::Cells(cells),
                _ => continue,
            };
            match rows.convert(&converter, text) {
                Ok(Outcome::Typed { absent }) => rows.typed(0, absent)?,
                Ok(Outcome::OutOfScope) => attempt.summary.out_of_scope += 1,
                Ok(Outcome::Rejected { .. }) | Err(NoRecord { .. }) => continue,
            }
            freed.push(row.get(0));
        }
        rows.finish()?;
        let delete = "DELETE FROM ops.quarantine WHERE table_name = $1 AND record_key = ANY ($2)
            RETURNING record_key";
        let freed = attempt.rows("releasing what can be typed now", delete, &[&resource.table, &freed])?;
        attempt.summary.released += freed.len() as u64;
    }
}

/// Rows whose parent is there now. One that lacks a second parent finds its way back.
fn release_orphans(attempt: &mut Attempt<'_>) -> Result<()> {
    let terms = attempt.terms;
    let absent = format!(
        "coalesce((SELECT bit_or(1::bigint << (c.place - 1)::int)
                   FROM unnest({}) WITH ORDINALITY c (name, place) WHERE NOT freed.row ? c.name), 0)",
        terms.names()
    );
    let statement = format!(
        "WITH freed AS (DELETE FROM ops.quarantine q WHERE {} RETURNING q.row)
         INSERT INTO _stage (_line, _absent, {})
         SELECT 0, {absent}, {} FROM freed, jsonb_populate_record(NULL::_stage, freed.row) r",
        due(attempt.load.catalog, terms),
        terms.columns(""),
        terms.columns("r.")
    );
    // In a savepoint: rows that were set aside under a catalog of other types must not stop the load.
    let mut nested = attempt.transaction.transaction().map_err(|error| fault::of(&error))?;
    match nested.execute(&statement, &[]) {
        Ok(released) => {
            nested.commit().map_err(|error| fault::of(&error))?;
            attempt.summary.released += released;
            Ok(())
        }
        Err(error) if error.code().is_some_and(|code| code.code().starts_with("22")) => {
            nested.rollback().map_err(|error| fault::of(&error))?;
            let table = &attempt.load.resource.table;
            log::warn!(
                "{table}: what waits in ops.quarantine does not fit the columns any more: {}",
                fault::text(&error)
            );
            Ok(())
        }
        Err(error) => Err(fault::of(&error)).context("releasing what waited"),
    }
}

/// Marks the rows of the stage whose parents are missing.
pub(super) fn mark_orphans(attempt: &mut Attempt<'_>) -> Result<()> {
    let terms = attempt.terms;
    for (column, parent) in terms.references() {
        let value = quoted(&column.name);
        let key = attempt.load.catalog.find(parent)?.key[0].clone();
        let (table, key, label) = (quoted(parent), quoted(&key), literal(parent));
        let update = format!(
            "UPDATE _stage s SET _parent_table = {label}, _parent_key = s.{value}::text,
                 _reason = {label} || ' ' || s.{value}::text || ' is not in the mirror'
             WHERE s._reason IS NULL AND s.{value} IS NOT NULL
               AND NOT EXISTS (SELECT FROM {table} p WHERE p.{key} = s.{value})"
        );
        attempt.execute("looking for parents", &update)?;
    }
    Ok(())
}

/// Writes what is set aside, where it differs from what is there, and removes what was loaded.
pub(super) fn keep(attempt: &mut Attempt<'_>) -> Result<()> {
    let aside = attempt.summary.quarantined + attempt.summary.rejected > 0;
    let had = holds_any(attempt)?;
    if aside {
        attempt.execute("setting aside", &aside_table(attempt))?;
        if attempt.is_dry() {
            give_examples(attempt, "set aside", "SELECT record_key || ': ' || reason FROM _aside")?;
        }
    }
    if had {
        attempt.execute("cleaning quarantine", &remove_loaded(attempt.terms, aside))?;
    }
    if had && aside {
        let line = "'^line [0-9]+, '";
        let update = format!(
            "UPDATE ops.quarantine q SET reason_kind = a.reason_kind, reason = a.reason, parent_table = a.parent_table,
                 parent_key = a.parent_key, row = a.row, record = a.record, load_id = {}
             FROM _aside a WHERE q.table_name = {} AND q.record_key = a.record_key
               AND (q.reason_kind, regexp_replace(q.reason, {line}, ''), q.parent_table, q.parent_key, q.row, q.record)
                   IS DISTINCT FROM
                   (a.reason_kind, regexp_replace(a.reason, {line}, ''), a.parent_table, a.parent_key, a.row, a.record)",
            attempt.number,
            attempt.terms.table_name()
        );
        attempt.execute("setting aside", &update)?;
    }
    if aside {
        let table = attempt.terms.table_name();
        let insert = format!(
            "INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, parent_table, parent_key, row,
                 record, load_id)
             SELECT {table}, a.record_key, a.reason_kind, a.reason, a.parent_table, a.parent_key, a.row, a.record, {}
             FROM _aside a WHERE NOT EXISTS
                 (SELECT FROM ops.quarantine q WHERE q.table_name = {table} AND q.record_key = a.record_key)",
            attempt.number
        );
        attempt.execute("setting aside", &insert)?;
    }
    Ok(())
}

/// Makes `_aside`: the rows of quarantine that this load gives, each key once.
fn aside_table(attempt: &Attempt<'_>) -> String {
    let terms = attempt.terms;
    let own = "ARRAY['_line', '_absent', '_record', '_reason', '_parent_table', '_parent_key']";
    let lacking = format!(
        "ARRAY(SELECT c.name FROM unnest({}) WITH ORDINALITY c (name, place)
               WHERE s._absent & (1::bigint << (c.place - 1)::int) <> 0)",
        terms.names()
    );
    // A row of CSV is kept as its cells, a line of NDJSON as it was written.
    let (cells, line) = match attempt.load.source.form() {
        crate::Form::Csv => ("s._record::jsonb", "NULL"),
        crate::Form::Ndjson => ("NULL", "s._record"),
    };
    format!(
        "CREATE TEMP TABLE _aside ON COMMIT DROP AS
         SELECT DISTINCT ON (record_key) {key} AS record_key, s._line,
             CASE WHEN s._parent_table IS NULL THEN 'type' ELSE 'parent' END AS reason_kind, s._reason AS reason,
             s._parent_table AS parent_table, s._parent_key AS parent_key,
             CASE WHEN s._parent_table IS NULL THEN {cells} ELSE to_jsonb(s) - {own} - {lacking} END AS row,
             CASE WHEN s._parent_table IS NULL THEN {line} END AS record
         FROM _stage s WHERE s._reason IS NOT NULL ORDER BY record_key, s._line DESC",
        key = terms.record_key("s.")
    )
}

fn remove_loaded(terms: Terms<'_>, aside: bool) -> String {
    let unless =
        if aside { " AND NOT EXISTS (SELECT FROM _aside a WHERE a.record_key = q.record_key)" } else { "" };
    format!(
        "DELETE FROM ops.quarantine q USING _stage s WHERE q.table_name = {} AND s._reason IS NULL
         AND q.record_key = {}{unless}",
        terms.table_name(),
        terms.key_text("s.")
    )
}
