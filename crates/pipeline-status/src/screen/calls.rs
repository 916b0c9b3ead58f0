//! The rate of calls as a gauge, what came back, and the trend of errors.

use super::{Block, LABELS, View, fact, rule};
use crate::alerts::{Alert, Level};
use crate::chart::{bar, spark};
use crate::measure::Measured;
use crate::row::{Row, Tone};
use crate::text::{clock, percent};
use api42::{Budget, Calls};

/// Columns of what stands behind the bar and the sparkline.
const WORDS: usize = 38;

pub(super) fn block(view: View<'_>) -> Block {
    let measured = view.measured;
    // A column for a minute: both are as long as an hour, where there is room.
    let room = view.width.saturating_sub(LABELS + WORDS).clamp(10, 60);
    let minutes = measured.calls.get().map(|calls| minute(measured, calls, room));
    let rows = vec![
        (3, fact("API hour", measured.quota.get().map(|quota| hour(measured, quota, room)))),
        (3, fact("API minute", minutes)),
        (1, fact("answers", measured.calls.get().map(|calls| answers(measured, calls)))),
        (2, fact("errors", measured.database.get().map(|database| errors(&database.errors)))),
    ];
    Block { rule: Some(rule("CALLS AND ERRORS", view.width)), rows, least: 2, ..Block::default() }
}

/// The colour of what is held against a threshold: what is below it was measured, and is well.
fn tone(measured: &Measured, name: &str) -> Tone {
    let alert = measured.alerts.iter().find(|alert: &&Alert| alert.name == name);
    Tone::Level(alert.map_or(Level::Ok, |alert| alert.level))
}

fn hour(measured: &Measured, quota: &Budget, room: usize) -> Row {
    #[expect(clippy::cast_precision_loss, reason = "thousands of calls")]
    let ratio = quota.used as f64 / quota.host.max(1) as f64;
    let (full, rest) = bar(ratio, room);
    let row = Row::of(tone(measured, "quota_used_percent"), &full).and(Tone::Faint, &rest);
    let row = row.and(Tone::Strong, &format!(" {} of {}", quota.used, quota.host));
    match quota.held_until {
        Some(until) => row.and(Tone::Level(Level::Warning), &format!(", held until {}", clock(until))),
        None => row.and(Tone::Plain, &format!(" calls, {}", percent(ratio * 100.0))),
    }
}

fn minute(measured: &Measured, calls: &Calls, room: usize) -> Row {
    let minutes: Vec<u64> = calls.by_minute.iter().map(|count| u64::from(*count)).collect();
    let lately = &minutes[minutes.len().saturating_sub(room)..];
    let most = lately.iter().max().copied().unwrap_or(0);
    let drawn = Row::of(tone(measured, "api_calls_minute"), &spark(lately)).filled(room);
    let row = drawn.and(Tone::Strong, &format!(" {}", calls.last_minute));
    row.and(Tone::Plain, &format!(" in 60 s; at most {most} in {} min", lately.len()))
}

fn answers(measured: &Measured, calls: &Calls) -> Row {
    let answers = calls.answers;
    let one = |count: u32, name: &str, tone: Tone| {
        let tone = if count == 0 { Tone::Faint } else { tone };
        Row::of(tone, &format!("{count} {name}"))
    };
    let comma = || Row::of(Tone::Faint, ", ");
    let failed = Tone::Level(Level::Warning);
    one(answers.ok, "ok", Tone::Strong)
        .join(comma())
        .join(one(answers.unauthorized, "unauthorized (401)", tone(measured, "api_401_hour")))
        .join(comma())
        .join(one(answers.throttled, "throttled (429)", tone(measured, "api_429_hour")))
        .join(comma())
        .join(one(answers.failed, "failed", failed))
}

fn errors(errors: &crate::database::Errors) -> Row {
    let tone = if errors.day == 0 { Tone::Faint } else { Tone::Level(Level::Warning) };
    let row = Row::of(tone, &spark(&errors.by_hour)).and(Tone::Strong, &format!(" {}", errors.day));
    let runs = if errors.day == 1 { "run" } else { "runs" };
    row.and(Tone::Plain, &format!(" {runs} failed in 24 h; {} in the 24 h before", errors.day_before))
}
