//! Brings a database up to date with the catalog, or says how it differs. Never drops or retypes what holds data.

use super::change::{Change, How, between};
use super::live;
use crate::{commit, fault};
use anyhow::{Context, Result, anyhow};
use catalog::Catalog;
use postgres::{Client, Transaction};
use verdict::{Judge, Verdict};

/// Two that bring the same database up to date wait for each other here.
const LOCK: &str = "SELECT pg_advisory_xact_lock(42, 0)";

/// What became of a database.
#[derive(Debug, Default)]
pub struct Report {
    /// What was done, in words: `added column users.x`.
    pub done: Vec<String>,
    /// What is left to a person: the difference, and the statement that ends it.
    pub left: Vec<String>,
}

/// Makes what is missing, in one transaction.
///
/// # Errors
/// [`Verdict::Refused`] when rows that are there violate a rule of the catalog: the sentence names the table and a query
/// that shows them, and nothing was changed.
pub fn bring_up_to_date(client: &mut Client, catalog: &Catalog) -> Result<Report> {
    let mut transaction = client.transaction().map_err(|error| fault::of(&error))?;
    let schema = "CREATE SCHEMA IF NOT EXISTS ops";
    transaction.batch_execute(&format!("{LOCK}; {schema}")).map_err(|error| fault::of(&error))?;
    let mut report = Report::default();
    for change in changes(&mut transaction, catalog)? {
        match &change.how {
            How::Mend { done, obstacles } => {
                run(&mut transaction, &change, obstacles.as_deref())?;
                report.done.push(done.clone());
            }
            How::Drift => report.left.push(change.sentence()),
        }
    }
    commit(transaction)?;
    Ok(report)
}

/// Says every difference between catalog and database, one sentence each, and changes nothing.
///
/// # Errors
/// As [`crate::connect`], when the connection is lost.
pub fn differences(client: &mut Client, catalog: &Catalog) -> Result<Vec<String>> {
    let mut transaction = client.transaction().map_err(|error| fault::of(&error))?;
    Ok(changes(&mut transaction, catalog)?.iter().map(Change::sentence).collect())
}

fn changes(transaction: &mut Transaction<'_>, catalog: &Catalog) -> Result<Vec<Change>> {
    let wanted = super::wanted(catalog);
    let names: Vec<String> = wanted.iter().map(|table| table.name.trim_matches('"').to_owned()).collect();
    let live = live::tables(transaction, &names).context("reading the tables that are there")?;
    Ok(between(&wanted, &live))
}

fn run(transaction: &mut Transaction<'_>, change: &Change, obstacles: Option<&str>) -> Result<()> {
    let Err(error) = transaction.batch_execute(&change.statement) else { return Ok(()) };
    let violated = error.code().is_some_and(|code| code.code().starts_with("23"));
    Err(match obstacles.filter(|_| violated) {
        Some(query) => {
            let text = fault::text(&error);
            anyhow!("{}, and rows that are there stand in its way: {text}; nothing was changed; see them with: {query}", change.difference)
                .verdict(Verdict::Refused)
        }
        None => fault::of(&error).context(change.difference.clone()),
    })
}

impl Change {
    fn sentence(&self) -> String {
        match &self.how {
            How::Mend { .. } => format!("{}; init-db mends that", self.difference),
            How::Drift => format!("{}; init-db leaves that to you: {}", self.difference, self.statement),
        }
    }
}
