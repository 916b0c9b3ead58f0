//! What every main does, so that no tool does it differently: arguments, logging, exit codes, signals.
//!
//! A tool is a clap struct and a `run`; its `main` is one call of [`main`].

mod deadline;
mod journal;
mod logging;
mod progress;
mod signals;
mod terminal;

pub use deadline::Deadline;
pub use progress::Progress;
pub use signals::before_end;
pub use terminal::printable;
pub use verdict::{EXIT_CODES, Judge, Verdict};

use anyhow::Context;
use clap::Parser;
use std::num::ParseIntError;
use std::process::ExitCode;

/// Runs a tool: reads `.env`, parses the arguments, sets up logging and signals, runs, and turns what came of it into
/// one line on stderr and an exit code.
///
/// `run` must have flushed what it wrote to stdout: a buffer that is dropped hides a full disk.
pub fn main<Arguments: Parser>(run: impl FnOnce(Arguments) -> anyhow::Result<Verdict>) -> ExitCode {
    start(signals::watch, run)
}

/// The same for a tool that has to do something when SIGTERM or SIGINT comes, and minds them itself.
pub fn main_with_own_signals<Arguments: Parser>(
    run: impl FnOnce(Arguments) -> anyhow::Result<Verdict>,
) -> ExitCode {
    start(|_| Ok(()), run)
}

fn start<Arguments: Parser>(
    watch: impl FnOnce(&str) -> anyhow::Result<()>,
    run: impl FnOnce(Arguments) -> anyhow::Result<Verdict>,
) -> ExitCode {
    let environment = read_dotenv();
    let matches = Arguments::command().after_help(EXIT_CODES).get_matches();
    let name = Arguments::command().get_name().to_owned();
    let outcome = environment.and_then(|()| {
        logging::start();
        watch(&name)?;
        let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        run(arguments)
    });
    let verdict = outcome.unwrap_or_else(|error| report(&name, &error));
    ExitCode::from(verdict.code())
}

/// A parser for options that a variable may give: one that is set to nothing is one that is not set.
pub fn number_or(default: u64) -> impl Fn(&str) -> Result<u64, ParseIntError> + Clone {
    move |text| if text.is_empty() { Ok(default) } else { text.parse() }
}

/// A parser for options that are a share of something.
///
/// # Errors
/// A sentence that says what a share is.
pub fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

fn report(name: &str, error: &anyhow::Error) -> Verdict {
    let line = printable(&format!("{error:#}"));
    terminal::complain(&format!("{name}: {line}"));
    journal::error(&format!("{name}: {line}"));
    Verdict::of(error)
}

/// Reads `.env` of the working directory, if there is one. It is parsed, never sourced; what the environment
/// already holds prevails.
fn read_dotenv() -> anyhow::Result<()> {
    match dotenvy::from_path(".env") {
        Err(dotenvy::Error::Io(error)) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context(".env").verdict(Verdict::Config)
        }
        Err(error) if !error.not_found() => {
            // The message of dotenvy quotes the line, and a line of .env may hold a secret.
            Err(anyhow::anyhow!(
                ".env cannot be read; each line has to be NAME=VALUE, quoted where it has spaces"
            ))
            .verdict(Verdict::Config)
        }
        _ => Ok(()),
    }
}
