//! What each command does.

use crate::checks::{self, Check};
use crate::finding::severity_name;
use crate::keys::Writing;
use crate::level::Level;
use crate::measure::Look;
use crate::report::{Extent, Report};
use crate::status::Status;
use crate::{Command, Which, alert, files, prometheus, repair, store};
use anyhow::{Context, Result};
use catalog::Catalog;
use chrono::Utc;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use tool::{Judge, Verdict, print};

/// Whether the checks are done: what ends the process after that changes nothing.
static DONE: AtomicBool = AtomicBool::new(false);

/// Open findings that `status` lists.
const IN_STATUS: i64 = 100;

/// Open findings that `violations` lists.
const MOST: i64 = 1000;

/// Runs a command; gives the exit code.
pub(crate) fn run(command: &Command, inherited: Vec<(OsString, OsString)>) -> Result<u8> {
    match command {
        Command::Run { which, dry_run } => check(which, *dry_run),
        Command::Status => say(|| status(IN_STATUS).map(|status| (status.summary(), status.level))),
        Command::LatestReport => say(latest_report),
        Command::Violations => say(|| status(MOST).map(|status| (json!(status.open), status.level))),
        Command::Metrics { prometheus: false } => {
            say(|| status(0).map(|status| (status.metrics(), status.level)))
        }
        Command::Metrics { prometheus: true } => {
            let status = status(0)?;
            print(&prometheus::of(&status)).map(|()| status.level.code())
        }
        Command::Repair { which, dry_run: true } => repair::rehearse(&which.checks),
        Command::Repair { which, dry_run: false } => repair::run(&which.checks),
        Command::Alert => alert::run(|| status(0), inherited),
        Command::Checks => list(),
    }
}

/// Does the checks, keeps what they saw, and prints it.
fn check(which: &Which, dry_run: bool) -> Result<u8> {
    let catalog = Catalog::load()?;
    let extent = Extent { partial: !which.checks.is_empty(), dry_run };
    tool::before_end(move || leave_end(extent));
    let outcome = look(&catalog, &which.checks, extent);
    DONE.store(true, Ordering::SeqCst);
    let report = match outcome {
        Ok(report) => report,
        Err(error) if Verdict::of(&error) == Verdict::Usage => return Err(error),
        Err(error) => {
            let report = Report::failed(&format!("{error:#}"), extent, Utc::now());
            leave_failure(&report);
            print(&format!("{}\n", serde_json::to_string(&report)?))?;
            return Err(error);
        }
    };
    print(&format!("{}\n", serde_json::to_string(&report)?))?;
    let sentence = format!("check-integrity: {}\n", report.sentence());
    std::io::stderr().lock().write_all(sentence.as_bytes()).verdict(Verdict::Io)?;
    tell_job(&report);
    Ok(report.code())
}

/// One run of the checks that are meant; kept, unless it is a dry one.
///
/// # Errors
/// [`Verdict::Usage`] for a check that there is none of; when the database is away or is not ours.
pub(crate) fn look(catalog: &Catalog, names: &[String], extent: Extent) -> Result<Report> {
    let cursus = cursus()?;
    let checks = checks::named(checks::all(catalog, cursus)?, names)?;
    let mut client = warehouse::connect("check-integrity")?;
    let writing = if extent.dry_run { Writing::Nothing } else { Writing::Allowed };
    if writing == Writing::Allowed {
        store::take_turn(&mut client)?;
    }
    let mut measured = Look { catalog, cursus, writing }.at(&mut client, checks)?;
    store::doubt(&mut client, &mut measured)?;
    let mut report = Report::of(measured, extent);
    let mut findings = std::mem::take(&mut report.violations);
    if extent.dry_run {
        store::remember(&mut client, &mut findings, 1)?;
    } else {
        store::keep(&mut client, &report, &mut findings)?;
    }
    report.violations = findings;
    if !extent.dry_run {
        files::write(&report)?;
    }
    Ok(report)
}

/// A run that is ended by a signal or its deadline came to nothing. The database may be why, so it is not asked.
fn leave_end(extent: Extent) {
    if extent.dry_run || DONE.load(Ordering::SeqCst) {
        return;
    }
    let report = Report::failed("ended before it was done", extent, Utc::now());
    if let Err(error) = files::write(&report) {
        log::warn!("{error:#}");
    }
}

/// A failure is an outcome: where the database takes it, it is kept there, and in the file in any case.
fn leave_failure(report: &Report) {
    if report.dry_run {
        return;
    }
    if let Err(error) = store::keep_failure(report) {
        log::warn!("{error:#}");
    }
    if let Err(error) = files::write(report) {
        log::warn!("{error:#}");
    }
}

/// Each check is an item of the job that this run is a part of.
fn tell_job(report: &Report) {
    let silent = report.count("not_applicable") + report.count("waiting");
    let failed = report.count("unknown");
    let done = report.checks.len() - silent - failed;
    tool::counts([done, failed, silent].map(|count| count as u64));
}

fn status(most: i64) -> Result<Status> {
    let mut client = warehouse::connect("check-integrity")?;
    Status::read(&mut client, most)
}

fn latest_report() -> Result<(Value, Level)> {
    let status = status(MOST)?;
    let nothing = || json!({"error": "No health reports available yet. The first check runs in 5 minutes."});
    Ok((status.report().unwrap_or_else(nothing), status.level))
}

/// Prints what is said, or why nothing can be.
fn say(what: impl FnOnce() -> Result<(Value, Level)>) -> Result<u8> {
    let said = what();
    let body =
        said.as_ref().map_or_else(|error| json!({"error": format!("{error:#}")}), |(body, _)| body.clone());
    print(&format!("{body}\n"))?;
    said.map(|(_, level)| level.code())
}

fn list() -> Result<u8> {
    let checks = checks::all(&Catalog::load()?, cursus()?)?;
    let line = |check: &Check| {
        let Check { name, table, severity, mend, about, .. } = check;
        let (table, severity) = (table.as_deref().unwrap_or("-"), severity_name(*severity));
        format!("{name}\t{table}\t{severity}\t{}\t{about}\n", mend.action.name())
    };
    print(&checks.iter().map(line).collect::<String>()).map(|()| 0)
}

fn cursus() -> Result<u64> {
    let named = std::env::var("CURSUS_ID").ok().filter(|id| !id.is_empty());
    let named = named.map(|id| id.parse().with_context(|| format!("CURSUS_ID {id}"))).transpose();
    Ok(named.verdict(Verdict::Config)?.unwrap_or(21))
}
