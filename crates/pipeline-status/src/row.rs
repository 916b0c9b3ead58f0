//! Lines of pieces with colours: made harmless, measured, cut and filled by columns of the terminal.

use crate::alerts::Level;
use tool::Paint;
use unicode_width::UnicodeWidthChar;

/// How a piece looks. What a colour says, a word or a sign beside it says too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// What is there to find one's way: labels, rules, units.
    Faint,
    Strong,
    /// What moves.
    Accent,
    Level(Level),
    /// The level of the whole.
    Badge(Level),
}

impl Tone {
    /// Of SGR, "Select Graphic Rendition"; the sixteen colours are those that the person chose for the terminal.
    fn codes(self) -> String {
        let colour = |level| match level {
            Level::Ok => 32,
            Level::Warning => 33,
            Level::Unknown => 35,
            Level::Critical => 31,
        };
        match self {
            Self::Plain => String::new(),
            Self::Faint => "2".to_owned(),
            Self::Strong => "1".to_owned(),
            Self::Accent => "36".to_owned(),
            Self::Level(level) => colour(level).to_string(),
            Self::Badge(level) => format!("1;7;{}", colour(level)),
        }
    }
}

/// A line of the screen. It has no control character, whatever came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pieces: Vec<(Tone, String)>,
}

impl Row {
    /// A row of one piece.
    pub(crate) fn of(tone: Tone, text: &str) -> Self {
        Self::default().and(tone, text)
    }

    /// With one more piece.
    pub(crate) fn and(mut self, tone: Tone, text: &str) -> Self {
        self.pieces.push((tone, tool::printable(text)));
        self
    }

    /// With the pieces of another row.
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// In columns.
    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| columns(text)).sum()
    }

    /// Cut to a width; a cut is seen.
    pub(crate) fn cut(self, width: usize) -> Self {
        if self.width() <= width {
            return self;
        }
        let mut left = width.saturating_sub(1);
        let mut cut = Self::default();
        for (tone, text) in self.pieces {
            let kept = clipped(&text, left);
            left = left.saturating_sub(columns(&kept));
            let whole = kept.len() == text.len();
            cut.pieces.push((tone, kept));
            if !whole {
                break;
            }
        }
        if width > 0 { cut.and(Tone::Faint, "…") } else { cut }
    }

    /// Cut or filled to a width.
    pub(crate) fn filled(self, width: usize) -> Self {
        let row = self.cut(width);
        let missing = width.saturating_sub(row.width());
        row.and(Tone::Plain, &" ".repeat(missing))
    }

    /// The same, to the right.
    pub(crate) fn right(self, width: usize) -> Self {
        let row = self.cut(width);
        let missing = width.saturating_sub(row.width());
        Self::of(Tone::Plain, &" ".repeat(missing)).join(row)
    }

    /// What a terminal is sent.
    pub(crate) fn painted(&self, paint: Paint) -> String {
        let mut line = String::new();
        for (tone, text) in &self.pieces {
            let codes = tone.codes();
            if paint == Paint::Plain || codes.is_empty() || text.is_empty() {
                line.push_str(text);
            } else {
                line.push_str(&format!("\u{1b}[{codes}m{text}\u{1b}[0m"));
            }
        }
        line
    }
}

/// As terminals count, character by character.
fn columns(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// As much of a text as fits.
fn clipped(text: &str, width: usize) -> String {
    let mut left = width;
    let fits = |character: &char| {
        let wide = character.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    text.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_wide_as_it_says_whatever_is_in_it() {
        let row = |text: &str| Row::of(Tone::Strong, text).and(Tone::Plain, "end");
        for text in ["", "ab", "\u{1b}[2J", "名前", "e\u{301}", "❤\u{fe0f}x", "a\tb\nc"] {
            for width in 0..12 {
                let filled = row(text).filled(width);
                assert_eq!(filled.width(), width, "{text:?} {width}");
                assert_eq!(row(text).right(width).width(), width, "{text:?} {width}");
                let plain = filled.painted(Paint::Plain);
                assert!(plain.chars().all(|character| !character.is_control()), "{plain:?}");
            }
        }
        assert_eq!(row("abc").cut(5).painted(Paint::Plain), "abce…");
        assert_eq!(row("名前名前").cut(4).painted(Paint::Plain), "名…");
    }

    #[test]
    fn colours_are_only_for_who_wants_them_and_end_where_they_should() {
        let row = Row::of(Tone::Badge(Level::Critical), "NO").and(Tone::Plain, " no");
        assert_eq!(row.painted(Paint::Plain), "NO no");
        assert_eq!(row.painted(Paint::Colours), "\u{1b}[1;7;31mNO\u{1b}[0m no");
    }
}
