//! What differs is updated, what is new inserted, the rest is left alone.
//!
//! Rows that are equal are not even locked: `INSERT … ON CONFLICT DO UPDATE` would write a lock into each of them.

use super::attempt::Attempt;
use crate::name::quoted;
use anyhow::Result;
use catalog::Column;

/// How many examples a dry run gives of each kind.
pub(super) const EXAMPLES: u32 = 10;

/// When a row is written. Not the start of the transaction, which may be minutes ago when the input comes from a pipe:
/// a walk that started in between would take the row for one that it should have seen, and prune it.
const NOW: &str = "statement_timestamp()";

pub(super) fn run(attempt: &mut Attempt<'_>) -> Result<()> {
    attempt.summary.unchanged = attempt.held;
    log::debug!("{} records were dropped as held, {} are left", attempt.held, attempt.good);
    if attempt.good == 0 {
        return Ok(());
    }
    let before = attempt.summary.inserted;
    let table = attempt.terms.table();
    let filled: bool =
        attempt.row("looking at the table", &format!("SELECT EXISTS (SELECT FROM {table})"), &[])?.get(0);
    if filled {
        compare(attempt)?;
    } else {
        if attempt.is_dry() {
            let examples =
                format!("SELECT {} FROM _stage s WHERE s._reason IS NULL", attempt.terms.key_text("s."));
            give_examples(attempt, "insert", &examples)?;
        }
        attempt.summary.inserted = insert(attempt, "_stage s WHERE s._reason IS NULL")?;
    }
    let summary = &mut attempt.summary;
    summary.unchanged += attempt.good - (summary.inserted - before) - summary.updated - summary.stale;
    Ok(())
}

/// Makes `_change`, the rows of the stage that are new or differ, and writes them.
fn compare(attempt: &mut Attempt<'_>) -> Result<()> {
    let terms = attempt.terms;
    let first = terms.first_key("t.");
    let stale = terms.resource.version.as_ref().map_or_else(String::new, |version| {
        let version = quoted(version);
        format!(" WHEN s.{version} < t.{version} THEN 'stale'")
    });
    let create = format!(
        "CREATE TEMP TABLE _change ON COMMIT DROP AS
         SELECT CASE WHEN {first} IS NULL THEN 'insert'{stale} ELSE 'update' END AS _verb, s.*
         FROM _stage s LEFT JOIN {table} t ON {same}
         WHERE s._reason IS NULL AND ({first} IS NULL OR {differs})",
        table = terms.table(),
        same = terms.same_key("t.", "s."),
        differs = differs(attempt)
    );
    if attempt.execute("comparing", &create)? == 0 {
        return Ok(());
    }
    if attempt.is_dry() {
        examples(attempt)?;
    }
    attempt.summary.stale = attempt.count("comparing", "SELECT FROM _change WHERE _verb = 'stale'")?;
    attempt.summary.updated = update(attempt)?;
    attempt.summary.inserted += insert(attempt, "_change s WHERE s._verb = 'insert'")?;
    Ok(())
}

/// Columns outside the key that at least one record has, with a condition where others lack it.
fn compared<'a>(attempt: &Attempt<'a>) -> Vec<(&'a Column, Option<String>)> {
    let lacking = attempt.lacking;
    let present = attempt.terms.values().filter(|(place, _)| lacking.always & (1 << place) == 0);
    present
        .map(|(place, column)| {
            let bit = 1_i64 << place;
            (column, (lacking.sometimes & bit != 0).then(|| format!("s._absent & {bit} = 0")))
        })
        .collect()
}

/// Whether a row of the stage `s` says something else than the row of the table `t`.
fn differs(attempt: &Attempt<'_>) -> String {
    let (mut left, mut right, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
    for (column, condition) in compared(attempt) {
        let name = quoted(&column.name);
        match condition {
            None => {
                left.push(format!("t.{name}"));
                right.push(format!("s.{name}"));
            }
            Some(present) => conditions.push(format!("({present} AND t.{name} IS DISTINCT FROM s.{name})")),
        }
    }
    if !left.is_empty() {
        conditions.insert(0, format!("ROW({}) IS DISTINCT FROM ROW({})", left.join(", "), right.join(", ")));
    }
    if conditions.is_empty() { "false".to_owned() } else { format!("({})", conditions.join(" OR ")) }
}

fn update(attempt: &mut Attempt<'_>) -> Result<u64> {
    let mut changes = vec![format!("ingested_at = {NOW}")];
    changes.extend(compared(attempt).into_iter().map(|(column, condition)| {
        let name = quoted(&column.name);
        match condition {
            None => format!("{name} = s.{name}"),
            Some(present) => format!("{name} = CASE WHEN {present} THEN s.{name} ELSE t.{name} END"),
        }
    }));
    let statement = format!(
        "UPDATE {} t SET {} FROM _change s WHERE {} AND s._verb = 'update'",
        attempt.terms.table(),
        changes.join(", "),
        attempt.terms.same_key("t.", "s.")
    );
    attempt.execute("updating", &statement)
}

fn insert(attempt: &mut Attempt<'_>, from: &str) -> Result<u64> {
    let terms = attempt.terms;
    let statement = format!(
        "INSERT INTO {} ({}, ingested_at) SELECT {}, {NOW} FROM {from} ON CONFLICT ({}) DO NOTHING",
        terms.table(),
        terms.columns(""),
        terms.columns("s."),
        terms.key("")
    );
    attempt.execute("inserting", &statement)
}

fn examples(attempt: &mut Attempt<'_>) -> Result<()> {
    let terms = attempt.terms;
    let changed = compared(attempt).into_iter().map(|(column, condition)| {
        let name = quoted(&column.name);
        let present = condition.map_or_else(String::new, |present| format!("{present} AND "));
        format!("CASE WHEN {present}t.{name} IS DISTINCT FROM s.{name} THEN '{}' END", column.name)
    });
    let changed: Vec<_> = changed.collect();
    let inserted = format!("SELECT {} FROM _change s WHERE s._verb = 'insert'", terms.key_text("s."));
    give_examples(attempt, "insert", &inserted)?;
    if changed.is_empty() {
        return Ok(());
    }
    let updated = format!(
        "SELECT {} || ' (' || concat_ws(', ', {}) || ')' FROM _change s JOIN {} t ON {} WHERE s._verb = 'update'",
        terms.key_text("s."),
        changed.join(", "),
        terms.table(),
        terms.same_key("t.", "s.")
    );
    give_examples(attempt, "update", &updated)
}

/// Adds the first texts that a query gives to the examples of a dry run.
pub(super) fn give_examples(attempt: &mut Attempt<'_>, verb: &str, query: &str) -> Result<()> {
    let rows = attempt.rows("gathering examples", &format!("{query} LIMIT {EXAMPLES}"), &[])?;
    let texts = rows.iter().map(|row| format!("{verb} {}", row.get::<_, String>(0)));
    attempt.summary.examples.extend(texts);
    Ok(())
}
