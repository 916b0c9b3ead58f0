//! A record as a line of COPY's text format.
//!
//! Format: <https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format".

use catalog::{Resource, Type};
use serde_json::Value;

pub(super) fn line(resource: &Resource, record: &Value) -> String {
    let fields = resource.columns.iter().map(|column| match record.pointer(&column.from) {
        None | Some(Value::Null) => "\\N".to_owned(),
        Some(value) if column.kind == Type::Jsonb => escape(&value.to_string()),
        Some(Value::String(text)) => escape(text),
        Some(value) => value.to_string(),
    });
    fields.collect::<Vec<_>>().join("\t") + "\n"
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            other => escaped.push(other),
        }
    }
    escaped
}
