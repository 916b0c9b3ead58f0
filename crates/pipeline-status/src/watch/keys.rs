//! What is pressed.

use super::Event;
use crate::screen::Page;
use std::io::{IsTerminal, Read};
use std::sync::mpsc::Sender;
use std::thread;

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Page(Page),
    /// Look at once.
    Look,
    Other,
}

/// Where in an escape sequence the reader is: arrows and the like send several bytes, some of which are keys of their own.
#[derive(Clone, Copy, Debug, Default)]
enum Within {
    #[default]
    Nothing,
    Escape,
    Sequence,
}

/// Tells what is pressed, from a thread of its own. A terminal that is gone ends the process by its signal.
pub(super) fn listen(events: Sender<Event>) {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return;
    }
    thread::spawn(move || {
        let mut within = Within::default();
        for byte in stdin.lock().bytes().map_while(Result::ok) {
            if events.send(Event::Pressed(key(&mut within, byte))).is_err() {
                return;
            }
        }
    });
}

fn key(within: &mut Within, byte: u8) -> Key {
    let (next, is_key) = match (*within, byte) {
        (_, 0x1b) => (Within::Escape, false),
        (Within::Escape, b'[' | b'O') => (Within::Sequence, false),
        (Within::Sequence, 0x20..=0x3f) => (Within::Sequence, false),
        (Within::Sequence, _) => (Within::Nothing, false),
        (Within::Escape | Within::Nothing, _) => (Within::Nothing, true),
    };
    *within = next;
    match byte {
        _ if !is_key => Key::Other,
        b'q' | b'Q' => Key::Quit,
        b'1' => Key::Page(Page::All),
        b'2' => Key::Page(Page::Tables),
        b'3' => Key::Page(Page::Jobs),
        b'4' => Key::Page(Page::Alerts),
        b'r' | b' ' => Key::Look,
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Key> {
        let mut within = Within::default();
        let keys = text.bytes().map(|byte| key(&mut within, byte));
        keys.filter(|key| *key != Key::Other).collect()
    }

    #[test]
    fn keys_mean_what_the_last_line_says_and_arrows_mean_nothing() {
        assert_eq!(keys("x2q"), [Key::Page(Page::Tables), Key::Quit]);
        assert_eq!(keys("\u{1b}[A\u{1b}[1;5Q\u{1b}[4~\u{1b}OQ"), []);
        assert_eq!(keys("\u{1b}q"), [Key::Quit], "Escape, and then a key");
        assert_eq!(keys("\u{1b}[A 3"), [Key::Look, Key::Page(Page::Jobs)]);
    }
}
