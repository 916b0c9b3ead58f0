//! SIGTERM and SIGINT end a tool at once, with a sentence.
//!
//! Every tool may be killed at any moment and run again (DESIGN.md, invariant 3), so there is nothing to clean up: a
//! signal that can be caught is only a chance to say so, and for a tool that wants it, to give back what it holds.

use crate::{Verdict, terminal};
use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::io::IsTerminal;
use std::sync::OnceLock;
use verdict::Judge;

static BEFORE_END: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// Has something done when a signal or the deadline ends the process, just before; the first caller is served. It has to
/// return within seconds.
pub fn before_end(action: impl Fn() + Send + Sync + 'static) {
    drop(BEFORE_END.set(Box::new(action)));
}

/// Does what is to be done before the process ends.
pub(crate) fn wind_up() {
    if let Some(action) = BEFORE_END.get() {
        action();
    }
}

/// Ends the process when SIGTERM or SIGINT comes: a shell sees 128 + the signal's number.
pub(crate) fn watch(name: &str) -> anyhow::Result<()> {
    let mut signals =
        Signals::new([SIGTERM, SIGINT]).context("signals cannot be watched").verdict(Verdict::Failed)?;
    let name = name.to_owned();
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            if std::io::stderr().is_terminal() {
                // Below the progress bar, or behind the ^C.
                terminal::complain("");
            }
            wind_up();
            let sent = if signal == SIGTERM { "SIGTERM" } else { "SIGINT" };
            terminal::complain(&format!(
                "{name}: ended by {sent}; nothing is lost, run the same command again"
            ));
            // By the signal itself, so that a script which runs this tool is ended by a Ctrl-C too.
            drop(emulate_default_handler(signal));
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}
