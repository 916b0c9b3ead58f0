//! What people see: stripped of what could drive their terminal.

use std::io::Write;

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

/// Writes a line for people. When even stderr is gone there is nobody left to tell.
pub(crate) fn complain(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::printable;

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
