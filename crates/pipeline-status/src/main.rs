//! pipeline-status: one screen of everything that the mirror is, measured just now.
//!
//! # Layout
//! - this file: what each command prints, and how it ends. `args`: the command line, and the manual.
//! - `measure`: one look at everything; by `database`, `files`, `host`, and `children` for what other tools know.
//! - `thresholds`, `alerts`: from which values on, and what is not as it should be.
//! - `alert_log`, `metrics_file`: what --write-metrics leaves behind. `tail`: the end of a long file.
//! - `screen`, `metrics`: how it is shown. `row`, `chart`, `text`: of what a screen is made.
//! - `live`: what changed in a window. `backlog`: the backlog alone.
//! - `watch`: the screen fitted into a terminal, again and again. `since`: what moved meanwhile.

mod alert_log;
mod alerts;
mod args;
mod backlog;
mod chart;
mod children;
mod database;
mod files;
#[cfg(test)]
#[path = "fixture_tests.rs"]
mod fixture;
mod host;
mod live;
mod measure;
mod metrics;
mod metrics_file;
mod row;
mod screen;
mod since;
mod tail;
mod text;
mod thresholds;
mod watch;

use alerts::Level;
use anyhow::{Context, Result};
use args::{Arguments, Command, Scope, Show};
use catalog::Catalog;
use measure::{Gauge, Measured};
use metrics_file::MetricsFile;
use screen::View;
use std::process::ExitCode;
use std::time::Duration;
use thresholds::Threshold;
use tool::{Judge, Paint, Verdict, print};

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<Verdict> {
    match &arguments.command {
        None => show(&arguments.show),
        Some(Command::Check { scope }) => {
            let measured = gauge(scope)?.look(None);
            print(&screen::sentence(&measured)).map(|()| of_nagios(measured.status))
        }
        Some(Command::Backlog { json, limits }) => {
            let form = if *json { backlog::Form::Json } else { backlog::Form::Screen };
            let thresholds = thresholds::replaced(&limits.threshold);
            backlog::run(form, &thresholds, Duration::from_secs(limits.patience.patience)).map(of_level)
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
        return watch::run(gauge, show.interval, show.count);
    }
    // What cannot be written is no reason not to show it.
    let file = show.write_metrics.then(MetricsFile::hold);
    let mut measured = gauge.look(None);
    let kept = file.map(|file| {
        file.map(|file| {
            let comparison = file.compare(&measured);
            measured.alerts_unmeasured.clone_from(&comparison.unmeasured);
            (file, comparison)
        })
    });
    let json = format!("{}\n", serde_json::to_string(&measured)?);
    // Neither is left undone because the other fails.
    let written =
        kept.map(|kept| kept.and_then(|(file, comparison)| file.write(&comparison, &json))).transpose();
    print(&printed(show, &measured, &json))?;
    written?;
    Ok(verdict(&measured))
}

fn printed(show: &Show, measured: &Measured, json: &str) -> String {
    if show.json {
        json.to_owned()
    } else if show.prometheus {
        metrics::of(measured, metrics::Form::Classic)
    } else if show.openmetrics {
        metrics::of(measured, metrics::Form::OpenMetrics)
    } else {
        screen::of(View { measured, width: watch::columns(), since: None }, Paint::of_stdout())
    }
}

fn gauge(scope: &Scope) -> Result<Gauge> {
    let named = std::env::var("CURSUS_ID").ok().filter(|id| !id.is_empty());
    let named = named.map(|id| id.parse().with_context(|| format!("CURSUS_ID {id}"))).transpose();
    let cursus = scope.cursus.or(named.verdict(Verdict::Config)?).unwrap_or(21);
    let patience = Duration::from_secs(scope.limits.patience.patience);
    Ok(Gauge::new(Catalog::load()?, cursus, thresholds::replaced(&scope.limits.threshold), patience))
}

/// How a run ends by what it saw: why the database is away comes first.
fn verdict(measured: &Measured) -> Verdict {
    match measured.database_verdict {
        Verdict::Done => of_level(measured.status),
        away => away,
    }
}

const fn of_level(level: Level) -> Verdict {
    match level {
        Level::Ok => Verdict::Done,
        Level::Warning => Verdict::SetAside,
        Level::Unknown | Level::Critical => Verdict::Failed,
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
