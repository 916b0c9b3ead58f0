//! How a run ended: the exit codes of every tool, and errors that carry one.
//!
//! A library that knows why it failed says so with [`Judge::verdict`]; `tool::main` turns the first verdict
//! it finds in the chain into the exit code of the process. An error without a verdict is [`Verdict::Failed`].

use std::fmt;

/// The ways in which a run can end, one exit code each. The same in every tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything asked for was done.
    Done,
    /// It failed, and no other code says why.
    Failed,
    /// The command line is wrong.
    Usage,
    /// It was done, but some records were set aside.
    SetAside,
    /// The data was refused, nothing was written.
    Refused,
    /// The API or the database cannot be reached.
    Unreachable,
    /// Cannot read or write: disk full, closed pipe, missing file.
    Io,
    /// Busy or out of quota: the same command works later.
    Busy,
    /// The credentials were refused.
    Credentials,
    /// The configuration is wrong or incomplete.
    Config,
}

impl Verdict {
    /// The exit code; 2 is clap's own, 65 to 78 are those of sysexits.h.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::SetAside => 3,
            Self::Refused => 65,
            Self::Unreachable => 69,
            Self::Io => 74,
            Self::Busy => 75,
            Self::Credentials => 77,
            Self::Config => 78,
        }
    }

    /// The verdict of an exit code of one of our tools that failed for what is around it, and not for its data.
    #[must_use]
    pub fn of_environment(code: i32) -> Option<Self> {
        let faults = [Self::Unreachable, Self::Io, Self::Busy, Self::Credentials, Self::Config];
        faults.into_iter().find(|verdict| i32::from(verdict.code()) == code)
    }

    /// The verdict an error carries: the outermost one of its chain, or [`Verdict::Failed`].
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        let judged = error.chain().find_map(|cause| cause.downcast_ref::<Judged>());
        judged.map_or(Self::Failed, |judged| judged.verdict)
    }
}

/// Closing part of every `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0 done  1 failed  2 wrong usage  3 done, but some records were set aside
  65 the data was refused  69 the API or the database cannot be reached
  74 cannot read or write (disk full, closed pipe)  75 busy or out of quota, try again later
  77 credentials refused  78 configuration  130/143 ended by a signal";

/// An error that knows how the run must end. Reads as the error it wraps, causes included.
#[derive(Debug)]
struct Judged {
    verdict: Verdict,
    error: anyhow::Error,
}

impl fmt::Display for Judged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#}", self.error)
    }
}

impl std::error::Error for Judged {}

/// Attaches a verdict to an error, or to the error of a result.
pub trait Judge {
    /// What comes back: the same, carrying the verdict.
    type Judged;

    /// Says how the run must end because of this error. A verdict given later, further out, prevails.
    fn verdict(self, verdict: Verdict) -> Self::Judged;
}

impl Judge for anyhow::Error {
    type Judged = Self;

    fn verdict(self, verdict: Verdict) -> Self {
        Self::new(Judged { verdict, error: self })
    }
}

impl<T, E: Into<anyhow::Error>> Judge for Result<T, E> {
    type Judged = anyhow::Result<T>;

    fn verdict(self, verdict: Verdict) -> anyhow::Result<T> {
        self.map_err(|error| error.into().verdict(verdict))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn a_verdict_survives_context_and_reads_as_its_error() {
        let inner: anyhow::Result<()> = Err(anyhow!("no space").context("line 3"));
        let error = inner.verdict(Verdict::Io).context("loading users").unwrap_err();
        assert_eq!(Verdict::of(&error), Verdict::Io);
        assert_eq!(format!("{error:#}"), "loading users: line 3: no space");
    }

    #[test]
    fn an_error_nobody_judged_is_a_failure() {
        assert_eq!(Verdict::of(&anyhow!("?")), Verdict::Failed);
    }

    #[test]
    fn every_code_is_in_the_help() {
        use Verdict::{Busy, Config, Credentials, Done, Failed, Io, Refused, SetAside, Unreachable, Usage};
        for verdict in [Done, Failed, Usage, SetAside, Refused, Unreachable, Io, Busy, Credentials, Config] {
            assert!(EXIT_CODES.contains(&format!(" {} ", verdict.code())), "{verdict:?}");
        }
    }
}
