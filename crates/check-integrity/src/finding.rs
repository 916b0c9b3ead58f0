//! What was found: one thing that is not as it should be, however many rows it is about. Keys only, nothing of a person.

use crate::action::Remedy;
use catalog::Severity;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// One finding, as it is printed and kept.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: String,
    pub(crate) table: Option<String>,
    /// What it is about, by its keys; with check and table what tells it from others.
    pub(crate) subject: Value,
    pub(crate) left: Side,
    pub(crate) right: Side,
    #[serde(serialize_with = "severity")]
    pub(crate) severity: Severity,
    /// How many rows are inconsistent for it.
    pub(crate) rows: i64,
    pub(crate) recommended_action: &'static str,
    /// The action as a line of shell.
    pub(crate) command: String,
    #[serde(flatten)]
    pub(crate) also: Map<String, Value>,
    #[serde(flatten)]
    pub(crate) history: Option<History>,
    #[serde(skip)]
    pub(crate) remedy: Remedy,
}

/// One of two things that should agree.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Side {
    pub(crate) source: String,
    pub(crate) value: Value,
}

/// Since when it is known.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct History {
    /// RFC 3339, UTC.
    pub(crate) first_seen: String,
    /// Runs that have seen it since it is open.
    pub(crate) times_seen: i32,
    /// How often it came back after it was resolved.
    pub(crate) reopened: i32,
}

pub(crate) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
        Severity::Critical => "critical",
    }
}

fn severity<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(severity_name(*severity))
}

impl Finding {
    /// Adds keys of its own, found by JSON pointers into itself.
    pub(crate) fn add(&mut self, also: &std::collections::BTreeMap<String, String>) {
        let whole = serde_json::to_value(&*self).unwrap_or_default();
        for (name, pointer) in also {
            let value = whole.pointer(pointer).cloned().unwrap_or_default();
            self.also.insert(name.clone(), value);
        }
    }
}
