//! `backlog`: users to be fetched again. A queue that loses nothing, and the worker that drains it.

mod children;
mod commands;
mod ending;
mod files;
mod heartbeat;
mod intake;
mod item;
mod journal;
mod metrics;
mod plan;
mod postgres;
mod process;
mod settings;
mod status;
mod store;
mod work;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tool::Deadline;

/// Keep the users that are to be fetched again, and fetch them
///
/// Whoever misses a user adds its id; process fetches up to 100 at a time with fetch-users and loads them with
/// load-table, and what hangs on them too. An id is there once, and leaves only when its rows are committed. A worker
/// leases what it takes: when it dies, the lease runs out and another takes it again. What fails is tried again later
/// and later, and in the end waits in the dead letter with its last error; one bad id never stops the others. When the
/// API or the database is away, or the quota is used up, nobody is blamed, and process ends with that code. Ten users
/// who fail one after the other end it with 1, because something else may be wrong. Who is to be tried again, or is
/// dead, makes it 3.
///
/// Users that rows in quarantine wait for are added by process itself.
///
/// The backlog is in files of one host, LOGS_DIR/.monitor_state/pending_users.jsonl, dead_users.jsonl and
/// processed_users.jsonl (one JSON object a line; where more than 4,000 wait, those who are next are in
/// next_users.jsonl), or with BACKLOG_STORE=postgres in ops.backlog of the database, for workers on several hosts. What
/// happens is told in LOGS_DIR/backlog.log, by ids only.
///
/// Environment:
///   BACKLOG_STORE              files, or postgres (files)
///   BACKLOG_FETCH_BATCH_SIZE   users fetched together, 1 to 100; more counts as 100 (100)
///   BACKLOG_MAX_RETRIES        attempts after the first before an id is dead (5)
///   BACKLOG_RETRY_DELAY        seconds before the second attempt, doubled each time up to an hour (60)
///   BACKLOG_LEASE              seconds after which the work of a dead worker is taken by others (120)
///   BACKLOG_POLL_INTERVAL      seconds between two looks of process --watch (60)
///   BACKLOG_ENABLE_METRICS     whether process writes LOGS_DIR/backlog_metrics.json (true)
///   BACKLOG_METRIC_INTERVAL    and how many seconds apart at least (60)
///   LOGS_DIR (logs), DEADLINE, CATALOG_DIR, RUST_LOG; DATABASE_URL and the others of load-table, and for process those
///   of fetch-users
///
/// Examples:
///   backlog add 123 "asked by mail"
///   jq -r .user_id changes.ndjson | backlog add - "live sync"
///   backlog process --test
///   backlog status --json | jq .depth
///   backlog dead; backlog retry 123
#[derive(Parser)]
#[command(name = "backlog", version, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print JSON: one object, or one a line for lists
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    deadline: Deadline,
}

#[derive(Subcommand)]
enum Command {
    /// Add a user, or with - as many as standard input names: an id, or {"id": …, "reason": …}, a line
    Add {
        /// The user's id, or -
        #[arg(allow_negative_numbers = true)]
        id: String,
        /// Why, in a few words; no names
        reason: Option<String>,
    },
    /// List those who wait, the longest due first
    List {
        /// At most so many
        #[arg(long, value_name = "NUMBER")]
        limit: Option<usize>,
    },
    /// Say how the backlog stands
    Status,
    /// Fetch and load until nothing is due
    Process {
        /// Only show what would be done; call and change nothing
        #[arg(long)]
        test: bool,
        /// Go on until the deadline, looking again every BACKLOG_POLL_INTERVAL seconds; waits out what is away or busy
        #[arg(long, conflicts_with = "test")]
        watch: bool,
    },
    /// Take users out that were fetched by other means
    MarkProcessed {
        /// Their ids
        #[arg(required = true, allow_negative_numbers = true)]
        ids: Vec<String>,
    },
    /// Print all that is there about users: whether they wait, are dead, or were processed
    About {
        /// Their ids, or - for one a line of standard input
        #[arg(required = true, allow_negative_numbers = true)]
        ids: Vec<String>,
    },
    /// Forget users altogether, and that they were ever here
    Forget {
        /// Their ids, or - for one a line of standard input
        #[arg(required = true, allow_negative_numbers = true)]
        ids: Vec<String>,
    },
    /// Forget everybody who waits
    Clear {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Forget the dead instead
        #[arg(long)]
        dead: bool,
    },
    /// Bring the dead back, all or these; and have these tried now when they wait for their next attempt
    Retry {
        /// Their ids
        #[arg(allow_negative_numbers = true)]
        ids: Vec<String>,
    },
    /// List the dead with their last error
    Dead,
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| {
        arguments.deadline.start("backlog");
        commands::run(&arguments.command, arguments.json)
    })
}
