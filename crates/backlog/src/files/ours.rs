//! Lines that we have written ourselves, understood without a tree of values: a backlog may be long, and nearly all are.

use crate::intake;
use crate::item::{Item, Lease};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: i64,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    added: DateTime<Utc>,
    due: DateTime<Utc>,
    attempts: u32,
    #[serde(default)]
    lost: u32,
    error: Option<String>,
    lease: Option<Lease>,
    #[serde(default)]
    again: bool,
    died: Option<DateTime<Utc>>,
}

/// The item of a line of ours.
pub(super) fn item(line: &[u8]) -> Option<Item> {
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    Some(Item {
        id: intake::id_of(&Value::from(line.id))?,
        reason: intake::reason(&line.reason),
        added: line.added,
        due: line.due,
        attempts: line.attempts,
        lost: line.lost,
        error: line.error,
        lease: line.lease,
        again: line.again,
        died: line.died,
        more: Map::new(),
    })
}

/// The id that a line of ours begins with; nothing else of it is looked at, but whether it was cut.
pub(super) fn id(line: &[u8]) -> Option<i64> {
    let rest = line.strip_prefix(b"{\"id\":").filter(|rest| rest.ends_with(b"}"))?;
    let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
    let ends = matches!(rest.get(digits.len()), Some(b',' | b'}'));
    intake::id(std::str::from_utf8(digits).ok()?).filter(|_| ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_what_the_line_begins_with() {
        assert_eq!(id(b"{\"id\":123}"), Some(123));
        assert_eq!(id(b"{\"id\":123,\"reason\":\"\"}"), Some(123));
        for other in [
            "{\"id\":12",
            "{\"id\":1.5}",
            "{\"id\":\"7\"}",
            "{\"id\":}",
            "{\"id\": 7}",
            "7",
            "{\"user_id\":7}",
        ] {
            assert_eq!(id(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_line_of_the_old_pipeline_is_not_ours() {
        for other in ["{\"id\":5,\"timestamp\":\"2025-12-01T00:00:00Z\"}", "{\"id\":123}", "9"] {
            assert_eq!(item(other.as_bytes()), None, "{other}");
        }
    }
}
