//! The command of a run.

use crate::guard::Guard;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tool::{Judge, Verdict};

/// A command that has not started yet; signals that come are for it from now on.
pub(crate) struct Child {
    command: Command,
    program: String,
    reach: Arc<Mutex<Reach>>,
}

/// The variables that a command sees.
pub(crate) type Environment = Vec<(OsString, OsString)>;

/// What signals can reach, and the first that came.
#[derive(Default)]
struct Reach {
    group: Option<Pid>,
    stopped: Option<i32>,
}

/// How it ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Its exit code, unless a signal ended it.
    pub(crate) exit_code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// The first signal that asked for the end.
    pub(crate) stopped: Option<i32>,
    /// Why it could not be started, or what ended it.
    pub(crate) error: Option<String>,
}

impl Child {
    /// Watches for signals.
    ///
    /// # Errors
    /// [`Verdict::Failed`] when they cannot be watched.
    pub(crate) fn new(words: &[String], environment: Environment) -> Result<Self> {
        let program = words.first().cloned().unwrap_or_default();
        let mut command = Command::new(&program);
        // In a group of its own, so that a signal reaches all that it starts, and each only once.
        command.args(words.iter().skip(1)).process_group(0).env_clear().envs(environment);
        if std::io::stdin().is_terminal() {
            // A group in the background that reads from the terminal would be stopped.
            command.stdin(Stdio::null());
        }
        let reach = Arc::new(Mutex::new(Reach::default()));
        let signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).context("signals cannot be watched");
        let mut signals = signals.verdict(Verdict::Failed)?;
        let reached = Arc::clone(&reach);
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let mut reach = reached.lock().unwrap_or_else(PoisonError::into_inner);
                reach.stopped.get_or_insert(signal);
                if let (Some(group), Some(signal)) = (reach.group, Signal::from_named_raw(signal)) {
                    // It may just have ended.
                    kill_process_group(group, signal).unwrap_or_default();
                }
            }
        });
        Ok(Self { command, program, reach })
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(mut self, environment: &[(&str, &OsStr)]) -> Outcome {
        self.command.envs(environment.iter().copied());
        let guard = Guard::start();
        let mut reach = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        if reach.stopped.is_some() {
            return Outcome { stopped: reach.stopped, signal: reach.stopped, ..Outcome::default() };
        }
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let code = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
                let error = format!("{}: {error}", self.program);
                drop(writeln!(std::io::stderr(), "job-run: {}", tool::printable(&error)));
                return Outcome { exit_code: Some(code), error: Some(error), ..Outcome::default() };
            }
        };
        reach.group = Pid::from_raw(child.id().cast_signed());
        drop(reach);
        if let Some(guard) = &guard {
            guard.watch(child.id());
        }
        let ended = child.wait();
        let mut reach = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        reach.group = None;
        if let Some(guard) = guard {
            guard.dismiss();
        }
        Outcome::of(ended, reach.stopped)
    }
}

impl Outcome {
    fn of(ended: std::io::Result<ExitStatus>, stopped: Option<i32>) -> Self {
        match ended {
            Ok(status) => {
                let error = status.signal().map(|signal| format!("ended by signal {signal}"));
                Self { exit_code: status.code(), signal: status.signal(), stopped, error }
            }
            // Nobody else waits for our child: this does not happen.
            Err(error) => Self { exit_code: Some(1), error: Some(error.to_string()), stopped, signal: None },
        }
    }

    /// Ends this process as the command ended.
    pub(crate) fn exit(&self) -> ! {
        if let Some(signal) = self.signal.filter(|signal| self.stopped == Some(*signal)) {
            // By the signal itself, so that a script is ended by a Ctrl-C too.
            drop(signal_hook::low_level::emulate_default_handler(signal));
        }
        let by_signal = self.signal.map(|signal| 128 + signal);
        std::process::exit(self.exit_code.or(by_signal).unwrap_or(1))
    }
}
