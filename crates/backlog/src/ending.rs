//! What happens when the process is asked to end: its children end first, and what it had leased is given back.
//!
//! A tool may be killed at any moment, and then its leases run out. A signal that can be caught leaves time for more: the
//! children are asked to end, the work that fails for it is given back without blame, and only then the process ends.

use anyhow::{Result, anyhow};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tool::{Judge, Verdict};

/// How long a signal waits until leases are given back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shared by the thread that works and the one that hears signals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asked: bool,
    /// Whether leases are held.
    busy: bool,
    children: Vec<Pid>,
}

impl Ending {
    /// Listens for the end of this process.
    pub(crate) fn listen() -> Self {
        let ending = Self::default();
        let listener = ending.clone();
        tool::before_end(move || listener.end());
        ending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let mut state = self.state();
        state.asked = true;
        for child in &state.children {
            // One that has just ended needs no signal; it is in the list until it is waited for, so the number is its own.
            kill_process(*child, Signal::TERM).unwrap_or_default();
        }
        drop(self.0.changed.wait_timeout_while(state, PATIENCE, |state| state.busy));
    }

    /// Starts a child, unless the end has been asked for.
    pub(crate) fn spawn(&self, command: &mut Command) -> Result<Child> {
        let mut state = self.state();
        if state.asked {
            return Err(anyhow!("asked to end").verdict(Verdict::Busy));
        }
        let name = command.get_program().display().to_string();
        let child = command.spawn().map_err(|error| {
            anyhow!("{name} cannot be started: {error}; is it on the PATH?").verdict(Verdict::Config)
        })?;
        state.children.push(Pid::from_child(&child));
        Ok(child)
    }

    /// Waits for a child.
    pub(crate) fn wait(&self, mut child: Child) -> Result<ExitStatus> {
        let pid = Pid::from_child(&child);
        // Its number is not given to another process before it is reaped, and nobody signals it after that.
        let look = || waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        while look().is_err_and(|error| error == Errno::INTR) {}
        self.state().children.retain(|other| *other != pid);
        Ok(child.wait()?)
    }

    /// Says that leases are held until the guard goes.
    pub(crate) fn busy(&self) -> Busy<'_> {
        self.state().busy = true;
        Busy(self)
    }
}

/// While it lives, a signal waits.
#[derive(Debug)]
pub(crate) struct Busy<'a>(&'a Ending);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = false;
        let asked = state.asked;
        drop(state);
        self.0.0.changed.notify_all();
        if asked {
            // The thread that heard the signal ends the process; this one has nothing more to say.
            loop {
                std::thread::park();
            }
        }
    }
}
