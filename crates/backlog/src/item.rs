//! What the backlog holds, in both stores.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A user who waits to be fetched, or who is dead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) reason: String,
    pub(crate) added: DateTime<Utc>,
    /// Nobody claims it before.
    pub(crate) due: DateTime<Utc>,
    /// How often its work failed through its own fault, as far as can be told.
    pub(crate) attempts: u32,
    /// How many leases on it ran out.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) lost: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<Lease>,
    /// Added again while a worker was at it: what the worker fetched may be older than that.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) again: bool,
    /// Since when it waits for `backlog retry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) died: Option<DateTime<Utc>>,
    /// What a line of the old pipeline said besides.
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}

/// Who works at an item, and until when nobody else does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    pub(crate) owner: String,
    pub(crate) until: DateTime<Utc>,
}

/// A user who was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) id: i64,
    pub(crate) reason: String,
}

/// How the work on an item ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The rows are committed.
    Loaded,
    /// The API does not give it as a student of the scope.
    Absent,
    /// A person said so.
    Marked,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Absent => "absent",
            Self::Marked => "marked",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::Loaded, Self::Absent, Self::Marked].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// An item that left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Processed {
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) reason: String,
    pub(crate) added: Option<DateTime<Utc>>,
    pub(crate) processed: Option<DateTime<Utc>>,
    pub(crate) outcome: Option<Outcome>,
    /// How often it had failed before.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// How long its batch took.
    pub(crate) seconds: Option<f64>,
}

impl Item {
    pub(crate) fn new(asked: &Asked, now: DateTime<Utc>) -> Self {
        Self {
            id: asked.id,
            reason: asked.reason.clone(),
            added: now,
            due: now,
            attempts: 0,
            lost: 0,
            error: None,
            lease: None,
            again: false,
            died: None,
            more: Map::new(),
        }
    }

    /// The record of its leaving.
    pub(crate) fn processed(&self, outcome: Outcome, seconds: Option<f64>, now: DateTime<Utc>) -> Processed {
        Processed {
            id: self.id,
            reason: self.reason.clone(),
            added: Some(self.added),
            processed: Some(now),
            outcome: Some(outcome),
            attempts: self.attempts,
            seconds,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
