//! SIGTERM and SIGINT end a tool at once, with a sentence.
//!
//! Every tool may be killed at any moment and run again (DESIGN.md, invariant 3), so there is nothing to clean up: a
//! signal that can be caught is only a chance to say so.

use crate::{Verdict, terminal};
use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::io::IsTerminal;
use verdict::Judge;

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
