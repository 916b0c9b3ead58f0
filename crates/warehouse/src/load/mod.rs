//! The loading contract: a stage, one transaction, only what differs is written.
//!
//! A load streams its records into a temporary stage, takes the locks of the tables it touches, and does the rest set by
//! set (what is at hand may go a shorter way, see `known` and `direct`): what waits in quarantine is tried again, duplicates
//! go, so do people who were erased, rows without their parent go to quarantine, what differs is updated, what is new
//! inserted, what left pruned, the watermark moved, the load recorded. Then it commits. Whoever is killed before that has
//! written nothing.
//!
//! # Layout
//! - this file: what a load is asked for, and the order of its steps.
//! - `attempt`: the transaction and its common questions.
//! - `feed`: the input, typed. `stage`: where it waits. `fill`: from the one to the other. `known`: what the table holds
//!   already, and need not be staged. `direct`: into an empty table without a stage, but for rows without their
//!   `parents`.
//! - `locks`, `release`, `erased`, `quarantine`, `upsert`, `prune`, `ledger`: the steps.
//! - `sql`: expressions that the steps share.
//! - [`Summary`]: what came of it.

mod attempt;
mod direct;
mod erased;
mod feed;
mod fill;
mod known;
mod ledger;
pub(crate) mod locks;
mod parents;
mod prune;
mod quarantine;
mod release;
mod sql;
mod stage;
mod summary;
mod upsert;

use crate::fault::Passing;
use crate::input::{Input, Source};
use anyhow::{Context, Result, anyhow};
use attempt::Attempt;
use catalog::{Catalog, Resource};
use exports::Manifest;
use feed::Feed;
pub use ledger::{rewind, watermark};
use postgres::Client;
pub(crate) use prune::most;
pub use quarantine::missing;
use stage::Rows;
use std::time::Duration;
pub use summary::Summary;
use verdict::{Judge, Verdict};

/// How often a load is tried when other transactions come in between.
const TRIES: u32 = 5;

/// A load that is asked for.
#[derive(Debug)]
pub struct Load<'a> {
    /// The catalog, for the tables around.
    pub catalog: &'a Catalog,
    /// What is loaded.
    pub resource: &'a Resource,
    /// Where the records come from.
    pub source: Source,
    /// When to refuse.
    pub limits: Limits,
    /// Whether it is for good.
    pub ending: Ending,
    /// How long before the start of a window of changes the watermark stays, because clocks differ and the API's own
    /// indexes lag.
    pub overlap: Duration,
}

/// When a load is refused whole.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Share of the records read that may be rejected because they cannot be typed.
    pub rejects: f64,
    /// Share of the table's rows that may be pruned, fifty at least; none when nothing is to be pruned.
    pub prune: Option<f64>,
}

/// How the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// For good.
    Commit,
    /// Nothing stays; the summary has examples of what would have changed.
    Rollback,
}

/// Loads a table, then releases what waited in other tables for rows that are there now.
///
/// `progress` is told how many records were read, now and then. Another transaction that comes in between makes the
/// load start again, when its source can be read again.
///
/// # Errors
/// Nothing was written when there is one. [`verdict::Verdict::Refused`] for input that is no NDJSON, too many rejects or
/// too much to prune; [`verdict::Verdict::Config`] when tables or columns are missing; [`verdict::Verdict::Busy`] when
/// others hold the table; [`verdict::Verdict::Io`] and [`verdict::Verdict::Unreachable`] as they read.
pub fn load(client: &mut Client, load: &Load<'_>, progress: &mut dyn FnMut(u64)) -> Result<Summary> {
    let mut summary = persist(load.source.is_repeatable(), || {
        let input = Input::open(&load.source, load.resource)?;
        attempt(client, load, input, progress)
    })
    .with_context(|| load.resource.table.clone())?;
    if load.ending == Ending::Commit {
        for resource in locks::below(load.catalog, load.resource) {
            match release_below(client, load, resource) {
                Ok(0) => {}
                Ok(released) => drop(summary.released_elsewhere.insert(resource.table.clone(), released)),
                // They are tried again with every load of either table, so this load is none the worse.
                Err(error) => log::warn!("{}: what waits there was not released: {error:#}", resource.table),
            }
        }
    }
    Ok(summary)
}

