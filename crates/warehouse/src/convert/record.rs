//! A record, and what it says for a column: a value, null, or nothing at all.

use catalog::{Column, Type};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A record: the API's own shape, or the cells of a table by the names of its columns.
#[derive(Clone, Copy)]
pub(super) enum Record<'r> {
    Json(&'r Value),
    Cells(&'r Map<String, Value>),
}

/// What a record says for a column.
pub(super) enum Found<'r> {
    /// Nothing: the column is to be left alone.
    Absent,
    Null,
    Value(Cow<'r, Value>),
}

/// `/image/link` → `image`, `link`. Source: RFC 6901.
pub(super) fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// Follows a pointer. What lies below a null is null; what lies below a missing key is absent; an item that an array
/// does not have is null, because the array is there and says so.
pub(super) fn look<'r>(record: &'r Value, steps: &[String]) -> Result<Found<'r>, String> {
    let mut value = record;
    for step in steps {
        let below = match value {
            Value::Object(members) => members.get(step),
            Value::Array(items) => match step.parse::<usize>().ok().and_then(|place| items.get(place)) {
                None => return Ok(Found::Null),
                item => item,
            },
            Value::Null => return Ok(Found::Null),
            _ => return Err(format!("there is no object around `{step}`")),
        };
        let Some(below) = below else { return Ok(Found::Absent) };
        value = below;
    }
    Ok(if value.is_null() { Found::Null } else { Found::Value(Cow::Borrowed(value)) })
}

/// A cell as the JSON value that its column would get from the API.
pub(super) fn cell(column: &Column, text: &str) -> Result<Value, String> {
    match (column.kind, text) {
        (Type::Text | Type::Timestamptz, _) => Ok(Value::String(text.to_owned())),
        // As PostgreSQL's own CSV writes them.
        (Type::Boolean, "t") => Ok(Value::Bool(true)),
        (Type::Boolean, "f") => Ok(Value::Bool(false)),
        (kind, _) => serde_json::from_str(text).map_err(|_| format!("a text that is no {kind}")),
    }
}
