//! The screen again and again, in place, until q or Ctrl-C.

use crate::measure::Gauge;
use crate::text::{Paint, print};
use crate::{screen, verdict};
use anyhow::Result;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use tool::Verdict;

/// The other screen, no cursor, no line that wraps; and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l";
const LEAVE: &str = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l";

/// Looks every `interval` seconds, `count` times or until it is ended. Off a terminal the screens follow one another.
/// What is away says so on the screen, and is looked for again.
pub(crate) fn run(gauge: &mut Gauge, interval: u64, count: Option<u64>) -> Result<Verdict> {
    let terminal = std::io::stdout().is_terminal();
    let _restored = terminal.then(Terminal::enter).transpose()?;
    let keys = (terminal && std::io::stdin().is_terminal()).then(keys);
    let mut looks = 0;
    loop {
        let measured = gauge.look();
        let text = screen::of(&measured, Paint::of_stdout());
        print(&if terminal { redrawn(&text, interval, height()) } else { text })?;
        looks += 1;
        if count.is_some_and(|count| looks >= count) {
            return Ok(verdict(&measured));
        }
        if is_ended(keys.as_ref(), Duration::from_secs(interval)) {
            return Ok(Verdict::Done);
        }
    }
}

/// Waits; whether q was pressed meanwhile.
fn is_ended(keys: Option<&Receiver<()>>, interval: Duration) -> bool {
    match keys {
        Some(keys) => keys.recv_timeout(interval).is_ok(),
        None => {
            thread::sleep(interval);
            false
        }
    }
}

/// Says when q was pressed. A terminal that is gone ends the wait by its signal.
fn keys() -> Receiver<()> {
    let (pressed, keys) = channel();
    thread::spawn(move || {
        let bytes = std::io::stdin().lock().bytes();
        let mut presses = bytes.map_while(Result::ok).filter(|key| key.eq_ignore_ascii_case(&b'q'));
        if presses.next().is_some() {
            pressed.send(()).unwrap_or_default();
        } else {
            // Dropping the sender would read as a key that is never pressed: the wait would be none.
            loop {
                thread::park();
            }
        }
    });
    keys
}

fn height() -> usize {
    tcgetwinsize(std::io::stdout()).map_or(usize::MAX, |size| usize::from(size.ws_row)).max(3)
}

/// Over what is there, line by line, so that nothing flickers, and nothing of the last look stays.
fn redrawn(text: &str, interval: u64, height: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let room = height.saturating_sub(1);
    let hidden = lines.len().saturating_sub(room);
    let more = if hidden > 0 { format!("{hidden} more lines; ") } else { String::new() };
    let shown = lines.iter().take(room).map(|line| format!("{line}\u{1b}[K\n"));
    format!("\u{1b}[H{}{more}every {interval} s, q ends\u{1b}[K\u{1b}[J", shown.collect::<String>())
}

/// A terminal that is given back as it was, however this ends.
struct Terminal {
    before: Option<Termios>,
}

impl Terminal {
    fn enter() -> Result<Self> {
        let before = tcgetattr(std::io::stdin()).ok();
        let restored = before.clone();
        tool::before_end(move || leave(restored.as_ref()));
        let terminal = Self { before };
        if let Some(mut quiet) = terminal.before.clone() {
            // Keys come one by one and are not shown; Ctrl-C stays a signal.
            quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet)?;
        }
        print(ENTER)?;
        Ok(terminal)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave(self.before.as_ref());
    }
}

fn leave(before: Option<&Termios>) {
    // Not by the lock of stdout: who holds it may be the one that is ended.
    let mut terminal = std::io::stderr().lock();
    let to_stderr = terminal.is_terminal();
    if to_stderr {
        drop(terminal.write_all(LEAVE.as_bytes()));
    } else if let Ok(mut screen) = std::fs::OpenOptions::new().write(true).open("/dev/tty") {
        drop(screen.write_all(LEAVE.as_bytes()));
    }
    if let Some(before) = before {
        tcsetattr(std::io::stdin(), OptionalActions::Now, before).unwrap_or_default();
    }
}
