//! The terminal: taken, drawn on without flicker, and given back as it was, however this ends.

use super::Event;
use super::frame::Frame;
use anyhow::{Context, Result};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;
use tool::Paint;
use tool::print;
use tool::{Judge, Verdict};

/// The other screen, no cursor, no line that wraps; and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l";
const LEAVE: &str = "\u{1b}[0m\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l";

/// A terminal that knows these shows all between them at once; the others pass over them.
const BEGIN: &str = "\u{1b}[?2026h";
const END: &str = "\u{1b}[?2026l";

/// Where the size is not known.
const SIZE: (usize, usize) = (80, 24);

/// How the terminal was before; nothing when there is no keyboard.
static BEFORE: OnceLock<Option<Termios>> = OnceLock::new();

/// Held by who draws, so that nothing is drawn on a terminal that was given back.
static DRAWING: Mutex<()> = Mutex::new(());

/// A terminal that is drawn on.
pub(super) struct Terminal {
    size: (usize, usize),
    /// What stands on it, line by line.
    lines: Vec<String>,
}

impl Terminal {
    pub(super) fn enter() -> Result<Self> {
        BEFORE.get_or_init(|| tcgetattr(std::io::stdin()).ok());
        // Nobody draws any more: the lock is kept.
        tool::before_end(|| std::mem::forget(leave_between_drawings()));
        let terminal = Self { size: (0, 0), lines: Vec::new() };
        enter()?;
        Ok(terminal)
    }

    /// Draws what differs from what stands there.
    pub(super) fn draw(&mut self, frame: impl FnOnce((usize, usize)) -> Frame) -> Result<()> {
        let size = size();
        if size != self.size {
            self.forget();
            self.size = size;
        }
        let (width, _) = size;
        let paint = Paint::of_stdout();
        let fresh = self.lines.is_empty();
        let mut text = String::from(if fresh { "\u{1b}[2J" } else { "" });
        let mut lines = Vec::new();
        for (nth, row) in frame(size).iter().enumerate() {
            let line = row.painted(paint);
            if self.lines.get(nth) != Some(&line) {
                // In the last column the cursor stands on what was written, and would erase it.
                let rest = if row.width() < width { "\u{1b}[K" } else { "" };
                text.push_str(&format!("\u{1b}[{};1H{line}{rest}", nth + 1));
            }
            lines.push(line);
        }
        if lines.len() < self.lines.len() {
            text.push_str(&format!("\u{1b}[{};1H\u{1b}[J", lines.len() + 1));
        }
        self.lines = lines;
        if text.is_empty() {
            return Ok(());
        }
        let _drawing = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
        print(&format!("{BEGIN}{text}{END}"))
    }

    /// What stands there is not what was drawn.
    pub(super) fn forget(&mut self) {
        self.lines.clear();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave();
    }
}

/// Tells of another size, and gives the terminal back while this is stopped (Ctrl-Z), and when a signal ends it that
/// nobody else hears.
pub(super) fn hear_signals(events: Sender<Event>) -> Result<()> {
    let signals = Signals::new([SIGWINCH, SIGTSTP, SIGQUIT, SIGHUP]);
    let mut signals = signals.context("signals cannot be watched").verdict(Verdict::Failed)?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if signal != SIGWINCH {
                let _drawing = leave_between_drawings();
                drop(emulate_default_handler(signal));
                // Only what was stopped comes here, when it goes on.
                enter().unwrap_or_default();
            }
            if events.send(Event::Resized).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Gives the terminal back while nobody draws, but waits for no drawing that hangs.
fn leave_between_drawings() -> Option<MutexGuard<'static, ()>> {
    let mut drawing = DRAWING.try_lock();
    for _ in 0..20 {
        if !matches!(drawing, Err(TryLockError::WouldBlock)) {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        drawing = DRAWING.try_lock();
    }
    leave();
    drawing.ok()
}

fn enter() -> Result<()> {
    if let Some(mut quiet) = BEFORE.get().cloned().flatten() {
        // Keys come one by one and are not shown; Ctrl-C stays a signal.
        quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet)?;
    }
    print(ENTER)
}

fn leave() {
    // Not by the lock of stdout: who holds it may be the one that is ended.
    let mut terminal = std::io::stderr().lock();
    if terminal.is_terminal() {
        drop(terminal.write_all(LEAVE.as_bytes()));
    } else if let Ok(mut screen) = std::fs::OpenOptions::new().write(true).open("/dev/tty") {
        drop(screen.write_all(LEAVE.as_bytes()));
    }
    if let Some(before) = BEFORE.get().and_then(Option::as_ref) {
        tcsetattr(std::io::stdin(), OptionalActions::Now, before).unwrap_or_default();
    }
}

/// Columns and lines.
pub(super) fn size() -> (usize, usize) {
    let size =
        tcgetwinsize(std::io::stdout()).map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    size.ok().filter(|(width, height)| *width > 0 && *height > 0).unwrap_or(SIZE)
}
