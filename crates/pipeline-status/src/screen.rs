//! The one screen: alerts first, then everything that they were derived from.
//!
//! # Layout
//! - here: what the screen is made of, and the screen as a whole. `watch` fits the same blocks into a terminal.
//! - `alerts`, `running`, `calls`, `tables`, `state`, `jobs`, `log`: a block each.
//! - `column`: columns of a table, as many as there is room for.

mod alerts;
mod calls;
mod column;
mod jobs;
mod log;
mod running;
mod state;
mod tables;

use crate::alerts::Level;
use crate::measure::Measured;
use crate::row::{Row, Tone};
use crate::since::Since;
use crate::text::instant;
pub(crate) use alerts::rows as alert_rows;
use tool::Paint;

/// Columns of what is said at the start of a line.
const LABELS: usize = 11;

/// Lines of the log of alerts beside everything else.
const SHOWN_OF_LOG: usize = 5;

/// What is looked at, and how.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) measured: &'a Measured,
    /// Columns that there are.
    pub(crate) width: usize,
    /// What moved since a dashboard was opened.
    pub(crate) since: Option<&'a Since>,
}

/// Lines that belong together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    /// Only where there is room for ornament.
    pub(crate) rule: Option<Row>,
    pub(crate) head: Option<Row>,
    /// Each with its weight: where there is no room for all, the heaviest stay.
    pub(crate) rows: Vec<(u32, Row)>,
    pub(crate) foot: Option<Row>,
    /// Below so many lines it makes no sense. None is for what is shown when everything else is there.
    pub(crate) least: usize,
}

impl Block {
    /// Rows of equal weight below a rule.
    fn ruled(name: &str, width: usize, rows: Vec<Row>, least: usize) -> Self {
        let rows = rows.into_iter().map(|row| (0, row)).collect();
        Self { rule: Some(rule(name, width)), rows, least, ..Self::default() }
    }

    /// A single row.
    fn one(row: Row) -> Self {
        Self { rows: vec![(0, row)], least: 1, ..Self::default() }
    }

    /// Everything, line by line.
    pub(crate) fn lines(self) -> impl Iterator<Item = Row> {
        let rows = self.rows.into_iter().map(|(_, row)| row);
        self.rule.into_iter().chain(self.head).chain(rows).chain(self.foot)
    }
}

/// Which part of it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    All,
    Tables,
    Jobs,
    Alerts,
}

/// The whole screen, as long as it is.
pub(crate) fn of(view: View<'_>, paint: Paint) -> String {
    let mut text = head(view).painted(paint) + "\n";
    for block in blocks(view, Page::All) {
        text.push('\n');
        for row in block.lines() {
            text.push_str(row.painted(paint).trim_end());
            text.push('\n');
        }
    }
    text
}

/// The first line: how it all is, and of when.
fn head(view: View<'_>) -> Row {
    let Measured { status, measured_at, cursus, .. } = view.measured;
    badge(*status).and(Tone::Faint, &format!(" measured {}  cursus {cursus}", instant(*measured_at)))
}

/// `mirror42  WARNING `.
pub(crate) fn badge(level: Level) -> Row {
    let name = format!(" {} ", level.name().to_uppercase());
    Row::of(Tone::Strong, "mirror42 ").and(Tone::Badge(level), &name)
}

/// What is on a page, the most important first.
pub(crate) fn blocks(view: View<'_>, page: Page) -> Vec<Block> {
    match page {
        Page::All => vec![
            alerts::block(view),
            running::block(view),
            calls::block(view),
            tables::block(view),
            state::block(view),
            jobs::block(view, jobs::Which::Needed),
            log::block(view, SHOWN_OF_LOG),
        ],
        Page::Tables => vec![tables::block(view), state::block(view)],
        Page::Jobs => vec![running::block(view), jobs::block(view, jobs::Which::All)],
        Page::Alerts => vec![alerts::block(view), log::block(view, usize::MAX)],
    }
}

/// `API ─────────`.
fn rule(name: &str, width: usize) -> Row {
    let line = "─".repeat(width.saturating_sub(name.chars().count() + 1));
    Row::of(Tone::Strong, name).and(Tone::Faint, &format!(" {line}"))
}

/// A label, and what is said of it or why nothing can be said.
fn fact(label: &str, said: Result<Row, &String>) -> Row {
    let said = said.unwrap_or_else(|error| unknown(error));
    Row::of(Tone::Faint, label).filled(LABELS).join(said)
}

fn unknown(error: &str) -> Row {
    Row::of(Tone::Level(Level::Unknown), &format!("not known: {error}"))
}

/// The sentence of `check`: one line, with numbers as Nagios reads them.
pub(crate) fn sentence(measured: &Measured) -> String {
    let count = |level| measured.alerts.iter().filter(|alert| alert.level == level).count();
    let first = measured.alerts.first().map_or_else(
        || "everything was measured, and is as it should be".to_owned(),
        |alert| {
            format!("{}{}{}", alert.subject, if alert.subject.is_empty() { "" } else { ": " }, alert.text)
        },
    );
    let numbers = format!(
        "critical={} unknown={} warning={}",
        count(Level::Critical),
        count(Level::Unknown),
        count(Level::Warning)
    );
    // What stands behind the bar is for machines.
    let first = tool::printable(&first).replace('|', "/");
    format!("MIRROR42 {} - {first} | {numbers}\n", measured.status.name().to_uppercase())
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
