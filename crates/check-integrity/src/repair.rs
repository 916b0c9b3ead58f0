//! Runs what is recommended, and looks again. Those of one action and table are done together, parents first.

use crate::action::{Remedy, Step};
use crate::children;
use crate::commands::look;
use crate::finding::Finding;
use crate::report::{ERROR, Extent};
use anyhow::{Result, anyhow};
use catalog::Catalog;
use postgres::Client;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Instant;
use tool::{Judge, Verdict, print};
use warehouse::fault;

/// What became of a remedy.
#[derive(Serialize)]
struct Repair {
    action: &'static str,
    target: String,
    /// As a line of shell.
    command: String,
    /// Of the step that did not end well, or of the last one.
    exit_code: Option<i32>,
    seconds: f64,
    /// The last line that its last tool printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Prints what would be run.
pub(crate) fn rehearse(names: &[String]) -> Result<u8> {
    let catalog = Catalog::load()?;
    let report = look(&catalog, names, Extent { partial: !names.is_empty(), dry_run: true })?;
    let remedies = remedies(&catalog, &report.violations);
    let lines: String = remedies.iter().map(|remedy| remedy.command(&catalog) + "\n").collect();
    print(&lines)?;
    Ok(report.code())
}

/// Runs it, and prints what the mirror was before and is after.
pub(crate) fn run(names: &[String]) -> Result<u8> {
    let catalog = Catalog::load()?;
    let mut client = warehouse::connect("check-integrity")?;
    let _alone = take_turn(&mut client)?;
    let extent = Extent { partial: !names.is_empty(), dry_run: false };
    let before = look(&catalog, names, extent)?;
    let remedies = remedies(&catalog, &before.violations);
    let repairs: Vec<Repair> = remedies.iter().map(|remedy| mend(&catalog, remedy)).collect();
    let after = look(&catalog, names, extent)?;
    let body = json!({ "before": before.brief(), "repairs": repairs, "after": after });
    print(&format!("{body}\n"))?;
    let failed = repairs.iter().any(|repair| !matches!(repair.exit_code, Some(0 | 3)));
    Ok(if failed { ERROR } else { after.code() })
}

/// Held as long as the connection lives: two repairs would undo each other.
fn take_turn(client: &mut Client) -> Result<&mut Client> {
    let row = client.query_one("SELECT pg_try_advisory_lock(43, 2)", &[]).map_err(|error| fault(&error))?;
    if row.get(0) {
        return Ok(client);
    }
    Err(anyhow!("another repair is going on; nothing was started").verdict(Verdict::Busy))
}

/// What is to be done, each thing once, parents first.
fn remedies(catalog: &Catalog, findings: &[Finding]) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = Vec::new();
    for finding in findings {
        let remedy = finding.remedy.clone();
        match remedies.iter_mut().find(|one| one.action == remedy.action && one.target == remedy.target) {
            Some(one) => one.join(remedy),
            None => remedies.push(remedy),
        }
    }
    let place = |remedy: &Remedy| {
        catalog.resources().iter().position(|resource| resource.table == remedy.target).unwrap_or(usize::MAX)
    };
    remedies.sort_by_key(|remedy| (place(remedy), remedy.action));
    // Two actions may be one command.
    remedies.dedup_by_key(|remedy| remedy.command(catalog));
    remedies
}

/// Does the steps of a remedy until one fails. That is no reason not to do the others.
fn mend(catalog: &Catalog, remedy: &Remedy) -> Repair {
    let began = Instant::now();
    let mut repair = Repair {
        action: remedy.action.name(),
        target: remedy.target.clone(),
        command: remedy.command(catalog),
        exit_code: None,
        seconds: 0.0,
        said: None,
        error: None,
    };
    for step in remedy.steps(catalog) {
        log::info!("{}", step.shell());
        if !take(&mut repair, &step) {
            break;
        }
    }
    repair.seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    repair
}

/// Does a step; says whether the next one may follow.
fn take(repair: &mut Repair, step: &Step) -> bool {
    match children::run(step) {
        Ok(ended) => {
            let last = ended.printed.lines().last().map(|line| match serde_json::from_str(line) {
                Ok(value) => value,
                Err(_) => json!(tool::printable(line)),
            });
            (repair.exit_code, repair.said) = (Some(ended.code), last);
            ended.is_well()
        }
        Err(error) => {
            repair.error = Some(format!("{error:#}"));
            false
        }
    }
}
