//! SIGTERM and SIGINT end a tool at once, with a sentence.
//!
//! Every tool may be killed at any moment and run again (DESIGN.md, invariant 3), so there is nothing to clean up: a
//! signal that can be caught is only a chance to say so.

use crate::{Verdict, terminal};
use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::IsTerminal;
use verdict::Judge;

/// Ends the process with 128 + the signal's number when SIGTERM or SIGINT comes.
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
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}
