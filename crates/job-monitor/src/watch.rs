//! The jobs that run, again and again.

use crate::source::Source;
use crate::{active, print};
use anyhow::Result;
use std::io::IsTerminal;
use std::time::Duration;
use tool::{Verdict, printable};

/// Looks every `interval` seconds, `count` times or for ever. While the source is away the screen says so, and nothing
/// that was seen before stays on it.
pub(crate) fn run(source: &mut Source, json: bool, interval: u64, count: Option<u64>) -> Result<Verdict> {
    // What cannot be read at the first look is an error like any other.
    let mut looked = Ok(look(source, json)?);
    let mut looks = 1;
    loop {
        let verdict = looked.as_ref().map_or_else(Verdict::of, |_| Verdict::Done);
        show(looked, json)?;
        if count.is_some_and(|count| looks >= count) {
            return Ok(verdict);
        }
        std::thread::sleep(Duration::from_secs(interval));
        looked = look(source, json);
        looks += 1;
    }
}

fn look(source: &mut Source, json: bool) -> Result<String> {
    let look = source.active()?;
    let screen = active(&look.jobs, json)?;
    let head = format!("Active Jobs (updated {} UTC)", look.at.get(11..19).unwrap_or_default());
    Ok(if json { screen } else { headed(&head, &screen) })
}

fn headed(head: &str, screen: &str) -> String {
    format!("{head}\n{}\n{screen}", "=".repeat(80))
}

fn show(looked: Result<String>, json: bool) -> Result<()> {
    let terminal = std::io::stdout().is_terminal();
    match looked {
        Ok(screen) if terminal && !json => print(&redrawn(&screen)),
        Ok(screen) => print(&screen),
        Err(error) => {
            let line = printable(&format!("{error:#}"));
            if terminal && !json {
                return print(&redrawn(&headed(
                    "The active jobs cannot be read; trying again",
                    &format!("{line}\n"),
                )));
            }
            log::error!("{line}");
            Ok(())
        }
    }
}

/// Over what is on the screen, line by line, so that nothing flickers, and nothing of the last look stays.
fn redrawn(screen: &str) -> String {
    format!("\u{1b}[H{}\u{1b}[J", screen.replace('\n', "\u{1b}[K\n"))
}
