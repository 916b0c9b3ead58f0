//! Text of the other side, as it may appear in an error or a log line.

/// The first `longest` characters of a text, on one line: whatever could drive a terminal becomes a space, and
/// spaces in a row become one.
pub(crate) fn plain(text: &str, longest: usize) -> String {
    let harmless = text.chars().map(|character| if is_harmful(character) { ' ' } else { character });
    let harmless: String = harmless.take(longest * 8).collect();
    let words: Vec<&str> = harmless.split_whitespace().collect();
    words.join(" ").chars().take(longest).collect()
}

/// Control characters, and those that reorder a line.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_page_becomes_a_harmless_excerpt() {
        assert_eq!(plain("<html>\r\n\t<b>\u{1b}]52;x\u{7}\u{202e}é", 80), "<html> <b> ]52;x é");
        assert_eq!(plain(&"é".repeat(500), 80).chars().count(), 80);
    }
}
