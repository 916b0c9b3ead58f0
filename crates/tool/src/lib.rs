//! What every main does, so that no tool does it differently: arguments, logging, exit codes, signals.
//!
//! A tool is a clap struct and a `run`; its `main` is one call of [`main`].

mod deadline;
mod journal;
mod logging;
mod progress;
mod ready;
mod signals;
mod terminal;

pub use deadline::Deadline;
pub use journal::counts;
pub use progress::Progress;
pub use ready::announce;
pub use signals::before_end;
pub use terminal::{Paint, complain, duration, print, printable};
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
    start(None, signals::watch, |arguments| run(arguments).map(Verdict::code))
}

/// The same for a tool that has to do something when SIGTERM or SIGINT comes, and minds them itself.
pub fn main_with_own_signals<Arguments: Parser>(
    run: impl FnOnce(Arguments) -> anyhow::Result<Verdict>,
) -> ExitCode {
    start(None, |_| Ok(()), |arguments| run(arguments).map(Verdict::code))
}

/// The exit codes of a tool whose code says how things are, not how the run went.
#[derive(Clone, Copy, Debug)]
pub struct OwnCodes {
    /// Closing part of its `--help`, in place of [`EXIT_CODES`].
    pub help: &'static str,
    /// For whatever went wrong, a wrong command line included; [`Verdict::Busy`] keeps its own.
    pub error: u8,
}

/// The same for a tool that has exit codes of its own; `run` gives the code.
pub fn main_with_own_codes<Arguments: Parser>(
    codes: OwnCodes,
    run: impl FnOnce(Arguments) -> anyhow::Result<u8>,
) -> ExitCode {
    start(Some(codes), signals::watch, run)
}

fn start<Arguments: Parser>(
    codes: Option<OwnCodes>,
    watch: impl FnOnce(&str) -> anyhow::Result<()>,
    run: impl FnOnce(Arguments) -> anyhow::Result<u8>,
) -> ExitCode {
    let code = |verdict: Verdict| match codes {
        Some(codes) if verdict != Verdict::Busy => codes.error,
        _ => verdict.code(),
    };
    let environment = read_dotenv();
    let help = codes.map_or(EXIT_CODES, |codes| codes.help);
    let matches = match Arguments::command().after_help(help).try_get_matches() {
        Ok(matches) => matches,
        Err(refusal) => {
            drop(refusal.print());
            return ExitCode::from(if refusal.use_stderr() { code(Verdict::Usage) } else { 0 });
        }
    };
    let name = Arguments::command().get_name().to_owned();
    let outcome = environment.and_then(|()| {
        logging::start();
        watch(&name)?;
        let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        run(arguments)
    });
    ExitCode::from(outcome.unwrap_or_else(|error| code(report(&name, &error))))
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
    log::trace!("ends: {line}");
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
