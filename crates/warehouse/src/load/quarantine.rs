//! Quarantine: records that wait for their parent, or for a catalog that can type them; tried again with every load.
//!
//! A record that waits for its parent is kept as the typed row it would be, without the columns it lacks; one that could
//! not be typed as it was written. A record leaves quarantine by going back into the stage, so it is never in both.

use super::attempt::Attempt;
use super::prune::Scope;
use super::sql::Terms;
use super::upsert::give_examples;
use crate::fault;
use crate::name::{literal, quoted};
use anyhow::{Context, Result};
use catalog::Resource;
use postgres::Client;

/// Keys of rows of a table that records wait for, longest wait first.
///
/// # Errors
/// [`verdict::Verdict::Config`] when `ops.quarantine` is missing.
pub fn missing(client: &mut Client, parent: &Resource) -> Result<Vec<String>> {
    let query = "SELECT parent_key FROM ops.quarantine WHERE parent_table = $1 AND parent_key IS NOT NULL
        GROUP BY parent_key ORDER BY min(first_seen), parent_key";
    let rows = client.query(query, &[&parent.table]).map_err(|error| fault::of(&error));
    let rows = rows.context("looking into quarantine")?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Of a complete export: forgets what waits here and is not in it.
pub(super) fn forget_departed(attempt: &mut Attempt<'_>, scope: &Scope) -> Result<()> {
    let terms = attempt.terms;
    let delete = format!(
        "DELETE FROM ops.quarantine q WHERE q.table_name = {} AND q.first_seen < {}
         AND NOT EXISTS (SELECT FROM _stage s WHERE {} = q.record_key)",
        terms.table_name(),
        scope.started,
        terms.record_key("s.")
    );
    // A record whose key cannot be read may be any of them.
    if attempt.keyless == 0 && holds_any(attempt)? {
        attempt.execute("forgetting what left quarantine", &delete)?;
    }
    Ok(())
}

pub(super) fn holds_any(attempt: &mut Attempt<'_>) -> Result<bool> {
    let query = "SELECT EXISTS (SELECT FROM ops.quarantine WHERE table_name = $1)";
    let table = &attempt.load.resource.table;
    Ok(attempt.row("looking into quarantine", query, &[table])?.get(0))
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
        // What a record lacks stays as it was, here as in the table.
        let row = "CASE WHEN a.reason_kind = 'parent' AND q.reason_kind = 'parent' THEN q.row || a.row ELSE a.row END";
        let update = format!(
            "UPDATE ops.quarantine q SET reason_kind = a.reason_kind, reason = a.reason, parent_table = a.parent_table,
                 parent_key = a.parent_key, row = {row}, record = a.record, load_id = {},
                 first_seen = statement_timestamp()
             FROM _aside a WHERE q.table_name = {} AND q.record_key = a.record_key
               AND (q.reason_kind, regexp_replace(q.reason, {line}, ''), q.parent_table, q.parent_key, q.row, q.record)
                   IS DISTINCT FROM
                   (a.reason_kind, regexp_replace(a.reason, {line}, ''), a.parent_table, a.parent_key, {row}, a.record)",
            attempt.number,
            attempt.terms.table_name()
        );
        attempt.execute("setting aside", &update)?;
    }
    if aside {
        let table = attempt.terms.table_name();
        let insert = format!(
            "INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, parent_table, parent_key, row,
                 record, load_id, first_seen)
             SELECT {table}, a.record_key, a.reason_kind, a.reason, a.parent_table, a.parent_key, a.row, a.record, {},
                 statement_timestamp()
             FROM _aside a WHERE NOT EXISTS
                 (SELECT FROM ops.quarantine q WHERE q.table_name = {table} AND q.record_key = a.record_key)",
            attempt.number
        );
        attempt.execute("setting aside", &insert)?;
    }
    Ok(())
}

/// Makes `_aside`: the rows of quarantine that this load gives, each key once. The stage is called `_s`, because a column
/// may be called `s`.
fn aside_table(attempt: &Attempt<'_>) -> String {
    let terms = attempt.terms;
    let own = "ARRAY['_line', '_absent', '_record', '_reason', '_parent_table', '_parent_key']";
    let lacking = format!(
        "ARRAY(SELECT c.name FROM unnest({}) WITH ORDINALITY c (name, place)
               WHERE _s._absent & (1::bigint << (c.place - 1)::int) <> 0)",
        terms.names()
    );
    // A row of CSV is kept as its cells, a line of NDJSON as it was written.
    let (cells, line) = match attempt.load.source.form() {
        crate::Form::Csv => ("_s._record::jsonb", "NULL"),
        crate::Form::Ndjson => ("NULL", "_s._record"),
    };
    format!(
        "CREATE TEMP TABLE _aside ON COMMIT DROP AS
         SELECT DISTINCT ON (record_key) {key} AS record_key, _s._line,
             CASE WHEN _s._parent_table IS NULL THEN 'type' ELSE 'parent' END AS reason_kind, _s._reason AS reason,
             _s._parent_table AS parent_table, _s._parent_key AS parent_key,
             CASE WHEN _s._parent_table IS NULL THEN {cells} ELSE to_jsonb(_s) - {own} - {lacking} END AS row,
             CASE WHEN _s._parent_table IS NULL THEN {line} END AS record
         FROM _stage _s WHERE _s._reason IS NOT NULL ORDER BY record_key, _s._line DESC",
        key = terms.record_key("_s.")
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
