//! A run, as far as it is known.

use crate::counts::Counts;
use crate::lease::Lease;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io::Read;
use verdict::{Judge, Verdict};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is going on.
    Running,
    /// It did all it had to do.
    Completed,
    /// It is done, but some of it failed or was set aside.
    Partial,
    /// It failed.
    Failed,
    /// It was asked to end, and did.
    Cancelled,
    /// Nothing was heard of it for too long. Only its own report changes that.
    Lost,
}

/// Who a run is: what never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// A UUID.
    pub run: String,
    /// Name of the job.
    pub job: String,
    /// Type of the job: `fetch`, `load`, …
    pub kind: String,
    /// The run that started this one: its UUID, or the id of its row.
    pub parent: Option<String>,
    /// Name of the host.
    pub host: String,
    /// Process id of what watches over it.
    pub pid: u32,
    /// The lease that it holds, as [`Lease::name`].
    pub lease: String,
}

/// How a run ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ending {
    /// Exit code, unless a signal ended it.
    pub exit_code: Option<i32>,
    /// Number of the signal that ended it.
    pub signal: Option<i32>,
    /// What it said last, one line.
    pub error: Option<String>,
}

/// All that is known of a run at some time: what is written, spooled and replayed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Who it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// Which of several snapshots of the run is the newest.
    pub seq: u64,
    /// How it stands.
    pub status: Status,
    /// How far it is.
    #[serde(flatten)]
    pub counts: Counts,
    /// Items a second over the last minute.
    pub rate: Option<f64>,
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
    /// Small facts: an object of scalars.
    pub metadata: Map<String, Value>,
    /// Seconds since its start, by a clock that nobody sets.
    pub elapsed: f64,
    /// When this was true, by the host's clock. Used only for what was spooled.
    pub at: DateTime<Utc>,
}

impl Identity {
    /// A run of its own: of this process, holding this lease.
    ///
    /// # Errors
    /// [`Verdict::Io`] when the system gives no random bytes.
    pub fn new(job: &str, kind: &str, parent: Option<String>, lease: &Lease) -> Result<Self> {
        Ok(Self {
            run: uuid()?,
            job: job.to_owned(),
            kind: kind.to_owned(),
            parent,
            host: lease.host().to_owned(),
            pid: std::process::id(),
            lease: lease.name().to_owned(),
        })
    }
}

impl Snapshot {
    /// A run that starts now, and has done nothing yet.
    #[must_use]
    pub fn start(identity: Identity, total: Option<u64>, metadata: Map<String, Value>) -> Self {
        Self {
            identity,
            seq: 0,
            status: Status::Running,
            counts: Counts { total, ..Counts::default() },
            rate: None,
            ending: Ending::default(),
            metadata,
            elapsed: 0.0,
            at: Utc::now(),
        }
    }
}

/// Whether a text may be the name of a job: it stands in file names, messages and labels.
#[must_use]
pub fn is_job_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=100).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with(['.', '-'])
}

/// A random UUID (version 4).
fn uuid() -> Result<String> {
    let mut bytes = [0; 16];
    let random = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    random.context("/dev/urandom").verdict(Verdict::Io)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

#[cfg(test)]
mod tests {
    use super::{is_job_name, uuid};

    #[test]
    fn names_of_jobs_are_safe_as_names_of_files() {
        assert!(is_job_name("fetch_projects-users.2"));
        for bad in ["", ".", "..", "a/b", "a b", "-a", "é", "a\n", &"x".repeat(101)] {
            assert!(!is_job_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn uuids_are_version_4_and_differ() {
        let (one, two) = (uuid().unwrap(), uuid().unwrap());
        assert_ne!(one, two);
        assert_eq!((one.len(), one.as_bytes()[14], one.matches('-').count()), (36, b'4', 4));
    }
}
