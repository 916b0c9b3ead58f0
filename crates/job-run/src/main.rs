//! job-run: runs a command as a job. One run at a time, on record from its start to its end.
//!
//! # Layout
//! - this file: the command line, and a run from start to end.
//! - `child`: the command itself: how it is started, told of signals, and how it ended.
//! - `guard`: what ends the command when this process is killed.
//! - `words`: what is kept of the command line.

mod child;
mod guard;
mod words;

use anyhow::{Result, anyhow};
use child::{Child, Environment, Outcome};
use clap::Parser;
use journal::{Counts, Ending, Held, Identity, Kept, Lease, Opened, Recorder, Snapshot, Spool, Status, Tail};
use serde_json::{Map, Value};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tool::{Judge, Verdict};

/// How often the command's progress is read.
const TICK: Duration = Duration::from_millis(500);

/// Run a command as a job: one at a time, on record, with heartbeat and progress
///
/// Takes the job's lease, writes a row into ops.job_executions, runs the command, and writes how it ended. The exit code is
/// the command's (128 + the signal's number when a signal ended it), 75 when another run of the job is going on, here or on
/// another host: then nothing is run and nothing is written. Standard input, output and error are the command's own;
/// standard input from a terminal is not passed on.
///
/// A row is running, then one of
///   completed   exit code 0
///   partial     exit code 3, or 0 with items that failed
///   failed      any other exit code, a signal, or the command could not be started (exit code 126, or 127: not found)
///   cancelled   job-run was asked to end (SIGTERM, SIGINT, SIGHUP), and the command did not end well
///   lost        no heartbeat for two minutes; closed at the last one, by whoever looks next
/// The signals are passed on to the command and all it has started (its process group). When job-run itself is killed, what
/// it runs gets SIGTERM, ten seconds later SIGKILL, and the job can be started again at once.
///
/// Recording never harms the command. While the database is away a run is kept in
/// LOGS_DIR/.monitor_state/job_events.ndjson, and written by whichever job-run or job-monitor finds the database again; a
/// warning says so, and metadata.bookkeeping_errors counts. A run that is far faster or far smaller than all of the last
/// twenty gets a warning in its row.
///
/// Progress: the command, and what it starts, may append lines of JSON to the file named by JOB_PROGRESS, each in one write:
///   {"ev":"total","n":900}                        items in all
///   {"ev":"item","ok":true,"key":"user:42"}       an item succeeded; failed with false; without ok there was nothing to do;
///                                                 "n":40 makes it forty
///   {"ev":"counts","ok":40,"failed":1,"skipped":7}  where the writer stands with all of its items
///   {"ev":"checkpoint","data":{"page":7}}         where it would go on, up to 1,900 bytes
///   {"ev":"error","text":"no space"}              what went wrong
/// "by":"name" in total and counts tells several writers apart; they add up. The tools of mirror42 write it by themselves.
///
/// JOB_PARENT holds the run for what the command starts: a job-run in it becomes its child, and one item of it.
///
/// Environment: LOGS_DIR (logs), JOB_PARENT, DATABASE_URL, or PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE,
/// PGSSLROOTCERT, PGPASSFILE; SCHEDULES_FILE; RUST_LOG.
///
/// Examples:
///   job-run --job fetch_users -- fetch-users --export users
///   job-run --job nightly_sync --type nightly -- scripts/cron/nightly_stable_tables.sh
///   job-monitor history --job fetch_users
#[derive(Parser)]
#[command(name = "job-run", version, verbatim_doc_comment)]
struct Arguments {
    /// Name of the job: letters, digits, `_`, `-`, `.`
    #[arg(long, value_name = "NAME", value_parser = job_name)]
    job: String,
    /// Type of the job [default: that of its schedule, else its name up to the first `_`]
    #[arg(long = "type", value_name = "TYPE", value_parser = job_name)]
    kind: Option<String>,
    /// How many items there are, until the command says so itself
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=1_000_000_000_000))]
    total: Option<u64>,
    /// The run that this one is a part of: its number, or what JOB_PARENT holds
    #[arg(long, value_name = "ID", env = "JOB_PARENT", hide_env_values = true, value_parser = parent)]
    parent: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(guard::ARGUMENT) {
        return guard::run();
    }
    // Before .env is read: that is for this tool. What the command starts reads it by itself, and can tell the two apart.
    let inherited = std::env::vars_os().collect();
    tool::main_with_own_signals(|arguments: Arguments| run(&arguments, inherited))
}

