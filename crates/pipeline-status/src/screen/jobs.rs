//! The jobs: how each did last, and when it is due.

use super::column::{Column, cells, fitting, head};
use super::{Block, View, fact};
use crate::alerts::Level;
use crate::measure::Measured;
use crate::row::{Row, Tone};
use crate::text::duration;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Columns of the names, where there are few columns and where there are many.
const NAMES: (usize, usize) = (26, 32);

/// Fewer columns are too few for a note.
const FEWEST: usize = 16;

/// Which jobs are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that have a schedule, and those that are not well; the stages of others are only counted.
    Needed,
    All,
}

type Job<'a> = (&'a str, &'a Value);

pub(super) fn block<'a>(view: View<'a>, which: Which) -> Block {
    let jobs = match view.measured.jobs.get().map(|jobs| jobs["summary"].as_object()) {
        Err(error) => return Block::one(fact("jobs", Err(error))),
        Ok(None) => return Block::one(fact("jobs", Err(&"job-monitor gives no summary".to_owned()))),
        Ok(Some(jobs)) => jobs,
    };
    let names = if view.width < 100 { NAMES.0 } else { NAMES.1 };
    let columns = fitting(columns(view.measured), view.width.saturating_sub(names));
    let note = view.width.saturating_sub(names + columns.iter().map(|column| column.width).sum::<usize>());
    let name = |name: &str, tone| Row::of(tone, name).filled(names);
    let shown = |job: &Job<'_>| which == Which::All || weight(job.1) > 0;
    let row = |job: Job<'a>| {
        let cells = cells(name(job.0, Tone::Plain), &columns, &job);
        (weight(job.1), if note < FEWEST { cells } else { cells.join(self::note(job.1).cut(note)) })
    };
    let all = || jobs.iter().map(|(name, job)| (name.as_str(), job));
    let mut rows: Vec<_> = all().filter(shown).map(row).collect();
    let hidden = all().count() - rows.len();
    if hidden > 0 {
        let words = format!("{hidden} more, whose last run went well; job-monitor summary lists them");
        rows.push((0, Row::of(Tone::Faint, &words)));
    }
    Block { head: Some(head(name("JOB", Tone::Strong), &columns)), rows, least: 3, ..Block::default() }
}

/// Nothing for a stage that is well, or is in the box of what runs.
fn weight(job: &Value) -> u32 {
    let trouble = job["consecutive_failures"].as_u64().unwrap_or(0) > 0 || job["warning"].is_string();
    match job["status"].as_str() {
        _ if job["overdue"] == true => 4,
        Some("failed" | "lost") => 4,
        Some("partial" | "cancelled" | "never_run") => 3,
        _ if trouble => 3,
        _ if job["next_scheduled"].is_string() => 2,
        _ => 0,
    }
}

fn columns<'a>(measured: &'a Measured) -> Vec<Column<'a, Job<'a>>> {
    let ago = move |at: DateTime<Utc>| duration(super::running::seconds(measured.measured_at - at));
    let until = move |at: DateTime<Utc>| duration(super::running::seconds(at - measured.measured_at));
    vec![
        Column::new("STATUS", 11, 0, |(_, job): &Job<'_>| status(job)),
        Column::new("STARTED", 13, 1, move |(_, job): &Job<'_>| {
            time(&job["last_run"]).map_or_else(dash, |at| Row::of(Tone::Plain, &format!("{} ago", ago(at))))
        }),
        Column::new("TOOK", 9, 3, |(_, job): &Job<'_>| {
            job["duration_seconds"].as_f64().map_or_else(dash, |took| Row::of(Tone::Plain, &duration(took)))
        }),
        Column::new("NEXT", 13, 2, move |(_, job): &Job<'_>| {
            if job["overdue"] == true {
                return Row::of(Tone::Level(Level::Critical), "overdue");
            }
            time(&job["next_scheduled"])
                .map_or_else(dash, |at| Row::of(Tone::Plain, &format!("in {}", until(at))))
        }),
    ]
}

fn dash() -> Row {
    Row::of(Tone::Faint, "-")
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

fn status(job: &Value) -> Row {
    let status = job["status"].as_str().unwrap_or("?");
    let tone = match status {
        // What went well long ago is no good news.
        "completed" if job["overdue"] == true => Tone::Plain,
        "completed" => Tone::Level(Level::Ok),
        "running" => Tone::Accent,
        "partial" | "cancelled" => Tone::Level(Level::Warning),
        "failed" | "lost" => Tone::Level(Level::Critical),
        _ => Tone::Level(Level::Unknown),
    };
    Row::of(tone, status)
}

/// Why it is not well, or how far it is.
fn note(job: &Value) -> Row {
    let failures = job["consecutive_failures"].as_u64().filter(|count| *count > 0);
    let words = match (failures, job["error_message"].as_str().or_else(|| job["warning"].as_str())) {
        (Some(count), why) => format!("  {count} failed: {}", why.unwrap_or("see job-monitor history")),
        (None, Some(why)) => format!("  {why}"),
        (None, None) => job["progress"].as_str().map_or_else(String::new, |progress| format!("  {progress}")),
    };
    Row::of(Tone::Faint, &words)
}
