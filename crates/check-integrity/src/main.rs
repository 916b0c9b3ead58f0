//! check-integrity: proves the mirror. What disagrees with what, since when, and which command mends it.
//!
//! # Layout
//! - this file: the command line. `commands`: what each command does.
//! - `checks`: what is checked, derived from the catalog. `finding`, `action`: what is found, and what mends it.
//! - `measure`: one look at everything. `keys`, `staging`: the exports' side of it; `snapshot`: the database's.
//! - `level`: how well something is. `report`, `status`, `prometheus`: how it is said.
//! - `store`, `files`: what a run leaves. `repair`, `children`: running what mends. `alert`: telling somebody.

mod action;
mod alert;
mod checks;
mod children;
mod commands;
mod files;
mod finding;
mod keys;
mod level;
mod measure;
mod prometheus;
mod repair;
mod report;
mod snapshot;
mod staging;
mod status;
mod store;

use clap::{Args, Parser, Subcommand};
use std::process::ExitCode;
use tool::{Deadline, OwnCodes};

/// Closing part of `--help`.
const CODES: OwnCodes = OwnCodes {
    help: "\
Exit codes, this tool's own, because a code says how the mirror is:
  0 healthy  1 degraded  2 critical  3 unknown: never checked, checked too long ago, or nothing to compare
  4 error: a check could not be done, the database cannot be reached, a wrong command line, whatever else
  75 busy: another run is going on, or the deadline has passed, try again later  130/143 ended by a signal",
    error: 4,
};

/// Prove the mirror: what disagrees with what, since when, and which command mends it
///
/// Each check compares two facts, each by one statement, all in one read-only snapshot of the database: for every resource of
/// the catalog the ids of its last full export and of its table, in both directions, and the rows that its last load wrote;
/// for every reference the rows whose parent is missing, most of them waiting in quarantine; the claims of the catalog about
/// levels, enrolments and marks; watermarks against loads, jobs and loads against their schedules. `check-integrity checks`
/// lists them. What is younger than ten minutes is not judged, and a table that is being loaded waits for the next run. A
/// check whose table, column or export is not there is not applicable. Exports are taken by their manifests only.
///
/// run prints its report, keeps it in ops.integrity_runs, ops.integrity_checks and ops.integrity_violations, and writes
/// LOGS_DIR/integrity_checks/latest.json and, when something is inconsistent, YYYYMMDD_HHMMSS_violations.json; all that is
/// kept for 30 days. A run that fails is kept too. A finding is one thing, however many rows it is about, and names keys, never
/// people. It stays open until a run finds it no more; first_seen, times_seen and reopened tell its story.
///
/// A check is critical when more than 5 % of what it compares is inconsistent, or anything where that is critical; degraded
/// when more than 1 %, or anything where that is an error; and the whole is as its worst check. Nothing is rounded before it
/// is compared, and the rate is never 100 while a row is inconsistent. It is unknown when the last run is older than twice its
/// period (schedules of job-monitor; 5 minutes), or failed, or compared nothing.
///
/// status, latest-report, violations and metrics print what runs have left, as one JSON document:
///   status         {status,last_check,consistency_rate,total_violations,total_users_monitored,requires_attention,violations,
///                  reason,ratio_status,total_checked,inconsistent,checks,trend}; violations are the first 100, and missing
///                  when the status is unknown
///   latest-report  {timestamp,total_checked,consistent,inconsistent,consistency_rate,violations,…}, as run prints it and as
///                  latest.json holds it; {"error":…} before the first run
///   violations     an array of the open findings, the first 1,000
///   metrics        {consistency_rate,violations_count,status,last_check,requires_attention,total_users,consistent,
///                  inconsistent,total_users_monitored,…}
/// What went wrong is {"error":…} there, with exit code 4.
///
/// alert looks at what runs have left, as status does, and tells ALERT_WEBHOOK (POST of JSON) and ALERT_COMMAND (a line of sh,
/// JSON on its stdin) when one of these begins, once, and when it is over:
///   check_failing      the checks fail, are not done, or compare nothing
///   many_inconsistent  more than ten rows are inconsistent
///   rate_low           under 95 % of the rows are consistent, for 15 minutes
///   critical           the mirror is critical, for 30 minutes
/// each seen by two runs in a row, and over when two did not see it; while the checks fail, the others are left as they are.
/// A message is {source,id,event,condition,text,at,since,host,status}, event raised or recovered, and holds no keys of people. It is
/// delivered at least once: what does not arrive is tried three times, and again by the next run; who is killed in between sends
/// it twice, with one id. ALERT_COMMAND sees the environment as it was given, without what .env adds. Exit code 0, or 4 when
/// something did not arrive.
///
/// Environment: DATABASE_URL or PG* as load-table; EXPORTS_DIR (exports), LOGS_DIR (logs), CURSUS_ID (21), CATALOG_DIR,
/// SCHEDULES_FILE, ALERT_WEBHOOK, ALERT_COMMAND, DEADLINE, RUST_LOG.
///
/// Examples:
///   check-integrity run | jq -r '.violations[] | [.severity, .check, .rows, .command] | @tsv'
///   check-integrity run --check export_rows_in_db --check cursus_membership --dry-run
///   check-integrity status | jq '{status, reason, consistency_rate}'
///   check-integrity metrics --prometheus > integrity.prom.new; mv integrity.prom.new integrity.prom
#[derive(Parser)]
#[command(name = "check-integrity", version, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    deadline: Deadline,
}

#[derive(Subcommand)]
enum Command {
    /// Do the checks, and print the report
    Run {
        #[command(flatten)]
        which: Which,
        /// Keep and write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// How the mirror is
    Status,
    /// What the last run of all checks came to
    LatestReport,
    /// The findings that are open
    Violations,
    /// The numbers
    Metrics {
        /// Print the text format of Prometheus for each check, for node_exporter's textfile collector
        #[arg(long)]
        prometheus: bool,
    },
    /// Run the recommended action of each open finding, then check again: {before,repairs,after}; one repair at a time
    Repair {
        #[command(flatten)]
        which: Which,
        /// Change nothing; print what would be run, as lines of shell
        #[arg(long)]
        dry_run: bool,
    },
    /// Tell ALERT_WEBHOOK and ALERT_COMMAND what has changed by the last run, and send again what did not arrive
    Alert,
    /// The checks: name, table, severity, action and meaning, with tabs between them
    Checks,
}

#[derive(Args)]
struct Which {
    /// Only this check, by its name, NAME:TABLE or TABLE_fk; may be given several times
    #[arg(long = "check", value_name = "NAME")]
    checks: Vec<String>,
}

fn main() -> ExitCode {
    // Before .env is read: that is for this tool, not for a command that is told of alerts.
    let inherited = std::env::vars_os().collect();
    tool::main_with_own_codes(CODES, |arguments: Arguments| {
        arguments.deadline.start("check-integrity");
        commands::run(&arguments.command, inherited)
    })
}
