//! The tables of the mirror: what there is, how fresh it is, and what moved.

use super::column::{Column, cells, fitting, head};
use super::{Block, View};
use crate::alerts::Level;
use crate::database::{Moved, Table};
use crate::files::Export;
use crate::measure::Line;
use crate::row::{Row, Tone};
use crate::text::{bytes, duration, short};
use chrono::{DateTime, Utc};

/// Columns of the names.
const NAMES: usize = 19;

pub(super) fn block(view: View<'_>) -> Block {
    let names = NAMES + view.width.saturating_sub(120).min(5);
    let columns = fitting(columns(view), view.width.saturating_sub(names));
    let name = |name: &str, tone| Row::of(tone, name).filled(names);
    let row = |line: &Line| (weight(view, line), cells(name(&line.table, Tone::Plain), &columns, line));
    let rows = view.measured.resources.iter().map(row).collect();
    let head = head(name("TABLE", Tone::Strong), &columns);
    Block { head: Some(head), rows, least: 4, ..Block::default() }
}

/// What is not as it should be comes first, then what moves.
fn weight(view: View<'_>, line: &Line) -> u32 {
    let alerts = view.measured.alerts.iter().filter(|alert| alert.subject == line.table);
    let worst = alerts.map(|alert| alert.level as u32 + 2).max();
    let moves = line.mirror.as_ref().is_some_and(|table| table.hour.sum() > 0);
    worst.unwrap_or(if moves { 1 } else { 0 })
}

fn columns(view: View<'_>) -> Vec<Column<'_, Line>> {
    let measured = view.measured;
    let alerted = move |line: &Line, name: &str| {
        let is_it = |alert: &&crate::alerts::Alert| alert.name == name && alert.subject == line.table;
        measured.alerts.iter().find(is_it).map_or(Tone::Plain, |alert| Tone::Level(alert.level))
    };
    let ago = move |at: DateTime<Utc>| duration(super::running::seconds(measured.measured_at - at));
    let mut columns = vec![
        Column::new("EXPORTED", 9, 4, move |line: &Line| exported(line, alerted(line, "export_age_seconds"))),
        Column::new("RECORDS", 11, 9, |line: &Line| of_export(line, records)),
        Column::new("SIZE", 11, 10, |line: &Line| of_export(line, |export| plain(&bytes(export.bytes)))),
        Column::new("ROWS", 9, 0, |line: &Line| of_table(line, rows)),
        Column::new("SIZE", 11, 8, |line: &Line| {
            of_table(line, |table| plain(&bytes(table.bytes.unsigned_abs())))
        }),
        Column::new("LOADED", 8, 3, move |line: &Line| {
            let tone = alerted(line, "load_age_seconds");
            of_table(line, |table| since(table.last_load_age_seconds.map(duration), tone))
        }),
        Column::new("CHANGED", 9, 7, move |line: &Line| {
            of_table(line, |table| since(table.last_change.map(ago), Tone::Plain))
        }),
        Column::new("LAG", 8, 1, move |line: &Line| {
            of_table(line, |table| lag(line, table, alerted(line, "live_lag_seconds")))
        }),
        Column::new("LAST HOUR", 14, 2, |line: &Line| of_table(line, |table| moved(table.hour))),
    ];
    if let Some(opened) = view.since {
        let title = format!("SINCE {}", opened.opened().format("%H:%M"));
        let cell = move |line: &Line| of_table(line, |_| moved(opened.of(&line.table)));
        columns.push(Column::new(&title, 12, 5, cell));
    }
    let aside =
        move |line: &Line| of_table(line, |table| quarantine(table, alerted(line, "quarantine_records")));
    columns.push(Column::new("QUARANTINE", 17, 6, aside));
    columns
}

fn plain(text: &str) -> Row {
    Row::of(Tone::Plain, text)
}

fn nobody_knows() -> Row {
    Row::of(Tone::Level(Level::Unknown), "?")
}

fn exported(line: &Line, tone: Tone) -> Row {
    match line.export.get() {
        Err(_) => Row::of(Tone::Level(Level::Critical), "damaged"),
        Ok(None) => Row::of(Tone::Level(Level::Unknown), "never"),
        #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
        Ok(Some(export)) => Row::of(tone, &duration(export.age_seconds as f64)),
    }
}

fn of_export(line: &Line, show: impl Fn(&Export) -> Row) -> Row {
    match line.export.get() {
        Err(_) => nobody_knows(),
        Ok(None) => Row::of(Tone::Faint, "-"),
        Ok(Some(export)) => show(export),
    }
}

fn records(export: &Export) -> Row {
    let rows = export.rows.to_string();
    if export.complete { plain(&rows) } else { Row::of(Tone::Level(Level::Warning), &format!("{rows} part")) }
}

fn of_table(line: &Line, show: impl Fn(&Table) -> Row) -> Row {
    line.mirror.as_ref().map_or_else(nobody_knows, show)
}

fn rows(table: &Table) -> Row {
    match table.rows {
        None => nobody_knows(),
        Some(rows) if table.rows_counted => plain(&rows.to_string()),
        Some(rows) => plain(&format!("~{rows}")),
    }
}

fn since(ago: Option<String>, tone: Tone) -> Row {
    ago.map_or_else(|| Row::of(Tone::Level(Level::Unknown), "never"), |ago| Row::of(tone, &ago))
}

fn lag(line: &Line, table: &Table, tone: Tone) -> Row {
    match table.live_lag_seconds {
        _ if !line.followed => Row::of(Tone::Faint, "-"),
        None => nobody_knows(),
        Some(lag) => Row::of(tone, &duration(lag)),
    }
}

/// `+12 ~340 -5`; of nothing a point.
fn moved(moved: Moved) -> Row {
    let Moved { inserted, updated, deleted } = moved;
    let parts = [("+", inserted), ("~", updated), ("-", deleted)];
    let there = parts.into_iter().filter(|(_, count)| *count > 0);
    let words: Vec<_> = there.map(|(sign, count)| format!("{sign}{}", short(count.unsigned_abs()))).collect();
    if words.is_empty() { Row::of(Tone::Faint, "·") } else { Row::of(Tone::Accent, &words.join(" ")) }
}

fn quarantine(table: &Table, tone: Tone) -> Row {
    let kinds: Vec<_> = table.quarantine.iter().map(|(kind, count)| format!("{} {kind}", count)).collect();
    if kinds.is_empty() { Row::of(Tone::Faint, "0") } else { Row::of(tone, &kinds.join(", ")) }
}
