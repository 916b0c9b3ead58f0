//! pipeline-status: one screen of everything that the mirror is, measured just now.
//!
//! # Layout
//! - this file: the command line, and what each command prints.
//! - `measure`: one look at everything; by `database`, `files`, `host`, and `children` for what other tools know.
//! - `thresholds`, `alerts`: from which values on, and what is not as it should be.
//! - `screen`, `prometheus`: how it is shown. `text`: durations, columns, colours.
//! - `live`: what changed in a window. `watch`: the screen again and again.

mod alerts;
mod children;
mod database;
mod files;
mod host;
mod live;
mod measure;
mod prometheus;
mod screen;
mod text;
mod thresholds;
mod watch;

use alerts::Level;
use anyhow::{Context, Result};
use catalog::Catalog;
use clap::{Args, Parser, Subcommand};
use measure::{Gauge, Measured};
use std::fs;
use std::process::ExitCode;
use std::time::Duration;
use text::{Paint, print};
use thresholds::Threshold;
use tool::{Judge, Verdict};

/// One screen of everything that the mirror is, measured just now
///
/// For each resource of the catalog: age, records and size of its last full export; rows and size of its table, its last load
/// and last change, how far the live sync is behind, and what waits in quarantine. Then the database, the quota of calls, the
/// token, the backlog, disks, logs and jobs; and first of all what is not as it should be. Nothing is remembered from an
/// earlier look: what cannot be read now says why, and its numbers are ? or missing, never green. While the database is away,
/// all that stands in files is shown nevertheless. No call of the API is made. Backlog and jobs are what `backlog status`
/// and `job-monitor summary` say. All times are UTC.
///
/// ROWS with a ~ is the server's estimate: only tables of up to 4 MiB are counted. CHANGED is the last load that wrote or
/// deleted a row. RECORDS with "part" belong to an export that is not complete.
///
/// The whole is at the level of its worst alert: ok, warning, unknown, critical. Unknown is what could not be measured, or
/// is not there yet. `pipeline-status thresholds` prints from which values on something is an alert.
///
/// --json and LOGS_DIR/metrics_latest.json (--write-metrics) hold one object:
///   {status,measured_at,cursus,alerts:[{level,name,subject,text}],resources:[{table,nightly,followed,export,mirror}],
///    database,quota,token,backlog,jobs,disks:[…],logs}; a part that could not be read is {"error":"…"}
///
/// Exit codes, besides those below:
///   the screen, --json, --prometheus  0 ok; 3 warning; 1 critical or unknown; but 69, 75, 77 or 78 when that is why the
///               database cannot be read
///   check       those of Nagios, because only such programs read it: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
///   live        0, whether anything changed or nothing; 69 and the like when the database cannot be read
///
/// Environment: DATABASE_URL or PG* as load-table; EXPORTS_DIR (exports), LOGS_DIR (logs), STATE_DIR, API_ROOT, CLIENT_ID,
/// PACE_SHARE as api-token; BACKLOG_* as backlog; SCHEDULES_FILE as job-monitor; CURSUS_ID (21), CATALOG_DIR, NO_COLOR.
///
/// Examples:
///   pipeline-status --watch
///   pipeline-status --json | jq -r '.alerts[] | [.level, .subject, .text] | @tsv'
///   pipeline-status --prometheus > mirror42.prom.new; mv mirror42.prom.new mirror42.prom
///   pipeline-status live 900 --compact
#[derive(Parser)]
#[command(name = "pipeline-status", version, verbatim_doc_comment, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    show: Show,
}

#[derive(Subcommand)]
enum Command {
    /// One line, and an exit code as Nagios wants it
    Check {
        #[command(flatten)]
        scope: Scope,
    },
    /// What the loads changed that ended in the last SECONDS
    Live {
        /// Length of the window
        #[arg(default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=31_536_000))]
        seconds: u32,
        /// One line, only of tables with a change
        #[arg(long, conflicts_with = "json")]
        compact: bool,
        /// {from,to,tables:[{table,loads,inserted,updated,deleted,quarantined,last_load}]}
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        patience: Patience,
    },
    /// The thresholds: name, warning, critical and meaning, with tabs between them
    Thresholds,
}

