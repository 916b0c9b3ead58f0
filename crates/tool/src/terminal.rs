//! What is printed: data whole or not at all, and for people stripped of what could drive their terminal.

use anyhow::Context;
use std::io::{IsTerminal, Write};
use verdict::{Judge, Verdict};

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// ANSI colours.
    Colours,
    /// Plain text.
    Plain,
}

impl Paint {
    /// Colours on a terminal, unless NO_COLOR is set.
    #[must_use]
    pub fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if wanted && std::io::stdout().is_terminal() { Self::Colours } else { Self::Plain }
    }
}

/// Writes what is data to stdout, whole.
///
/// # Errors
/// [`Verdict::Io`] when it is full or closed.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.context("standard output").verdict(Verdict::Io)
}

/// `45s`, `3m 35s`, `6h 48m`, `3d 4h`; what is negative counts as nothing.
#[must_use]
pub fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {}m", minutes % 60),
        (days, hours, _) => format!("{days}d {}h", hours % 24),
    }
}

/// A text as it may be shown on a terminal: control characters (C0, DEL, C1) and bidirectional controls become
/// `\u{..}`, so that data cannot move the cursor, set the clipboard or reorder a line. One line stays one line.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_bidirectional_control(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

const fn is_bidirectional_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// Writes a line for people to stderr. When even that is gone there is nobody left to tell.
pub fn complain(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::{duration, printable};

    #[test]
    fn durations_are_as_documented() {
        let shown = [-3, 0, 45, 215, 24_480, 273_600].map(duration);
        assert_eq!(shown, ["0s", "0s", "45s", "3m 35s", "6h 48m", "3d 4h"]);
    }

    #[test]
    fn escapes_lose_their_power() {
        assert_eq!(printable("a\u{1b}]52;c;x\u{7}\u{9b}1m"), r"a\u{1b}]52;c;x\u{7}\u{9b}1m");
        assert_eq!(printable("two\nlines\t"), r"two\nlines\t");
        assert_eq!(printable("\u{202e}gnp"), r"\u{202e}gnp");
    }

    #[test]
    fn ordinary_text_passes() {
        assert_eq!(printable("Zoë d'Élan"), "Zoë d'Élan");
    }
}
