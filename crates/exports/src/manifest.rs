//! What an export says of itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The file beside an export, `all.manifest.json`. Every key is always there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The catalog's file without `.toml`: `08_users`.
    pub resource: String,
    /// Which part of the API's world it covers.
    pub scope: Scope,
    /// A full walk, or a window of changes.
    pub kind: Kind,
    /// Whether every row that the API announced is there. An export that is not complete never prunes.
    pub complete: bool,
    /// Lines. A record may be there twice, because collections move while they are read; the last one counts.
    pub rows: u64,
    /// What the API announced for all lists together when each was read to its end; null where it announced nothing.
    pub total: Option<u64>,
    /// Items that a derivation left out because the record they name is not in the export it is looked up in.
    pub unresolved: u64,
    /// Size of the NDJSON file.
    pub bytes: u64,
    /// Its SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// What was asked: changes when the catalog asks for something else, so that a fresh export of yesterday's
    /// question is not taken for today's.
    pub query: String,
    /// Calls that it took, derived exports 0.
    pub calls: u64,
    /// Calls that had to be made again.
    pub retries: u64,
    /// Answers 429 among them.
    pub throttled: u64,
    /// When the walk started: this host's clock, set by the API's where the two disagree. What changed later may or may
    /// not be in it.
    pub started: DateTime<Utc>,
    /// When the export was published, by this host's clock.
    pub finished: DateTime<Utc>,
    /// The window of `updated_at` that was asked for; null for a full walk.
    pub window: Option<Window>,
}

/// Which part of the API's world an export covers: null means all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Id of the cursus.
    pub cursus: Option<u64>,
    /// Id of the only campus walked.
    pub campus: Option<u64>,
}

/// What an export holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Everything: what is missing in it has left.
    Full,
    /// What changed in a window: what is missing in it has not changed.
    Changes,
}

/// A window of `updated_at`, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Oldest change.
    pub from: DateTime<Utc>,
    /// Newest change; null when open.
    pub to: Option<DateTime<Utc>>,
}