#[derive(Args)]
struct Show {
    /// Print one object of JSON
    #[arg(long, conflicts_with = "prometheus")]
    json: bool,
    /// Print the text format of Prometheus, for node_exporter's textfile collector
    #[arg(long)]
    prometheus: bool,
    /// Write LOGS_DIR/metrics_latest.json too, whole or not at all
    #[arg(long)]
    write_metrics: bool,
    /// Look again and again, in place, until q or Ctrl-C
    #[arg(long, conflicts_with_all = ["json", "prometheus", "write_metrics"])]
    watch: bool,
    /// Seconds between two looks of --watch
    #[arg(long, value_name = "SECONDS", default_value_t = 3, requires = "watch")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// How many times --watch looks
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Args)]
struct Scope {
    /// Id of the cursus whose exports are looked at [default: CURSUS_ID, or 21]
    #[arg(long, value_name = "ID")]
    cursus: Option<u64>,
    /// Another threshold: live_lag_seconds=60:300; may be given several times
    #[arg(long, value_name = "NAME=WARNING:CRITICAL", value_parser = thresholds::parse)]
    threshold: Vec<Threshold>,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Args, Clone, Copy)]
struct Patience {
    /// Seconds that the database, and each tool that is asked, may take to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    patience: u64,
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<Verdict> {
    match &arguments.command {
        None => show(&arguments.show),
        Some(Command::Check { scope }) => {
            let measured = gauge(scope)?.look();
            print(&screen::sentence(&measured)).map(|()| of_nagios(measured.status))
        }
        Some(Command::Live { seconds, compact, json, patience }) => {
            let form = match (compact, json) {
                (_, true) => live::Form::Json,
                (true, _) => live::Form::Compact,
                _ => live::Form::Table,
            };
            live::run(*seconds, form, Duration::from_secs(patience.patience))
        }
        Some(Command::Thresholds) => {
            let line = |known: &Threshold| {
                format!("{}\t{}\t{}\t{}\n", known.name, known.warning, known.critical, known.about)
            };
            print(&thresholds::DEFAULTS.iter().map(line).collect::<String>()).map(|()| Verdict::Done)
        }
    }
}

fn show(show: &Show) -> Result<Verdict> {
    let mut gauge = gauge(&show.scope)?;
    if show.watch {
        return watch::run(&mut gauge, show.interval, show.count);
    }
    let measured = gauge.look();
    let json = format!("{}\n", serde_json::to_string(&measured)?);
    print(&match (show.json, show.prometheus) {
        (true, _) => json.clone(),
        (_, true) => prometheus::of(&measured),
        _ => screen::of(&measured, Paint::of_stdout()),
    })?;
    if show.write_metrics {
        write_metrics(&json)?;
    }
    Ok(verdict(&measured))
}

fn gauge(scope: &Scope) -> Result<Gauge> {
    let named = std::env::var("CURSUS_ID").ok().filter(|id| !id.is_empty());
    let named = named.map(|id| id.parse().with_context(|| format!("CURSUS_ID {id}"))).transpose();
    let cursus = scope.cursus.or(named.verdict(Verdict::Config)?).unwrap_or(21);
    let patience = Duration::from_secs(scope.patience.patience);
    Ok(Gauge::new(Catalog::load()?, cursus, thresholds::replaced(&scope.threshold), patience))
}

/// How a run ends by what it saw: why the database is away comes first.
fn verdict(measured: &Measured) -> Verdict {
    match (measured.database_verdict, measured.status) {
        (Verdict::Done, Level::Ok) => Verdict::Done,
        (Verdict::Done, Level::Warning) => Verdict::SetAside,
        (Verdict::Done, Level::Unknown | Level::Critical) => Verdict::Failed,
        (away, _) => away,
    }
}

/// The verdicts that have the numbers of Nagios; here they mean nothing else.
const fn of_nagios(level: Level) -> Verdict {
    match level {
        Level::Ok => Verdict::Done,
        Level::Warning => Verdict::Failed,
        Level::Critical => Verdict::Usage,
        Level::Unknown => Verdict::SetAside,
    }
}

/// Replaces the file, so that who reads it never sees half of it.
fn write_metrics(json: &str) -> Result<()> {
    let folder = files::logs_folder();
    let path = folder.join("metrics_latest.json");
    let aside = folder.join(format!(".metrics_latest.{}", std::process::id()));
    let replace = || {
        fs::create_dir_all(&folder)?;
        fs::write(&aside, json)?;
        fs::rename(&aside, &path)
    };
    let replaced = replace();
    if replaced.is_err() {
        drop(fs::remove_file(&aside));
    }
    replaced.with_context(|| path.display().to_string()).verdict(Verdict::Io)
}
