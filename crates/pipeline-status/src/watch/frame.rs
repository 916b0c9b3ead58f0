//! Which lines there is room for: the most important blocks first, and of each block the most important lines.

use crate::alerts::Level;
use crate::row::{Row, Tone};
use crate::screen::{self, Block, Page, View, badge};
use crate::text::{clock, duration};
use std::time::Duration;

/// So many blocks have so many lines before the others have more than their least.
const FIRST: usize = 3;
const FIRST_LINES: usize = 6;

/// The lines of a terminal, from the top.
pub(super) type Frame = Vec<Row>;

/// How old what is shown is.
pub(super) struct Age {
    pub(super) age: Duration,
    /// Whether something newer should have come long ago.
    pub(super) is_stale: bool,
    pub(super) interval: Duration,
}

/// What is shown before anything was seen.
pub(super) fn looking((width, _): (usize, usize)) -> Frame {
    vec![badge(Level::Unknown).and(Tone::Faint, " looking for the first time …").cut(width)]
}

/// The frame.
pub(super) fn of(view: View<'_>, page: Page, size: (usize, usize), age: &Age) -> Frame {
    let (width, height) = size;
    let room = height.saturating_sub(2);
    let blocks = screen::blocks(view, page);
    let all: usize = blocks.iter().map(length).sum();
    let ornaments = blocks.iter().filter(|block| block.rule.is_some()).count();
    let is_roomy = all + ornaments <= room;
    let mut lines = if is_roomy { airy(blocks, room - all - ornaments) } else { fitted(blocks, room) };
    let hidden = if is_roomy { 0 } else { all.saturating_sub(lines.len()) };
    lines.resize(room.max(lines.len()), Row::default());
    let frame = std::iter::once(head(view, age)).chain(lines).chain([foot(page, hidden, age)]);
    frame.take(height.max(1)).map(|row| row.cut(width)).collect()
}

fn head(view: View<'_>, age: &Age) -> Row {
    let measured = view.measured;
    let seconds = duration(age.age.as_secs_f64());
    let row = if age.is_stale {
        let words = format!(" nothing could be measured for {seconds}");
        badge(Level::Unknown).and(Tone::Level(Level::Unknown), &words)
    } else {
        let at = clock(measured.measured_at);
        badge(measured.status)
            .and(Tone::Strong, &format!(" {at}"))
            .and(Tone::Faint, &format!("  {seconds} ago"))
    };
    let alerts = match measured.alerts.len() {
        1 => "1 alert".to_owned(),
        count => format!("{count} alerts"),
    };
    let right = Row::of(Tone::Faint, &format!("{alerts}  cursus {}", measured.cursus));
    let room = view.width.saturating_sub(row.width());
    row.join(right.right(room))
}

fn foot(page: Page, hidden: usize, age: &Age) -> Row {
    let keys = [
        ("1 all", Some(Page::All)),
        ("2 tables", Some(Page::Tables)),
        ("3 jobs", Some(Page::Jobs)),
        ("4 alerts", Some(Page::Alerts)),
        ("r now", None),
        ("q ends", None),
    ];
    let row = keys.into_iter().fold(Row::default(), |row, (words, of)| {
        let tone = if of == Some(page) { Tone::Accent } else { Tone::Faint };
        row.and(tone, words).and(Tone::Plain, "  ")
    });
    let row = row.and(Tone::Faint, &format!("every {} s", age.interval.as_secs()));
    match hidden {
        0 => row,
        1 => row.and(Tone::Plain, "  1 line is hidden"),
        hidden => row.and(Tone::Plain, &format!("  {hidden} lines are hidden")),
    }
}

/// In lines, without ornament.
fn length(block: &Block) -> usize {
    usize::from(block.head.is_some()) + block.rows.len() + usize::from(block.foot.is_some())
}

/// Everything, with as many empty lines between as there are.
fn airy(blocks: Vec<Block>, mut empty: usize) -> Vec<Row> {
    let mut lines = Vec::new();
    for block in blocks {
        if !lines.is_empty() && empty > 0 {
            lines.push(Row::default());
            empty -= 1;
        }
        lines.extend(block.lines());
    }
    lines
}

/// As much as fits.
fn fitted(blocks: Vec<Block>, room: usize) -> Vec<Row> {
    let lengths: Vec<usize> = blocks.iter().map(length).collect();
    let mut left = room;
    let mut rooms: Vec<usize> = Vec::new();
    for (block, length) in blocks.iter().zip(&lengths) {
        let least = block.least.min(*length);
        rooms.push(if least <= left { least } else { 0 });
        left -= rooms.last().unwrap_or(&0);
    }
    // Whoever has nothing so far makes no sense with a single line.
    let begun: Vec<usize> = (0..blocks.len()).filter(|nth| rooms[*nth] > 0).collect();
    let some: Vec<usize> = lengths.iter().map(|length| (*length).min(FIRST_LINES)).collect();
    for nth in begun.iter().filter(|nth| **nth < FIRST) {
        grow(&mut rooms, &some, &mut left, &[*nth]);
    }
    grow(&mut rooms, &lengths, &mut left, &begun);
    let last: Vec<usize> = (0..blocks.len()).filter(|nth| blocks[*nth].least == 0).collect();
    grow(&mut rooms, &lengths, &mut left, &last);
    blocks.into_iter().zip(rooms).flat_map(|(block, room)| shortened(block, room)).collect()
}

