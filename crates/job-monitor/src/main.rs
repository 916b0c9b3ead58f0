//! job-monitor: shows which jobs run, ran and are due.
//!
//! # Layout
//! - this file: the command line, and what each command prints.
//! - `source`: the database or a monitor-server, and what each of them says.
//! - `boxes`, `tables`, `sheet`: the screens of active, of history and summary, of status.
//! - `watch`: active, again and again. `patience`: how long an answer is waited for.
//! - `text`: durations, columns, colours.

mod boxes;
mod patience;
mod sheet;
mod source;
mod tables;
mod text;
mod watch;

use anyhow::{Result, anyhow};
use clap::{Args, Parser, Subcommand};
use journal::read::{Filter, Item, Job, bodies};
use source::Source;
use std::process::ExitCode;
use tool::{Judge, Paint, Verdict, print};

/// Show which jobs run, ran and are due
///
/// Reads ops.job_executions, which job-run writes. Runs without a heartbeat for two minutes are closed as lost first, and runs
/// that were kept on this host while the database was away are brought in. All times are UTC, by the database's clock. When
/// the database cannot be read, nothing is printed but a sentence on stderr, and the exit code is 69: no answer is not an
/// empty one.
///
/// With MONITOR_URL all of it is read from that monitor-server instead of a database, and MONITOR_TOKEN is shown to it: the
/// same screens, bodies and exit codes. A server that is away, cannot read its database or does not answer in 15 s makes it 69,
/// a token that is refused 77, an answer of something else 65. The address is https://…, or http:// of this machine.
///
/// --json prints the bodies of the REST API, one line each:
///   active, history   {"jobs":[JOB…]}
///   summary           {"summary":{NAME:{last_run,last_success,status,progress,duration_seconds,next_scheduled,overdue,…}}}
///   status            JOB: {id,job_name,job_type,status,total_items,items_processed,items_succeeded,items_failed,…}
///
/// A status is running, completed, partial, failed, cancelled or lost; never_run in the summary. 100 % is for what is done; the
/// rate is that of the last minute.
///
/// Exit codes, besides those below:
///   active   0, whether any job runs or none
///   history  0, whether there is any or none
///   summary  0 every job is well; 3 one completed in part or is conspicuous; 1 one failed, was lost or is overdue
///   status   0 running or completed; 3 completed in part; 1 failed, cancelled or lost; 2 there is no such run
///
/// Environment: DATABASE_URL, or PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, PGPASSFILE;
/// LOGS_DIR (logs), SCHEDULES_FILE (schedules instead of those built in); MONITOR_URL, MONITOR_TOKEN, SSL_CERT_FILE; NO_COLOR, RUST_LOG.
///
/// Examples:
///   job-monitor watch
///   job-monitor history --job nightly_sync --limit 5
///   MONITOR_URL=https://status.example.org job-monitor active
///   job-monitor summary --json | jq -r '.summary | to_entries[] | select(.value.overdue) | .key'
#[derive(Parser)]
#[command(name = "job-monitor", version, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The jobs that are running
    Active {
        #[command(flatten)]
        form: Form,
    },
    /// The jobs that are running, again and again until Ctrl-C; --json prints a line each time
    Watch {
        #[command(flatten)]
        form: Form,
        /// Seconds between two looks
        #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
        interval: u64,
        /// How many times to look
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        count: Option<u64>,
    },
    /// The latest runs, newest first
    History {
        #[command(flatten)]
        form: Form,
        /// Only of this job
        #[arg(long, value_name = "NAME")]
        job: Option<String>,
        /// Only of this status
        #[arg(long, value_parser = ["running", "completed", "partial", "failed", "cancelled", "lost"])]
        status: Option<String>,
        /// Only older than this run: the next page
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
        /// At most so many, 1 to 100
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(i64).range(1..=100))]
        limit: i64,
    },
    /// Every job that has a schedule or has ever run: how it did last, and when it is due
    Summary {
        #[command(flatten)]
        form: Form,
    },
    /// One run, whole
    Status {
        #[command(flatten)]
        form: Form,
        /// Number of the run
        #[arg(long, value_name = "ID")]
        id: i64,
    },
}

#[derive(Args, Clone, Copy)]
struct Form {
    /// Print the body of the REST API instead of a screen
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| run(&arguments.command))
}

fn run(command: &Command) -> Result<Verdict> {
    let mut source = Source::from_env()?;
    match command {
        Command::Active { form } => {
            print(&active(&source.active()?.jobs, form.json)?).map(|()| Verdict::Done)
        }
        Command::Watch { form, interval, count } => watch::run(&mut source, form.json, *interval, *count),
        Command::History { form, job, status, before, limit } => {
            let filter = Filter { job: job.clone(), status: status.clone(), before: *before, limit: *limit };
            let jobs = source.history(filter)?;
            let screen =
                if form.json { bodies::jobs(&jobs)? } else { tables::history(&jobs, Paint::of_stdout()) };
            print(&screen).map(|()| Verdict::Done)
        }
        Command::Summary { form } => {
            let items = source.summary()?;
            let screen = if form.json {
                bodies::summary(items.clone())?
            } else {
                tables::summary(&items, Paint::of_stdout())
            };
            print(&screen).map(|()| of_summary(&items))
        }
        Command::Status { form, id } => {
            let job = source.job(*id)?;
            let job = job.ok_or_else(|| anyhow!("there is no run {id}")).verdict(Verdict::Usage)?;
            let screen = if form.json { bodies::job(&job)? } else { sheet::of(&job, Paint::of_stdout()) };
            print(&screen).map(|()| of_status(&job.status))
        }
    }
}

fn active(jobs: &[Job], json: bool) -> Result<String> {
    if json { bodies::jobs(jobs) } else { Ok(boxes::of(jobs, Paint::of_stdout())) }
}

/// The worst of all jobs.
fn of_summary(items: &[(String, Item)]) -> Verdict {
    let is_bad = |item: &Item| {
        item.overdue || of_status(&item.status) == Verdict::Failed && item.status != "cancelled"
    };
    let is_odd = |item: &Item| item.status == "partial" || item.warning.is_some();
    if items.iter().any(|(_, item)| is_bad(item)) {
        Verdict::Failed
    } else if items.iter().any(|(_, item)| is_odd(item)) {
        Verdict::SetAside
    } else {
        Verdict::Done
    }
}

fn of_status(status: &str) -> Verdict {
    match status {
        "failed" | "cancelled" | "lost" => Verdict::Failed,
        "partial" => Verdict::SetAside,
        _ => Verdict::Done,
    }
}
