//! What PostgreSQL says when it refuses, as one line with everything in it, and what that means for the run.

use anyhow::anyhow;
use postgres::error::SqlState;
use std::error::Error;
use std::fmt;
use verdict::{Judge, Verdict};

/// Marks an error after which the same transaction may well succeed when it is tried again.
#[derive(Debug)]
pub(crate) struct Passing;

impl fmt::Display for Passing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("another transaction came in between")
    }
}

/// An error of the client as one of ours. The client's own text is only "db error"; cause, detail and place are
/// brought out here.
#[must_use]
pub fn of(error: &postgres::Error) -> anyhow::Error {
    let text = text(error);
    let passing =
        matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED));
    match verdict(error) {
        Verdict::Busy if passing => anyhow!("PostgreSQL: {text}").verdict(Verdict::Busy).context(Passing),
        Verdict::Config => {
            anyhow!("PostgreSQL: {text}; the tables are not those of the catalog, run init-db")
                .verdict(Verdict::Config)
        }
        Verdict::Unreachable => {
            anyhow!("lost PostgreSQL, and what was not committed: {text}").verdict(Verdict::Unreachable)
        }
        verdict => anyhow!("PostgreSQL: {text}").verdict(verdict),
    }
}

/// Brings an error of the client back out of the `io::Error` that a COPY wraps it in.
pub(crate) fn of_copy(error: &std::io::Error) -> Option<&postgres::Error> {
    error.get_ref()?.downcast_ref::<postgres::Error>()
}

/// The whole chain on one line.
pub(crate) fn text(error: &postgres::Error) -> String {
    let Some(refusal) = error.as_db_error() else {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        return text.replace('\n', " ");
    };
    let mut text = refusal.message().to_owned();
    // A detail of this kind is the row itself, and rows are people.
    let detail = refusal.detail().filter(|detail| !detail.starts_with("Failing row"));
    for more in [detail, refusal.where_()].into_iter().flatten() {
        text = format!("{text} ({})", more.trim_end_matches('.'));
    }
    text.replace('\n', " ")
}

fn verdict(error: &postgres::Error) -> Verdict {
    let Some(code) = error.code() else {
        // No SQLSTATE: the connection broke, or an answer could not be understood.
        let lost = error.is_closed() || matches!(error.source(), Some(cause) if cause.is::<std::io::Error>());
        return if lost { Verdict::Unreachable } else { Verdict::Failed };
    };
    match code.code() {
        "40001" | "40P01" | "55P03" | "53300" | "57014" => Verdict::Busy,
        "42P01" | "42703" | "3F000" | "42804" | "42883" | "22001" | "23502" | "23514" => Verdict::Config,
        "42501" => Verdict::Credentials,
        "53100" => Verdict::Io,
        "57P01" | "57P02" | "57P03" | "57P05" => Verdict::Unreachable,
        code if code.starts_with("08") => Verdict::Unreachable,
        code if code.starts_with("28") => Verdict::Credentials,
        _ => Verdict::Failed,
    }
}
