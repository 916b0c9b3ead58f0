//! How far a run is, for a person who looks: a bar on a terminal, lines for `job-run`, nothing else in cron.

use crate::journal::Account;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal;

/// A progress bar on stderr, drawn only when stderr is a terminal. What it shows is also written to `$JOB_PROGRESS`, when
/// `job-run` has set it.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    account: Option<Account>,
}

impl Progress {
    /// A bar that counts `unit`s of something called `what`; the total may be set later.
    #[must_use]
    pub fn new(what: &str, unit: &str) -> Self {
        let account = Account::open();
        if !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), account };
        }
        let template =
            format!("{{prefix}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit}  {{rate}}  {{eta}}  {{msg}}");
        // The text grows a string: it cannot fail.
        let rate = |state: &ProgressState, text: &mut dyn Write| {
            write!(text, "{:.0}/s", state.per_sec()).unwrap_or_default();
        };
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style.with_key("rate", rate);
        let bar = ProgressBar::no_length().with_prefix(what.to_owned()).with_style(style);
        Self { bar, account }
    }

    /// Says how much there is in all.
    pub fn total(&self, total: u64) {
        self.bar.set_length(total);
        if let Some(account) = &self.account {
            account.total(total);
        }
    }

    /// Says how much is done.
    pub fn done(&self, done: u64) {
        self.bar.set_position(done);
        if let Some(account) = &self.account {
            account.done(done);
        }
    }

    /// Takes the bar away, so that a line may follow.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
        if let Some(account) = &self.account {
            account.flush();
        }
    }

    /// Says what it waits for, or nothing.
    pub fn note(&self, note: &str) {
        self.bar.set_message(note.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
