//! A record, and what it says for a column: a value, null, or nothing at all.

use super::pick::Found;
use catalog::{Column, Type};
use serde_json::{Map, Value};

/// A record: places picked out of a line, or the cells of a table by the names of its columns.
#[derive(Clone, Copy)]
pub(super) enum Record<'r> {
    Line(&'r [Found<'r>]),
    Cells(&'r Map<String, Value>),
}

/// What a record says for a column, in a form that can be written.
pub(super) enum Said<'r> {
    Absent,
    Null,
    Json(&'r str),
    Value(Value),
}

/// `/image/link` → `image`, `link`. Source: RFC 6901.
pub(super) fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
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
