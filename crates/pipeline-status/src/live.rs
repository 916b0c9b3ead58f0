//! What changed in a window, by the loads that ended in it.

use crate::text::{fit, instant, print, right};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use tool::Verdict;

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

/// A load is found by when it ended. Numbers are given when a load starts, and none lasts a day, so nothing below the last
/// number of the day before the window can have ended in it; that number is found from the newest backwards.
const MOVED: &str = "
    WITH w AS (SELECT * FROM ops.loads
        WHERE id > coalesce((SELECT id FROM ops.loads
            WHERE started_at < $1::timestamptz - interval '1 day' ORDER BY id DESC LIMIT 1), 0)
          AND finished_at > $1::timestamptz AND finished_at <= $2::timestamptz)
    SELECT table_name, sum(loads)::bigint, sum(inserted)::bigint, sum(updated)::bigint, sum(deleted)::bigint,
        sum(quarantined)::bigint, max(finished_at)
    FROM (SELECT table_name, 1 AS loads, inserted, updated, deleted, quarantined, finished_at FROM w
          UNION ALL
          SELECT c.key, 0, 0, 0, c.value::bigint, 0, NULL FROM w, jsonb_each_text(w.cascaded) AS c) AS m
    GROUP BY table_name ORDER BY table_name";

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
        Form::Table => table(&window),
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

fn table(window: &Window) -> String {
    let (from, to) = (instant(window.from), instant(window.to));
    if window.tables.is_empty() {
        return format!("No load ended from {from} to {to}\n");
    }
    let head = ["LOADS", "INSERTED", "UPDATED", "DELETED", "ASIDE"].map(|name| right(name, 10)).concat();
    let mut text = format!("{from} to {to}\n{}{head}  LAST LOAD\n", fit("TABLE", 24));
    for moved in &window.tables {
        let Moved { loads, inserted, updated, deleted, quarantined, .. } = moved;
        let cells =
            [loads, inserted, updated, deleted, quarantined].map(|number| right(&number.to_string(), 10));
        let last = moved.last_load.map_or_else(|| "-".to_owned(), instant);
        text.push_str(&format!("{}{}  {last}\n", fit(&moved.table, 24), cells.concat()));
    }
    text
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
