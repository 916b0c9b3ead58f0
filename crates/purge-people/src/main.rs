//! purge-people: erases people who are due, have left or asked for it, wherever anything of them is.
//!
//! # Layout
//! - this file: the command line. `commands`: what each command does.
//! - `traces`: people in records: whose a record is, and who else is named in it.
//! - `folders`: the files below `EXPORTS_DIR`. `backlog`: the backlog, by its own tool.
//! - `memory`: the tombstones as a file, which outlives the database.
//! - `report`: what was done, in words and as JSON.

mod backlog;
mod commands;
mod folders;
mod memory;
mod report;
mod traces;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tool::Deadline;

/// Erase people who are due, have left or asked for it, wherever anything of them is
///
/// Somebody is due when data_erasure_date or anonymize_date lies in the past by the database's clock: the earlier counts,
/// and both mean erasing. An anonymised person is no student any more, so there is no row left to be kept, and what is
/// not there cannot be told whose it was. Somebody has left whom a complete export of the students lacked; load-table
/// deletes such rows and remembers whose they were.
///
/// Of those, and of whom erase names, everything goes: their rows and all rows that refer to them, what waits of them in
/// quarantine, their lines in exports and in walks that were interrupted, what was learnt of them beside exports, their
/// entries in the backlog. In records of others, such as teams, they become 3b3-ID, as the API itself calls people whom it
/// has anonymised. Then the tables are vacuumed. Keys stay, which say nothing without a row: here, in ops.tombstones, for 30 days
/// where check-integrity found something about them, and where a log names an id. Logs, jobs and metrics never hold more
/// than that.
///
/// A tombstone keeps load-table from taking old records of somebody who was erased, whatever they come from. One of
/// somebody who was due or had left is lifted by what is newer than the erasure and not due itself: a record that
/// changed since, or one of an export whose walk began since. One that was asked for is lifted by allow only.
/// BACKUPS_DIR/tombstones.ndjson holds them too; each run makes the file and the table agree, so after a restore whoever
/// was erased is erased again.
///
/// Each run looks through everything, so it may be killed at any moment and run again. What is being written by another
/// process is waited for, then left to the next run, with exit code 75.
///
/// Environment: DATABASE_URL, or PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, PGPASSFILE;
/// EXPORTS_DIR (exports), BACKUPS_DIR (backups), LOGS_DIR and BACKLOG_* as backlog, CATALOG_DIR, DEADLINE, RUST_LOG.
///
/// Examples:
///   purge-people run --dry-run
///   purge-people erase 123 --json | jq .tables
///   purge-people export 123 > everything.ndjson
#[derive(Parser)]
#[command(name = "purge-people", version, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print JSON: one object, or one a line for lists
    #[arg(long, global = true)]
    json: bool,
    /// Seconds to wait for another process that is writing what is to be rewritten
    #[arg(long, value_name = "SECONDS", default_value_t = 60, global = true)]
    wait: u64,
    #[command(flatten)]
    deadline: Deadline,
}

#[derive(Subcommand)]
enum Command {
    /// Erase who is due, and all that is left of whoever was erased or has left; for every night
    Run {
        /// Change nothing; say what would be done
        #[arg(long)]
        dry_run: bool,
        /// Largest share of the people that may be due at once, and 50 always may; more is rather a wrong clock
        #[arg(long, value_name = "SHARE", default_value = "0.3", value_parser = tool::share)]
        max_erase: f64,
    },
    /// Erase people who asked for it, for good, whether they are mirrored or not
    Erase {
        /// Their ids, or - for one a line of standard input
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Print everything that is held about somebody, one JSON object a line
    Export {
        /// The person's id
        id: String,
    },
    /// List the tombstones, those that were lifted included
    List,
    /// Lift tombstones: these people may be mirrored again
    Allow {
        /// Their ids, or - for one a line of standard input
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Make BACKUPS_DIR/tombstones.ndjson and the table agree, and erase nobody; for before a restore
    Remember,
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| {
        arguments.deadline.start("purge-people");
        commands::run(&arguments)
    })
}
