//! The end of every wait: a run that passes its deadline ends by itself.
//!
//! Timeouts on single requests are not enough: a PostgreSQL server that is stopped, not dead, blocks its client for
//! ever whatever keepalives are set. Every tool may be killed at any moment, so ending here loses nothing.

use crate::{Verdict, number_or, signals, terminal};
use std::time::Duration;

/// In seconds.
const SIX_HOURS: u64 = 6 * 3600;

/// The `--deadline` option, to be flattened into a tool's arguments.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Deadline {
    /// Seconds after which the run gives up with exit code 75; what it has done so far stays
    #[arg(long, value_name = "SECONDS", default_value_t = SIX_HOURS, value_parser = number_or(SIX_HOURS))]
    #[arg(env = "DEADLINE", hide_env_values = true, global = true)]
    deadline: u64,
}

impl Deadline {
    /// Starts the clock; the process ends when it runs out.
    pub fn start(self, name: &'static str) {
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(self.deadline));
            signals::wind_up();
            let line = "gave up at its deadline; run the same command again, or raise --deadline";
            terminal::complain(&format!("{name}: {line} (now {} s)", self.deadline));
            std::process::exit(i32::from(Verdict::Busy.code()));
        });
    }
}
