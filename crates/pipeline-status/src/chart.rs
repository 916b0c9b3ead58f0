//! Bars and sparklines of block characters.

/// A bar: the full part and the rest, together so many columns. What is not done never reads as full, and what has begun
/// never as empty.
pub(crate) fn bar(ratio: f64, width: usize) -> (String, String) {
    let cells = columns(width) * 8;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1 of some columns"
    )]
    let mut eighths = (ratio.clamp(0.0, 1.0) * f64::from(cells)) as u32;
    if ratio > 0.0 && cells > 0 {
        eighths = eighths.max(1);
    }
    let mut full = "█".repeat((eighths / 8) as usize);
    full.extend(part(eighths % 8));
    let rest = "░".repeat(width - full.chars().count());
    (full, rest)
}

/// The left part of a cell, in eighths; nothing for none.
const fn part(eighths: u32) -> Option<char> {
    match eighths {
        0 => None,
        1 => Some('▏'),
        2 => Some('▎'),
        3 => Some('▍'),
        4 => Some('▌'),
        5 => Some('▋'),
        6 => Some('▊'),
        _ => Some('▉'),
    }
}

fn columns(width: usize) -> u32 {
    u32::try_from(width).unwrap_or(u32::MAX / 8)
}

/// Nothing, and seven heights: the least that there is can be told from nothing.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A column for each value, as high as it is to the greatest.
pub(crate) fn spark(values: &[u64]) -> String {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let height = |value: &u64| match value {
        0 => HEIGHTS[0],
        value => HEIGHTS[usize::try_from(value * 7 / most).unwrap_or(7).clamp(1, 7)],
    };
    values.iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ratio: f64, expected: &str) {
        let (full, rest) = bar(ratio, 4);
        assert_eq!(full + &rest, expected, "{ratio}");
    }

    #[test]
    fn only_what_is_done_is_full_and_only_nothing_is_empty() {
        check(-1.0, "░░░░");
        check(0.0, "░░░░");
        check(0.0001, "▏░░░");
        check(0.5, "██░░");
        check(0.6, "██▍░");
        check(0.9999, "███▉");
        check(1.0, "████");
        check(f64::INFINITY, "████");
        assert_eq!(bar(0.5, 0), (String::new(), String::new()));
    }

    #[test]
    fn the_least_that_there_is_can_be_seen() {
        assert_eq!(spark(&[0, 1, 500, 1000]), "▁▂▄█");
        assert_eq!(spark(&[0, 0]), "▁▁");
        assert_eq!(spark(&[1]), "█");
        assert_eq!(spark(&[]), "");
    }
}
