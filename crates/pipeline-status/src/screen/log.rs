//! The newest of the log of alerts.

use super::{Block, View, fact};
use crate::alert_log::{Event, Transition};
use crate::alerts::Level;
use crate::row::{Row, Tone};
use crate::text::instant;

/// At most so many of them.
pub(super) fn block(view: View<'_>, most: usize) -> Block {
    let log = match view.measured.alert_log.get() {
        Err(error) => return Block { least: 0, ..Block::one(fact("alert log", Err(error))) },
        Ok(log) => log,
    };
    let mut rows: Vec<_> = log.iter().take(most).map(line).collect();
    if rows.is_empty() {
        rows.push(fact("alert log", Ok(Row::of(Tone::Plain, "no alert was raised yet"))));
    }
    Block::ruled("LOG OF ALERTS", view.width, rows, 0)
}

fn line(line: &Transition) -> Row {
    let alert = &line.alert;
    // What is over is no alarm any more.
    let level = if line.event == Event::Cleared { Level::Ok } else { alert.level };
    let subject = if alert.subject.is_empty() { alert.name.as_ref() } else { &alert.subject };
    Row::of(Tone::Faint, &format!("{} ", instant(line.at)))
        .join(Row::of(Tone::Level(level), line.event.name()).filled(8))
        .join(Row::of(Tone::Level(level), alert.level.name()).filled(9))
        .and(Tone::Strong, subject)
        .and(Tone::Plain, &format!(": {}", alert.text))
}
