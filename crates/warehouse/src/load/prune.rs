//! What left the API leaves the mirror: only by a complete export, and only up to a share.

use super::attempt::Attempt;
use super::known::UNSEEN;
use super::sql::Terms;
use super::upsert::give_examples;
use super::{Load, erased, locks};
use crate::name::{literal, quoted};
use anyhow::{Result, anyhow};
use exports::{Kind, Manifest};
use verdict::{Judge, Verdict};

/// So many rows may always be pruned: of a small table, a few are a large share.
const FLOOR: u64 = 50;

/// What an export may prune.
#[derive(Debug)]
pub(super) struct Scope {
    /// When its walk started, as SQL: rows that came later may have come by another load, so they stay.
    pub(super) started: String,
    /// Largest share of the rows.
    share: f64,
}

/// What the source of a load may prune; none when it may not.
///
/// A walk of one campus may not: a student missing there may have moved to another campus, and must not lose what
/// hangs on the old one.
pub(super) fn scope(load: &Load<'_>, manifest: Option<&Manifest>) -> Option<Scope> {
    let whole = |manifest: &&Manifest| manifest.kind == Kind::Full && manifest.scope.campus.is_none();
    let manifest = manifest.filter(whole).filter(|manifest| manifest.complete)?;
    let share = load.limits.prune?;
    let started = literal(&manifest.started.to_rfc3339());
    Some(Scope { started: format!("{started}::timestamptz"), share })
}

/// Deletes the rows that the export lacks.
///
/// # Errors
/// [`Verdict::Refused`] when that were too many, or the export is empty and the table is not.
pub(super) fn run(attempt: &mut Attempt<'_>, scope: &Scope, is_unseen_known: bool) -> Result<()> {
    let terms = attempt.terms;
    if attempt.keyless > 0 {
        let table = &attempt.load.resource.table;
        log::warn!(
            "{table}: nothing is pruned, because {} records have no key that can be read",
            attempt.keyless
        );
        return Ok(());
    }
    let same = terms.same_key("u.", "t.");
    let among = if is_unseen_known { format!(" JOIN {UNSEEN} u ON {same}") } else { String::new() };
    let create = format!(
        "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} t{among}
         WHERE t.ingested_at < {} AND NOT EXISTS (SELECT FROM _stage s WHERE {})",
        gone(terms),
        terms.key("t."),
        terms.table(),
        scope.started,
        terms.same_key("s.", "t.")
    );
    let departed = attempt.execute("looking for what left", &create)?;
    let rows = format!("SELECT FROM {}", terms.table());
    let rows = attempt.count("counting the table", &rows)?.saturating_sub(attempt.summary.inserted);
    refuse(attempt, scope, departed, rows)?;
    if departed == 0 {
        return Ok(());
    }
    if attempt.is_dry() {
        let query = format!("SELECT {} FROM {} g", terms.key_text("g."), gone(terms));
        give_examples(attempt, "delete", &query)?;
    }
    count_cascade(attempt, scope)?;
    erased::note_departures(attempt, scope)?;
    let delete = format!(
        "DELETE FROM {} t USING {} g WHERE {}",
        terms.table(),
        gone(terms),
        terms.same_key("g.", "t.")
    );
    attempt.summary.deleted = attempt.execute("pruning", &delete)?;
    Ok(())
}

fn refuse(attempt: &Attempt<'_>, scope: &Scope, departed: u64, rows: u64) -> Result<()> {
    let summary = &attempt.summary;
    let problem = if summary.read == 0 && rows > 0 {
        format!("the export is empty, the table has {rows} rows; --no-prune leaves them")
    } else if departed > most(rows, scope.share) {
        format!(
            "the export lacks {departed} of {rows} rows, more than --max-prune {} allows; if they have really left, \
             raise it; --no-prune leaves them",
            scope.share
        )
    } else {
        return Ok(());
    };
    Err(anyhow!("{}: {problem}; nothing was written", summary.source).verdict(Verdict::Refused))
}

/// How many rows of a table may go at once, by their share.
pub(crate) fn most(rows: u64, share: f64) -> u64 {
    FLOOR.max(self::share(rows, share))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows stay far below 2^53, and a share is 0 to 1"
)]
fn share(rows: u64, share: f64) -> u64 {
    (rows as f64 * share) as u64
}

/// Counts the rows of other tables that will go too, table by table, parents first.
fn count_cascade(attempt: &mut Attempt<'_>, scope: &Scope) -> Result<()> {
    let catalog = attempt.load.catalog;
    let mut going = vec![attempt.load.resource];
    for resource in locks::below(catalog, attempt.load.resource) {
        let terms = Terms { resource };
        let conditions = terms.references().filter_map(|(column, table)| {
            let parent = going.iter().find(|other| other.table == table)?;
            let parent = Terms { resource: parent };
            Some(format!("t.{} IN (SELECT {} FROM {})", quoted(&column.name), parent.key(""), gone(parent)))
        });
        let create = format!(
            "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} t WHERE {}",
            gone(terms),
            terms.key("t."),
            terms.table(),
            conditions.collect::<Vec<_>>().join(" OR ")
        );
        let count = attempt.execute("counting what goes too", &create)?;
        if count > 0 {
            refuse_cascade(attempt, scope, terms, count)?;
            attempt.summary.cascaded.insert(resource.table.clone(), count);
        }
        going.push(resource);
    }
    Ok(())
}

/// The floor holds for them too: one campus that closes must not take a tenth of the students along unasked.
fn refuse_cascade(attempt: &mut Attempt<'_>, scope: &Scope, terms: Terms<'_>, going: u64) -> Result<()> {
    if going <= FLOOR {
        return Ok(());
    }
    let rows = attempt.count("counting what goes too", &format!("SELECT FROM {}", terms.table()))?;
    if going <= share(rows, scope.share) {
        return Ok(());
    }
    let (source, table, share) = (&attempt.summary.source, &terms.resource.table, scope.share);
    Err(anyhow!(
        "{source}: with the rows that it lacks, {going} of {rows} rows of {table} would go, more than --max-prune \
         {share} allows; if they have really left, raise it; --no-prune leaves them; nothing was written"
    )
    .verdict(Verdict::Refused))
}

/// The temporary table of a table's rows that go.
pub(super) fn gone(terms: Terms<'_>) -> String {
    format!("_gone_{}", terms.resource.table)
}
