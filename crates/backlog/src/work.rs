//! The work on one batch: the people fetched and loaded, then each table that hangs on them.

use crate::children::{Ended, lines, pipe};
use crate::ending::Ending;
use crate::intake;
use crate::plan::Plan;
use anyhow::{Result, anyhow};
use catalog::Resource;
use serde_json::Value;
use std::collections::HashSet;
use std::process::Command;
use tool::{Judge, Verdict};

/// How the work on a batch went.
#[derive(Debug)]
pub(crate) enum Came {
    /// Everything is committed; these ids the API gave.
    Loaded(HashSet<i64>),
    /// It may be the fault of one of the ids.
    Refused(String),
    /// An id or the world: what becomes of other ids will tell.
    Doubtful(Verdict, String),
    /// No id's fault.
    World(Verdict, String),
}

/// Fetches and loads a batch. Loaded again it changes nothing, so a part that was done is done again without harm.
pub(crate) fn on(plan: &Plan<'_>, ending: &Ending, ids: &[i64]) -> Result<Came> {
    let mut present = HashSet::new();
    let ended = table(plan.people, ending, ids, |line| {
        let record: Option<Value> = serde_json::from_slice(line).ok();
        present.extend(record.and_then(|record| record.pointer(plan.pointer()).and_then(intake::id_of)));
    })?;
    if !ended.is_well() {
        return Ok(judged(&ended));
    }
    let here: Vec<i64> = ids.iter().copied().filter(|id| present.contains(id)).collect();
    if !here.is_empty() {
        for resource in &plan.hanging {
            let ended = table(resource, ending, &here, |_| {})?;
            if !ended.is_well() {
                return Ok(judged(&ended));
            }
        }
    }
    Ok(Came::Loaded(present))
}

fn table(resource: &Resource, ending: &Ending, ids: &[i64], see: impl FnMut(&[u8])) -> Result<Ended> {
    let input: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let mut fetch = Command::new(resource.group.tool());
    fetch.args([&resource.table, "--ids", "-"]);
    let mut load = Command::new("load-table");
    load.arg(&resource.table);
    pipe(ending, [&mut fetch, &mut load], &input, see)
}

fn judged(ended: &Ended) -> Came {
    let words = ended.last_words.clone();
    match ended.environment() {
        None => Came::Refused(words),
        // The API answers some ids with errors that look like its being away; an id may cost a child its memory.
        Some(verdict) if verdict == Verdict::Unreachable || ended.was_killed() => {
            Came::Doubtful(verdict, words)
        }
        Some(verdict) => Came::World(verdict, words),
    }
}

/// The ids of people that rows in quarantine wait for.
///
/// # Errors
/// With the verdict of the tool that was asked.
pub(crate) fn missing(plan: &Plan<'_>, ending: &Ending) -> Result<Vec<i64>> {
    let mut command = Command::new("load-table");
    command.args([&plan.people.table, "--missing"]);
    let (ended, lines) = lines(ending, &mut command)?;
    if !ended.is_well() {
        let error = anyhow!("{}", ended.last_words);
        return Err(error.verdict(ended.environment().unwrap_or(Verdict::Failed)));
    }
    Ok(lines.iter().filter_map(|line| intake::id(line.trim())).collect())
}
