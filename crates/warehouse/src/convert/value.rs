//! One JSON value as one field of a type.
//!
//! Messages say what is wrong without quoting texts: a text in the wrong column may well be somebody's name.

use super::instant;
use crate::copy::Fields;
use catalog::{Column, Type};
use serde_json::{Number, Value};

/// An entry of a B-tree holds 2,704 bytes, its head included; a longer text would fail the whole load.
const LONGEST_INDEXED: usize = 2600;

/// What was written for a value.
pub(super) enum Written {
    Value,
    /// Nothing was: the value stands for null.
    Null,
}

/// Writes JSON as its column's type. What is written in the usual way is taken as it stands; anything else is read as a
/// value first, which also knows what is wrong with it.
pub(super) fn write_json(column: &Column, json: &str, fields: &mut Fields) -> Result<Written, String> {
    usual(column, json, fields).unwrap_or_else(|| {
        let value = serde_json::from_str(json).map_err(|error| super::without_place(&error))?;
        write(column, &value, fields)
    })
}

fn usual(column: &Column, json: &str, fields: &mut Fields) -> Option<Result<Written, String>> {
    let text = || {
        let text = json.strip_prefix('"')?.strip_suffix('"')?;
        (!text.contains('\\')).then_some(text)
    };
    match column.kind {
        Type::Bigint => fields.bigint(json.parse().ok()?),
        Type::Integer => fields.integer(json.parse().ok()?),
        Type::Boolean => fields.boolean(json.parse().ok()?),
        Type::Timestamptz => fields.timestamptz(instant::parse(text()?)?),
        Type::Text => return Some(string(column, text()?, fields)),
        Type::Double | Type::Jsonb => return None,
    }
    Some(Ok(Written::Value))
}

/// Writes a value as its column's type, or says why it cannot be one.
pub(super) fn write(column: &Column, value: &Value, fields: &mut Fields) -> Result<Written, String> {
    match column.kind {
        Type::Bigint => fields.bigint(integer(value, Type::Bigint)?),
        Type::Integer => {
            let number = integer(value, Type::Integer)?;
            fields.integer(i32::try_from(number).map_err(|_| out_of_range(&number, Type::Integer))?);
        }
        Type::Double => fields.double(value.as_f64().ok_or_else(|| mismatch(value, Type::Double))?),
        Type::Text => return text(column, value, fields),
        Type::Boolean => fields.boolean(value.as_bool().ok_or_else(|| mismatch(value, Type::Boolean))?),
        Type::Timestamptz => {
            let text = value.as_str().ok_or_else(|| mismatch(value, Type::Timestamptz))?;
            fields.timestamptz(instant::parse(text).ok_or("a text that is no timestamp")?);
        }
        Type::Jsonb => {
            if holds_nul(value) {
                return Err("\\u0000 in a text, which PostgreSQL cannot hold".to_owned());
            }
            fields.jsonb(value)?;
        }
    }
    Ok(Written::Value)
}

/// Integers, and floating-point numbers that are whole and exact, such as 5.0.
fn integer(value: &Value, kind: Type) -> Result<i64, String> {
    /// Whole numbers up to here are exact in 64-bit floating point.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Value::Number(number) = value else { return Err(mismatch(value, kind)) };
    if let Some(number) = number.as_i64() {
        return Ok(number);
    }
    match number.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        Some(float) if float.fract() == 0.0 && float.abs() <= EXACT => Ok(float as i64),
        Some(float) if float.fract() != 0.0 => Err(format!("{number} is no {kind}")),
        _ => Err(out_of_range(number, kind)),
    }
}

fn text(column: &Column, value: &Value, fields: &mut Fields) -> Result<Written, String> {
    let shown: String;
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => {
            shown = exact(number)?;
            &shown
        }
        Value::Bool(value) => {
            shown = value.to_string();
            &shown
        }
        // The API sends an empty object for some texts that are not set.
        Value::Object(members) if members.is_empty() => return Ok(Written::Null),
        other => return Err(mismatch(other, Type::Text)),
    };
    string(column, text, fields)
}

fn string(column: &Column, text: &str, fields: &mut Fields) -> Result<Written, String> {
    if text.contains('\0') {
        return Err("\\u0000 in a text, which PostgreSQL cannot hold".to_owned());
    }
    if column.index && text.len() > LONGEST_INDEXED {
        return Err(format!("a text of {} bytes, more than an index holds", text.len()));
    }
    if !column.one_of.is_empty() && !column.one_of.iter().any(|known| known == text) {
        return Err(format!("{} is none of {}", as_word(text), column.one_of.join(", ")));
    }
    fields.text(text);
    Ok(Written::Value)
}

/// A number as text, when it is certain that its digits are those that were sent.
fn exact(number: &Number) -> Result<String, String> {
    let lost = number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= 1e17);
    if lost { Err("a number of too many digits".to_owned()) } else { Ok(number.to_string()) }
}

/// A text may be shown when it looks like a value of an enumeration, not like anything of a person.
fn as_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if text.len() <= 40 && text.bytes().all(plain) { format!("`{text}`") } else { "a text".to_owned() }
}

fn out_of_range(number: &impl std::fmt::Display, kind: Type) -> String {
    format!("{number} is out of range for {kind}")
}

fn mismatch(value: &Value, kind: Type) -> String {
    let what = match value {
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
        Value::Null => "null",
    };
    format!("{what} is no {kind}")
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        _ => false,
    }
}
