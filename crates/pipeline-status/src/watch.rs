//! A dashboard: the screen fitted into the terminal, in place, looked at again and again until q or Ctrl-C.
//!
//! One thread looks, one reads keys, one hears signals; this one draws whatever comes, so that a database that does not
//! answer keeps nobody from leaving.
//!
//! # Layout
//! - here: what happens, and what is drawn then. `looks`: the thread that looks. `keys`: what is pressed.
//! - `frame`: which lines there is room for. `terminal`: taken, drawn on, and given back.

mod frame;
mod keys;
mod looks;
mod terminal;

use crate::measure::{Gauge, Measured};
use crate::screen::{self, Page, View};
use crate::since::Since;
use crate::verdict;
use anyhow::Result;
use frame::Frame;
use keys::Key;
use looks::Looks;
use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};
use terminal::Terminal;
use tool::{Paint, Verdict, print};

/// Without news it is drawn again after this long, so that the age of what is shown goes on.
const TICK: Duration = Duration::from_secs(1);

/// Columns of a screen that is no terminal's.
const COLUMNS: usize = 132;

/// Fewer columns are wrapped by the terminal.
const FEWEST: usize = 60;

/// What the dashboard waits for.
enum Event {
    Looked(Box<Look>),
    Pressed(Key),
    /// The terminal has another size, or is back in the foreground.
    Resized,
}

/// What was seen.
struct Look {
    measured: Measured,
    since: Option<Since>,
    at: Instant,
}

/// Looks every `interval` seconds, `count` times or until it is ended. Off a terminal the screens follow one another.
/// What is away says so on the screen, and is looked for again.
pub(crate) fn run(gauge: Gauge, interval: u64, count: Option<u64>) -> Result<Verdict> {
    let dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    if std::io::stdout().is_terminal() && !dumb {
        dashboard(gauge, Duration::from_secs(interval), count)
    } else {
        one_by_one(gauge, Duration::from_secs(interval), count)
    }
}

/// As many columns as a screen may have that is printed once.
pub(crate) fn columns() -> usize {
    if std::io::stdout().is_terminal() { terminal::size().0.max(FEWEST) } else { COLUMNS }
}

fn one_by_one(mut gauge: Gauge, interval: Duration, count: Option<u64>) -> Result<Verdict> {
    let mut looks = 0;
    loop {
        let measured = gauge.look(None);
        print(&screen::of(View { measured: &measured, width: columns(), since: None }, Paint::of_stdout()))?;
        looks += 1;
        if count.is_some_and(|count| looks >= count) {
            return Ok(verdict(&measured));
        }
        thread::sleep(interval);
    }
}

fn dashboard(gauge: Gauge, interval: Duration, count: Option<u64>) -> Result<Verdict> {
    let (events, happened) = channel();
    // After so long no look is under way any more that will still come.
    let stale = interval + 2 * gauge.patience + Duration::from_secs(5);
    let mut terminal = Terminal::enter()?;
    terminal::hear_signals(events.clone())?;
    keys::listen(events.clone());
    let looks = Looks::start(gauge, interval, events);
    let mut shown = Shown { page: Page::All, last: None, interval, stale };
    let mut seen = 0;
    terminal.draw(|size| shown.frame(size))?;
    loop {
        match next(&happened) {
            None | Some(Event::Pressed(Key::Other)) => {}
            Some(Event::Resized) => terminal.forget(),
            Some(Event::Looked(look)) => {
                shown.last = Some(*look);
                seen += 1;
            }
            Some(Event::Pressed(Key::Quit)) => return Ok(Verdict::Done),
            Some(Event::Pressed(Key::Page(page))) => shown.page = page,
            Some(Event::Pressed(Key::Look)) => looks.now(),
        }
        terminal.draw(|size| shown.frame(size))?;
        if let Some(look) = shown.last.as_ref().filter(|_| count.is_some_and(|count| seen >= count)) {
            return Ok(verdict(&look.measured));
        }
    }
}

/// What happens next; nothing when a while passes.
fn next(happened: &Receiver<Event>) -> Option<Event> {
    match happened.recv_timeout(TICK) {
        Ok(event) => Some(event),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => {
            thread::sleep(TICK);
            None
        }
    }
}

/// What is on the screen.
struct Shown {
    page: Page,
    last: Option<Look>,
    interval: Duration,
    stale: Duration,
}

impl Shown {
    fn frame(&self, size: (usize, usize)) -> Frame {
        let Some(look) = &self.last else { return frame::looking(size) };
        let (width, _) = size;
        let view = View { measured: &look.measured, width, since: look.since.as_ref() };
        let age = look.at.elapsed();
        let age = frame::Age { age, is_stale: age > self.stale, interval: self.interval };
        frame::of(view, self.page, size, &age)
    }
}
