//! A small process that ends the command when job-run was killed: else it would run on, unwatched, beside its successor.
//!
//! It holds the reading end of a pipe. A line brings the process group, another its end in peace; when the pipe ends without
//! that, job-run is gone.

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What makes job-run a guard. Not for people.
pub(crate) const ARGUMENT: &str = "--guard-of-a-run";

/// Tenths of a second between SIGTERM and SIGKILL.
const GRACE: u32 = 100;

/// The guard, as job-run sees it.
pub(crate) struct Guard {
    process: Child,
    pipe: ChildStdin,
}

impl Guard {
    /// Starts it; a run without one is better than no run.
    pub(crate) fn start() -> Option<Self> {
        let mut command = Command::new(std::env::current_exe().ok()?);
        command
            .arg(ARGUMENT)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| log::warn!("no guard: {error}")).ok()?;
        let pipe = process.stdin.take()?;
        Some(Self { process, pipe })
    }

    /// Says which process group is to end.
    pub(crate) fn watch(&self, group: u32) {
        drop(writeln!(&self.pipe, "{group}"));
    }

    /// Sends it away.
    pub(crate) fn dismiss(mut self) {
        drop(writeln!(&self.pipe, "done"));
        drop(self.pipe);
        drop(self.process.wait());
    }
}

/// The guard itself.
pub(crate) fn run() -> ExitCode {
    // It ends with the pipe and by nothing else.
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        drop(signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))));
    }
    let mut group = None;
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.parse() {
            Ok(number) => group = Pid::from_raw(number),
            Err(_) => return ExitCode::SUCCESS,
        }
    }
    let Some(group) = group else { return ExitCode::SUCCESS };
    kill_process_group(group, Signal::TERM).unwrap_or_default();
    for _ in 0..GRACE {
        if test_kill_process_group(group).is_err() {
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    kill_process_group(group, Signal::KILL).unwrap_or_default();
    ExitCode::SUCCESS
}
