//! What is not as it should be.

use super::{Block, View};
use crate::alerts::{Alert, Level};
use crate::row::{Row, Tone};

/// Columns of the levels.
const LEVELS: usize = 10;

pub(super) fn block(view: View<'_>) -> Block {
    let rows = rows(&view.measured.alerts);
    Block { rows, least: 1, ..Block::default() }
}

/// A row for each text: what several have in common is said once.
pub(crate) fn rows(alerts: &[Alert]) -> Vec<(u32, Row)> {
    if alerts.is_empty() {
        return vec![(0, Row::of(Tone::Level(Level::Ok), "No alerts"))];
    }
    let mut groups: Vec<(Level, &str, Vec<&str>)> = Vec::new();
    for alert in alerts {
        let subject = if alert.subject.is_empty() { alert.name.as_ref() } else { &alert.subject };
        let same = |group: &&mut (Level, &str, Vec<&str>)| group.0 == alert.level && group.1 == alert.text;
        match groups.iter_mut().find(same) {
            Some((_, _, subjects)) => subjects.push(subject),
            None => groups.push((alert.level, &alert.text, vec![subject])),
        }
    }
    let one = |(level, text, subjects): (Level, &str, Vec<&str>)| {
        let name = Row::of(Tone::Level(level), &level.name().to_uppercase()).filled(LEVELS);
        (level as u32, name.and(Tone::Strong, &subjects.join(", ")).and(Tone::Plain, &format!(": {text}")))
    };
    groups.into_iter().map(one).collect()
}
