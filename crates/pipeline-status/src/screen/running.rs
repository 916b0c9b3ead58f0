//! The stages that run just now, in a box: how far each is, and how much longer it takes.

use super::{Block, View, fact};
use crate::alerts::Level;
use crate::chart::bar;
use crate::measure::Measured;
use crate::row::{Row, Tone};
use crate::text::{about, duration, percent, short};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Without a heartbeat for so many seconds a run is said to be silent; it writes one every fifteen.
const SILENT: f64 = 40.0;

/// Columns of name, percent, count, elapsed, remaining and note; the bar has the rest.
const WIDTHS: [usize; 6] = [24, 7, 12, 8, 14, 9];

/// With fewer columns there is no room for a note beside the time.
const ROOMY: usize = 90;

pub(super) fn block(view: View<'_>) -> Block {
    let running = match view.measured.running.get() {
        Err(error) => return Block::one(fact("running", Err(error))),
        Ok(running) if running.is_empty() => return Block::one(fact("running", Ok(next(view.measured)))),
        Ok(running) => running,
    };
    let inner = view.width.saturating_sub(4);
    let rows: Vec<_> = tree(running).into_iter().map(|(depth, job)| run(view, inner, depth, job)).collect();
    let framed = |row: Row| Row::of(Tone::Faint, "│ ").join(row.filled(inner)).and(Tone::Faint, " │");
    let edge = "─".repeat(view.width.saturating_sub(13));
    let head =
        Row::of(Tone::Faint, "╭─ ").and(Tone::Strong, "running").and(Tone::Faint, &format!(" {edge}─╮"));
    let foot = Row::of(Tone::Faint, &format!("╰{}╯", "─".repeat(view.width.saturating_sub(2))));
    let least = rows.len().min(2) + 2;
    let rows = rows.into_iter().map(|row| (0, framed(row))).collect();
    Block { rule: None, head: Some(head), rows, foot: Some(foot), least }
}

/// What is due first, when nothing runs.
fn next(measured: &Measured) -> Row {
    let jobs = measured.jobs.get().ok().and_then(|jobs| jobs["summary"].as_object());
    let due = |(name, job): (&String, &Value)| {
        Some((job["next_scheduled"].as_str()?.parse::<DateTime<Utc>>().ok()?, name.clone()))
    };
    let next = jobs.into_iter().flatten().filter_map(due).min();
    let nothing = Row::of(Tone::Plain, "nothing");
    next.map_or(nothing.clone(), |(at, name)| {
        let wait = duration(seconds(at - measured.measured_at));
        nothing.and(Tone::Faint, &format!("; {name} is due in {wait}"))
    })
}

/// Parents, each with what runs for it below.
fn tree(running: &[Value]) -> Vec<(usize, &Value)> {
    let parent = |job: &Value| job["metadata"]["parent_id"].as_i64();
    let is_there = |id: i64| running.iter().any(|other| other["id"].as_i64() == Some(id));
    let is_root = |job: &&Value| parent(job).is_none_or(|id| !is_there(id));
    let mut rows = Vec::new();
    let mut waiting: Vec<(usize, &Value)> =
        running.iter().filter(is_root).map(|job| (0, job)).rev().collect();
    while let Some((depth, job)) = waiting.pop() {
        rows.push((depth, job));
        let children =
            running.iter().filter(|other| parent(other).is_some() && parent(other) == job["id"].as_i64());
        waiting.extend(children.map(|child| (depth + 1, child)).rev());
        // What is its own ancestor would go round for ever.
        if rows.len() > running.len() {
            break;
        }
    }
    rows
}

fn run(view: View<'_>, inner: usize, depth: usize, job: &Value) -> Row {
    let [name, percents, counts, elapsed, remaining, notes] = WIDTHS;
    let notes = if inner < ROOMY { 0 } else { notes };
    // Where there is room, names have it.
    let name = name + inner.saturating_sub(ROOMY).min(10);
    let room = inner.saturating_sub(name + percents + counts + elapsed + remaining + notes + 1);
    let indent = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
    let word = |key: &str| job[key].as_str().unwrap_or("?");
    let title = Row::of(Tone::Faint, &indent).and(Tone::Strong, word("job_name")).filled(name);
    let share = job["progress_percent"].as_f64();
    let note = note(view.measured, job);
    let took = job["elapsed_seconds"].as_f64().map_or_else(|| "?".to_owned(), duration);
    let took = Row::of(Tone::Faint, &took);
    // What is conspicuous is told before the time.
    let (took, note) = match note {
        Note::Conspicuous(note) if notes == 0 => (note, Row::default()),
        Note::Conspicuous(note) | Note::Rate(note) => (took, note),
    };
    let left = job["estimated_remaining_seconds"].as_f64();
    let left = left.map_or_else(String::new, |left| format!("~{} left", duration(left)));
    title
        .and(Tone::Plain, " ")
        .join(share.map_or_else(|| Row::of(Tone::Faint, "no total").filled(room), |share| gauge(share, room)))
        .join(
            Row::of(Tone::Strong, &share.map_or_else(String::new, |share| percent(share).replace(' ', "")))
                .right(percents),
        )
        .join(Row::of(Tone::Plain, &count(job)).right(counts))
        .join(took.right(elapsed))
        .join(Row::of(Tone::Accent, &left).right(remaining))
        .join(note.right(notes))
}

fn gauge(share: f64, room: usize) -> Row {
    let (full, rest) = bar(share / 100.0, room);
    Row::of(Tone::Accent, &full).and(Tone::Faint, &rest)
}

/// `312/404`; only what is done when the total is not known.
fn count(job: &Value) -> String {
    let number = |key: &str| job[key].as_u64().map_or_else(|| "?".to_owned(), short);
    let done = number("items_processed");
    if job["total_items"].is_null() { done } else { format!("{done}/{}", number("total_items")) }
}

/// What stands last.
enum Note {
    Conspicuous(Row),
    Rate(Row),
}

fn note(measured: &Measured, job: &Value) -> Note {
    let heartbeat = job["metadata"]["heartbeat_at"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    // Both by the database's clock.
    let now = measured.database.get().map_or(measured.measured_at, |database| database.now);
    let silent = heartbeat.map_or(0.0, |at| seconds(now - at));
    let failed = job["items_failed"].as_u64().unwrap_or(0);
    if silent >= SILENT {
        Note::Conspicuous(Row::of(Tone::Level(Level::Unknown), &format!("mute {}", about(silent))))
    } else if failed > 0 {
        Note::Conspicuous(Row::of(Tone::Level(Level::Warning), &format!("{} bad", short(failed))))
    } else {
        let rate = job["items_per_second"].as_f64();
        Note::Rate(Row::of(Tone::Faint, &rate.map_or_else(String::new, speed)))
    }
}

/// Stages are slower than rows.
fn speed(rate: f64) -> String {
    if rate >= 0.1 { format!("{rate:.1}/s") } else { format!("{:.1}/min", rate * 60.0) }
}

#[expect(clippy::cast_precision_loss, reason = "a duration for people")]
pub(super) fn seconds(delta: chrono::TimeDelta) -> f64 {
    delta.num_seconds() as f64
}