/// Releases what waits in a table for rows that are there now; says how many rows that were.
fn release_below(client: &mut Client, load: &Load<'_>, resource: &Resource) -> Result<u64> {
    if !release::is_anything_due(client, load.catalog, resource)? {
        return Ok(0);
    }
    let limits = Limits { prune: None, ..load.limits };
    let child = Load { resource, limits, source: load.source.clone(), ..*load };
    persist(true, || attempt(client, &child, Input::nothing(), &mut |_| ())).map(|summary| summary.released)
}

/// Tries again while other transactions come in between.
fn persist(repeatable: bool, mut attempt: impl FnMut() -> Result<Summary>) -> Result<Summary> {
    for _ in 1..TRIES {
        match attempt() {
            Err(error) if repeatable && error.is::<Passing>() => log::info!("trying again: {error:#}"),
            outcome => return outcome,
        }
    }
    attempt()
}

fn attempt(
    client: &mut Client,
    load: &Load<'_>,
    input: Input,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary> {
    up_to_the_end(client, load, input, progress).map_err(nothing_written)?.end()
}

/// A server that is lost before the end is asked again with the same command.
fn nothing_written(error: anyhow::Error) -> anyhow::Error {
    if Verdict::of(&error) != Verdict::Unreachable {
        return error;
    }
    anyhow!("{error:#}; nothing was written, run the same command again").verdict(Verdict::Unreachable)
}

fn up_to_the_end<'a>(
    client: &'a mut Client,
    load: &'a Load<'a>,
    input: Input,
    progress: &mut dyn FnMut(u64),
) -> Result<Attempt<'a>> {
    let mut attempt = Attempt::begin(client, load)?;
    let manifest = input.manifest.clone();
    let prunable = prune::scope(load, manifest.as_ref());
    let is_unseen_known = take_in(&mut attempt, input, manifest.as_ref(), prunable.is_some(), progress)?;
    stage::analyze(&mut attempt)?;
    if let Some(manifest) = &manifest {
        ledger::refuse_what_would_go_back(&mut attempt, manifest)?;
    }
    if let Some(scope) = &prunable {
        quarantine::forget_departed(&mut attempt, scope)?;
    }
    release::run(&mut attempt)?;
    stage::dedupe(&mut attempt)?;
    erased::turn_away(&mut attempt, manifest.as_ref())?;
    quarantine::mark_orphans(&mut attempt)?;
    stage::count(&mut attempt)?;
    upsert::run(&mut attempt)?;
    quarantine::keep(&mut attempt)?;
    if let Some(scope) = &prunable {
        prune::run(&mut attempt, scope, is_unseen_known)?;
    }
    ledger::record(&mut attempt, manifest.as_ref())?;
    Ok(attempt)
}

/// Brings the input into the stage, or as much of it as must be compared; takes the locks of the load. Says
/// whether the rows that it did not tell of were noted.
fn take_in(
    attempt: &mut Attempt<'_>,
    mut input: Input,
    manifest: Option<&Manifest>,
    prunes: bool,
    progress: &mut dyn FnMut(u64),
) -> Result<bool> {
    let (load, name) = (attempt.load, attempt.summary.source.clone());
    // A stream may take its time: others need not wait for it. What is at hand is read under the locks, so that what the
    // table holds can be relied on meanwhile.
    let Some(bytes) = input.bytes else {
        stage::create(attempt)?;
        let tally = fill::plainly(attempt, &mut Feed::here(input, load.resource, &name), progress)?;
        tally.close(attempt, manifest, progress)?;
        locks::take(attempt, prunes)?;
        return Ok(false);
    };
    locks::take(attempt, prunes)?;
    let key = match direct::parents(attempt, bytes)? {
        Some(parents) => {
            let fill = |feed: &mut Feed<'_>| direct::run(attempt, &parents, feed, progress);
            if let Some(filled) = feed::beside(input, load.resource, &name, fill)? {
                filled.tally.close(attempt, manifest, progress)?;
                stage::create(attempt)?;
                filled.orphans.pour(Rows::open(&mut attempt.transaction, attempt.terms)?)?;
                return Ok(false);
            }
            input = Input::open(&load.source, load.resource)?;
            None
        }
        None => known::is_worth_reading(attempt, bytes)?,
    };
    stage::create(attempt)?;
    let tally = feed::beside(input, load.resource, &name, |feed| match key {
        Some(key) => fill::beside_the_table(attempt, key, feed, prunes, progress),
        None => fill::plainly(attempt, feed, progress),
    })?;
    tally.close(attempt, manifest, progress)?;
    Ok(prunes && key.is_some())
}