fn run(arguments: &Arguments, inherited: Environment) -> Result<Verdict> {
    let folder = journal::folder();
    let job = &arguments.job;
    let Held::Ours(lease) = Lease::take(&folder, job)? else {
        return Err(busy(job, "another run of it is going on here"));
    };
    let child = Child::new(&arguments.command, inherited)?;
    let tail = Tail::create(&folder, job, arguments.total)?;
    // A parent that is set to nothing is none.
    let parent = arguments.parent.clone().filter(|parent| !parent.is_empty());
    let identity = Identity::new(job, &kind(arguments), parent, &lease)?;
    let run_id = identity.run.clone();
    let snapshot = Snapshot::start(identity, arguments.total, facts(&arguments.command));
    let recorder = Recorder::new("job-run", snapshot, Spool::new(&folder));
    if let Opened::Taken(holder) = recorder.open() {
        return Err(busy(job, &format!("{holder} is going on")));
    }
    let watcher = Watcher::start(recorder, tail);
    let outcome = child.run(&[("JOB_PROGRESS", watcher.path.as_os_str()), ("JOB_PARENT", run_id.as_ref())]);
    let (recorder, tail, counts) = watcher.stop();
    let status = status(&outcome, &counts);
    let ending = Ending {
        exit_code: outcome.exit_code,
        signal: outcome.signal,
        error: error(&outcome, status, &tail),
    };
    tell(job, &tail, &recorder.finish(status, ending));
    tell_parent(job, &outcome);
    drop((tail, lease));
    outcome.exit()
}

/// Reads progress while the command runs.
struct Watcher {
    path: std::path::PathBuf,
    end: Sender<()>,
    thread: JoinHandle<(Recorder, Tail)>,
}

impl Watcher {
    fn start(recorder: Recorder, mut tail: Tail) -> Self {
        let (end, ended) = channel();
        let path = tail.path().to_owned();
        let thread = std::thread::spawn(move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                recorder.progress(tail.read());
            }
            (recorder, tail)
        });
        Self { path, end, thread }
    }

    /// What the command has said by its end is read to the last line.
    fn stop(self) -> (Recorder, Tail, Counts) {
        drop(self.end);
        let (recorder, mut tail) = self.thread.join().expect("nothing in it panics");
        let counts = tail.read();
        recorder.progress(counts.clone());
        (recorder, tail, counts)
    }
}

/// How a run ended, by the command's exit code; the table in `--help`.
const fn status(outcome: &Outcome, counts: &Counts) -> Status {
    match (outcome.exit_code, outcome.stopped) {
        (Some(0), _) if counts.failed == 0 => Status::Completed,
        (Some(0 | 3), _) => Status::Partial,
        (_, Some(_)) => Status::Cancelled,
        _ => Status::Failed,
    }
}

fn error(outcome: &Outcome, status: Status, tail: &Tail) -> Option<String> {
    match status {
        Status::Completed | Status::Running => None,
        Status::Cancelled => Some(format!("asked to end by signal {}", outcome.stopped.unwrap_or_default())),
        _ => outcome.error.clone().or_else(|| tail.error()),
    }
}

fn kind(arguments: &Arguments) -> String {
    if let Some(kind) = &arguments.kind {
        return kind.clone();
    }
    let job = &arguments.job;
    let schedules = journal::schedules().unwrap_or_else(|error| {
        log::warn!("{error:#}");
        Vec::new()
    });
    let scheduled = schedules.into_iter().find(|definition| definition.name == *job);
    let prefix = job.split_once('_').map_or("other", |(prefix, _)| prefix);
    scheduled.map_or_else(|| prefix.to_owned(), |definition| definition.kind)
}

fn facts(command: &[String]) -> Map<String, Value> {
    [("command".to_owned(), words::of(command).into())].into_iter().collect()
}

fn busy(job: &str, why: &str) -> anyhow::Error {
    anyhow!("{job}: {why}; nothing was started").verdict(Verdict::Busy)
}

/// Says what a person should know, and nothing when all is well.
fn tell(job: &str, tail: &Tail, kept: &Kept) {
    if tail.strange() > 0 {
        log::warn!("{job}: {} lines of its progress make no sense; see job-run --help", tail.strange());
    }
    if let Kept::Row(Some(warning)) = kept {
        log::warn!("{job}: {warning}");
    }
}

/// A run within a run is an item of it.
fn tell_parent(job: &str, outcome: &Outcome) {
    let ok = matches!(outcome.exit_code, Some(0 | 3));
    let line = format!("{{\"ev\":\"item\",\"ok\":{ok},\"key\":\"{job}\"}}\n");
    if let Some(path) = std::env::var_os("JOB_PROGRESS").filter(|path| !path.is_empty()) {
        let file = std::fs::OpenOptions::new().append(true).open(Path::new(&path));
        if let Err(error) = file.and_then(|mut file| std::io::Write::write_all(&mut file, line.as_bytes())) {
            log::info!("JOB_PROGRESS: {error}");
        }
    }
}

fn job_name(text: &str) -> Result<String, String> {
    if journal::is_job_name(text) {
        Ok(text.to_owned())
    } else {
        Err("up to 100 letters, digits, `_`, `-` and `.`".to_owned())
    }
}

fn parent(text: &str) -> Result<String, String> {
    let is_number = text.parse::<i64>().is_ok_and(|number| number > 0);
    let is_run = text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_number || is_run || text.is_empty() {
        Ok(text.to_owned())
    } else {
        Err("the number of a run, or what JOB_PARENT holds in a run".to_owned())
    }
}
