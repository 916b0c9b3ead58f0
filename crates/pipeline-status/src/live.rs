//! What changed in a window, by the loads that ended in it.

use crate::alerts::Level;
use crate::database::MOVED;
use crate::row::{Row, Tone};
use crate::text::instant;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use tool::{Paint, Verdict, print};

/// Columns of the names, and of the numbers.
const NAMES: usize = 24;
const NUMBERS: usize = 10;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Window {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    tables: Vec<Moved>,
}

/// What became of a table.
#[derive(Debug, Serialize)]
struct Moved {
    table: String,
    loads: i64,
    inserted: i64,
    updated: i64,
    /// Those included that went with a row of another table.
    deleted: i64,
    quarantined: i64,
    last_load: Option<DateTime<Utc>>,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Table,
    /// One line.
    Compact,
    Json,
}

/// Prints what changed in the last `seconds`, by the database's clock.
///
/// # Errors
/// As [`warehouse::connect`]: without the database nothing is known, and nothing is printed.
pub(crate) fn run(seconds: u32, form: Form, patience: Duration) -> Result<Verdict> {
    let (answer, receiver) = channel();
    thread::spawn(move || drop(answer.send(read(seconds))));
    let read = receiver.recv_timeout(patience).unwrap_or_else(|_| Err(crate::database::silent(patience)));
    let window = read?;
    let text = match form {
        Form::Json => format!("{}\n", serde_json::to_string(&window)?),
        Form::Compact => compact(&window),
        Form::Table => table(&window, Paint::of_stdout()),
    };
    print(&text).map(|()| Verdict::Done)
}

fn read(seconds: u32) -> Result<Window> {
    let mut client = warehouse::connect("pipeline-status")?;
    let clock = "SELECT now() - make_interval(secs => $1), now()";
    let row = client.query_one(clock, &[&f64::from(seconds)]).map_err(|error| warehouse::fault(&error))?;
    let (from, to): (DateTime<Utc>, DateTime<Utc>) = (row.get(0), row.get(1));
    let rows = client.query(MOVED, &[&from, &to]).map_err(|error| warehouse::fault(&error));
    let rows = rows.context("reading ops.loads")?;
    let moved = |row: &postgres::Row| Moved {
        table: row.get(0),
        loads: row.get(1),
        inserted: row.get(2),
        updated: row.get(3),
        deleted: row.get(4),
        quarantined: row.get(5),
        last_load: row.get(6),
    };
    Ok(Window { from, to, tables: rows.iter().map(moved).collect() })
}

fn table(window: &Window, paint: Paint) -> String {
    let length = tool::duration((window.to - window.from).num_seconds());
    let when = format!("{} to {}, {length}", instant(window.from), instant(window.to));
    if window.tables.is_empty() {
        return format!("No load ended from {when}\n");
    }
    let titles = ["LOADS", "INSERTED", "UPDATED", "DELETED", "ASIDE"];
    let head = titles.into_iter().fold(Row::of(Tone::Strong, "TABLE").filled(NAMES), |row, title| {
        row.join(Row::of(Tone::Faint, title).right(NUMBERS))
    });
    let mut rows = vec![Row::of(Tone::Plain, &when), head.and(Tone::Faint, "  LAST LOAD")];
    rows.extend(window.tables.iter().map(|moved| row(moved, window.to)));
    if window.tables.len() > 1 {
        rows.push(row(&window.sum(), window.to));
    }
    rows.iter().map(|row| row.painted(paint) + "\n").collect()
}

fn row(moved: &Moved, now: DateTime<Utc>) -> Row {
    let number = |count: i64, tone| {
        let tone = if count == 0 { Tone::Faint } else { tone };
        Row::of(tone, &count.to_string()).right(NUMBERS)
    };
    let last = moved.last_load.map(|at| format!("  {} ago", tool::duration((now - at).num_seconds())));
    Row::of(Tone::Plain, &moved.table)
        .filled(NAMES)
        .join(number(moved.loads, Tone::Plain))
        .join(number(moved.inserted, Tone::Accent))
        .join(number(moved.updated, Tone::Accent))
        .join(number(moved.deleted, Tone::Accent))
        .join(number(moved.quarantined, Tone::Level(Level::Warning)))
        .and(Tone::Faint, &last.unwrap_or_else(|| "  with another table".to_owned()))
}

impl Window {
    /// What became of all tables together.
    fn sum(&self) -> Moved {
        let sum = |take: fn(&Moved) -> i64| self.tables.iter().map(take).sum();
        Moved {
            table: "all".to_owned(),
            loads: sum(|moved| moved.loads),
            inserted: sum(|moved| moved.inserted),
            updated: sum(|moved| moved.updated),
            deleted: sum(|moved| moved.deleted),
            quarantined: sum(|moved| moved.quarantined),
            last_load: self.tables.iter().filter_map(|moved| moved.last_load).max(),
        }
    }
}

/// `2026-11-24T02:00:07Z 3 loads: users +1 ~2 -0`; tables without a change are left out.
fn compact(window: &Window) -> String {
    let has_moved = |moved: &&Moved| moved.inserted + moved.updated + moved.deleted > 0;
    let one = |moved: &Moved| {
        let Moved { table, inserted, updated, deleted, .. } = moved;
        format!("{} +{inserted} ~{updated} -{deleted}", tool::printable(table))
    };
    let changes: Vec<String> = window.tables.iter().filter(has_moved).map(one).collect();
    let changes = if changes.is_empty() { "no change".to_owned() } else { changes.join(", ") };
    let loads: i64 = window.tables.iter().map(|moved| moved.loads).sum();
    format!("{} {loads} loads: {changes}\n", instant(window.to))
}
