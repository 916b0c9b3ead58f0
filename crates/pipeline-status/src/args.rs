//! The command line, and the manual.

use crate::thresholds::{self, Threshold};
use clap::{Args, Parser, Subcommand};

/// One screen of everything that the mirror is, measured just now
///
/// First of all what is not as it should be. Then the stages that run, with percent and time left; the calls of the API, by the
/// record that this host keeps, and what came back; the trend of failed runs; for each resource of the catalog: age, records
/// and size of its last full export, rows and size of its table, its last load and last change, how far the live sync is
/// behind, what moved in the last hour, and what waits in quarantine; then integrity, backlog, token, database, disks, logs,
/// jobs, and the newest of the log of alerts. Nothing is remembered from an earlier look: what cannot be read now says why,
/// and its numbers are ? or missing, never green. While the database is away, all that stands in files is shown nevertheless.
/// No call of the API is made. Backlog, jobs and integrity are what `backlog status`, `job-monitor` and `check-integrity
/// status` say. All times are UTC.
///
/// ROWS with a ~ is the server's estimate: only tables of up to 4 MiB are counted. CHANGED is the last load that wrote or
/// deleted a row; LAST HOUR is what loads inserted (+), updated (~) and deleted (-). RECORDS with "part" belong to an export
/// that is not complete. Without room for all columns the most important ones are shown. Of jobs those with a schedule and
/// those that are not well are listed.
///
/// The whole is at the level of its worst alert: ok, warning, unknown, critical. Unknown is what could not be measured, or
/// is not there yet. `pipeline-status thresholds` prints from which values on something is an alert.
///
/// --json and LOGS_DIR/metrics_latest.json (--write-metrics) hold one object:
///   {status,measured_at,cursus,alerts:[{level,name,subject,text}],resources:[{table,nightly,followed,export,mirror}],
///    database,quota,token,backlog,jobs,running:[JOB…],integrity,calls:{last_minute,by_minute:[60],answers},disks:[…],logs,
///    alert_log:[{at,event,level,name,subject,text}…]}; a part that could not be read is {"error":"…"}
/// --write-metrics compares with the file that was there, and adds a line to LOGS_DIR/alerts.ndjson for each alert that was
/// raised, changed its level or was cleared. One that could not be measured this time is kept in alerts_unmeasured: it is
/// not over.
///
/// --watch fits the screen to the terminal, the most important lines first. Keys: 1 all, 2 tables, 3 jobs, 4 alerts; r or
/// space looks at once; q ends. SINCE is what moved since it was opened. A run is "mute" when its heartbeat is late, and its
/// last column else tells items that went bad, or items a second.
///
/// Exit codes, besides those below:
///   the screen, --json, --prometheus, --openmetrics  0 ok; 3 warning; 1 critical or unknown; but 69, 75, 77 or 78 when that
///               is why the database cannot be read
///   backlog     0, 3, 1 in the same way; those of `backlog status` when that fails
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
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// One line, and an exit code as Nagios wants it
    Check {
        #[command(flatten)]
        scope: Scope,
    },
    /// The backlog: who waits and why, who was given up and why, how often and how fast it goes
    Backlog {
        /// Print what `backlog status --json` says
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        limits: Limits,
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
pub(crate) struct Show {
    /// Print one object of JSON
    #[arg(long, conflicts_with_all = ["prometheus", "openmetrics"])]
    pub(crate) json: bool,
    /// Print the text format of Prometheus, for node_exporter's textfile collector
    #[arg(long, conflicts_with = "openmetrics")]
    pub(crate) prometheus: bool,
    /// Print OpenMetrics 1.0
    #[arg(long)]
    pub(crate) openmetrics: bool,
    /// Write LOGS_DIR/metrics_latest.json too, whole or not at all, and what is news to LOGS_DIR/alerts.ndjson
    #[arg(long)]
    pub(crate) write_metrics: bool,
    /// Look again and again, in place, until q or Ctrl-C
    #[arg(long, conflicts_with_all = ["json", "prometheus", "openmetrics", "write_metrics"])]
    pub(crate) watch: bool,
    /// Seconds between two looks of --watch
    #[arg(long, value_name = "SECONDS", default_value_t = 3, requires = "watch")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) interval: u64,
    /// How many times --watch looks
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    #[command(flatten)]
    pub(crate) scope: Scope,
}

#[derive(Args)]
pub(crate) struct Scope {
    /// Id of the cursus whose exports are looked at [default: CURSUS_ID, or 21]
    #[arg(long, value_name = "ID")]
    pub(crate) cursus: Option<u64>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Args)]
pub(crate) struct Limits {
    /// Another threshold: live_lag_seconds=60:300; may be given several times
    #[arg(long, value_name = "NAME=WARNING:CRITICAL", value_parser = thresholds::parse)]
    pub(crate) threshold: Vec<Threshold>,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

#[derive(Args, Clone, Copy)]
pub(crate) struct Patience {
    /// Seconds that the database, and each tool that is asked, may take to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) patience: u64,
}