/// Hands lines out to some blocks, one after the other, until they are whole or nothing is left.
fn grow(rooms: &mut [usize], lengths: &[usize], left: &mut usize, to: &[usize]) {
    while *left > 0 && to.iter().any(|nth| rooms[*nth] < lengths[*nth]) {
        for nth in to {
            if *left > 0 && rooms[*nth] < lengths[*nth] {
                rooms[*nth] += 1;
                *left -= 1;
            }
        }
    }
}

/// A block in so many lines: the heaviest stay, in their order.
fn shortened(mut block: Block, room: usize) -> Vec<Row> {
    if room == 0 {
        return Vec::new();
    }
    let kept = room.saturating_sub(length(&block) - block.rows.len());
    let mut order: Vec<usize> = (0..block.rows.len()).collect();
    order.sort_by_key(|nth| std::cmp::Reverse(block.rows[*nth].0));
    order.truncate(kept);
    let mut nth = 0;
    block.rows.retain(|_| {
        nth += 1;
        order.contains(&(nth - 1))
    });
    Block { rule: None, ..block }.lines().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tool::Paint;

    fn block(name: &str, weights: &[u32], least: usize) -> Block {
        let row = |(nth, weight): (usize, &u32)| (*weight, Row::of(Tone::Plain, &format!("{name}{nth}")));
        let rows = weights.iter().enumerate().map(row).collect();
        Block { head: Some(Row::of(Tone::Plain, name)), rows, least, ..Block::default() }
    }

    fn check(room: usize, expected: &str) {
        let blocks = vec![
            block("a", &[0, 0], 2),
            block("b", &[0], 2),
            block("c", &[0], 2),
            block("d", &[0, 0, 7, 0], 2),
            block("e", &[0, 0], 2),
            block("f", &[0], 0),
        ];
        let lines = fitted(blocks, room);
        assert!(lines.len() <= room);
        let text: Vec<_> = lines.iter().map(|row| row.painted(Paint::Plain)).collect();
        assert_eq!(text.join(" "), expected, "{room} lines");
    }

    #[test]
    fn the_most_important_lines_stay_in_their_order() {
        check(16, "a a0 a1 b b0 c c0 d d0 d1 d2 d3 e e0 e1 f");
        check(14, "a a0 a1 b b0 c c0 d d0 d1 d2 e e0 e1");
        check(12, "a a0 a1 b b0 c c0 d d0 d2 e e0");
        check(10, "a a0 b b0 c c0 d d2 e e0");
        check(9, "a a0 a1 b b0 c c0 d d2");
        check(3, "a a0 a1");
        check(1, "f");
        check(0, "");
    }

    fn drawn(
        mut measured: crate::measure::Measured,
        page: Page,
        size: (usize, usize),
        seconds: u64,
    ) -> String {
        measured.judge(&crate::thresholds::DEFAULTS);
        let mut since = crate::since::Since::new(measured.measured_at - chrono::TimeDelta::minutes(30));
        let moved = |inserted| crate::database::Moved { inserted, updated: 40, deleted: 0 };
        if let crate::measure::Known::Is(database) = &mut measured.database {
            database.recent.settled.insert("users".to_owned(), moved(5));
            database.recent.fresh.insert("users".to_owned(), moved(2));
            since.take(database);
        }
        let view = View { measured: &measured, width: size.0, since: Some(&since) };
        let (age, interval) = (Duration::from_secs(seconds), Duration::from_secs(3));
        let age = Age { age, is_stale: seconds > 20, interval };
        let frame = of(view, page, size, &age);
        assert_eq!(frame.len(), size.1);
        assert!(frame.iter().all(|row| row.width() <= size.0), "{size:?}");
        let text: String =
            frame.iter().map(|row| row.painted(Paint::Plain).trim_end().to_owned() + "\n").collect();
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
        text
    }

    #[test]
    fn the_dashboard_is_as_it_was_looked_at() {
        for (width, height) in [(80, 24), (120, 50)] {
            let text = drawn(crate::fixture::measured(), Page::All, (width, height), 2);
            let golden = format!("crates/pipeline-status/tests/golden/watch_{width}x{height}.txt");
            testkit::assert_golden(&golden, &text);
        }
    }

    #[test]
    fn every_page_fits_every_terminal_and_the_first_line_tells_the_worst() {
        let looks = [crate::fixture::measured, crate::fixture::away, crate::fixture::well];
        for page in [Page::All, Page::Tables, Page::Jobs, Page::Alerts] {
            for (look, word) in looks.iter().zip(["CRITICAL", "CRITICAL", "OK"]) {
                for size in [(20, 2), (40, 10), (80, 24), (81, 25), (120, 50), (300, 100)] {
                    let text = drawn(look(), page, size, 0);
                    assert!(text.starts_with(&format!("mirror42  {word} ")), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_is_old_is_not_green() {
        let text = drawn(crate::fixture::well(), Page::All, (80, 24), 21);
        assert!(text.starts_with("mirror42  UNKNOWN  nothing could be measured for 21s"), "{text}");
    }
}
