//! The way out of quarantine: back into the stage, as soon as a record may be loaded.

use super::attempt::Attempt;
use super::quarantine::holds_any;
use super::sql::Terms;
use super::stage::Rows;
use crate::convert::{Converter, NoRecord, Outcome};
use crate::copy::Fields;
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

/// Moves into the stage what may be loaded now.
pub(super) fn run(attempt: &mut Attempt<'_>) -> Result<()> {
    if holds_any(attempt)? {
        release_untyped(attempt)?;
        let condition = due(attempt.load.catalog, attempt.terms);
        free(attempt, &condition)?;
        if let Some(version) = &attempt.load.resource.version {
            let newer = newer(attempt.terms, version);
            free(attempt, &newer)?;
        }
    }
    Ok(())
}

/// Whether a row of `ops.quarantine q` is a newer version of one in the stage: it must not be forgotten for that one.
fn newer(terms: Terms<'_>, version: &str) -> String {
    let kind = terms.resource.column(version).map_or_else(String::new, |column| column.kind.to_string());
    format!(
        "q.table_name = {} AND q.reason_kind = 'parent' AND EXISTS (SELECT FROM _stage s WHERE {} = q.record_key
         AND s._reason IS NULL AND s._line > 0 AND (q.row ->> {})::{kind} > s.{})",
        terms.table_name(),
        terms.key_text("s."),
        literal(version),
        quoted(version)
    )
}

/// Records that the catalog could not type once; perhaps it can now.
fn release_untyped(attempt: &mut Attempt<'_>) -> Result<()> {
    let query = "SELECT record_key, record, q.row::text FROM ops.quarantine q
        WHERE table_name = $1 AND reason_kind = 'type' AND record_key > $2 ORDER BY record_key LIMIT $3";
    let resource = attempt.load.resource;
    let converter = Converter::new(resource);
    let mut fields = Fields::default();
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
            match converter.text(text, &mut fields) {
                Ok(Outcome::Typed { absent }) => rows.typed(0, absent, fields.as_row())?,
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

/// Brings the rows of `ops.quarantine q` back that fulfil a condition. One that still lacks a parent finds its way back.
fn free(attempt: &mut Attempt<'_>, condition: &str) -> Result<()> {
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
        condition,
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
