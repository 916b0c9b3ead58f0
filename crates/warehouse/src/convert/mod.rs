//! How a record becomes a typed row: the one place that knows what a JSON value means for a column.
//!
//! The seam is narrow on purpose: text in ([`Converter::line`], [`Converter::cells`]), encoded [`Fields`] out. What
//! happens in between may change.
//!
//! # Layout
//! - this file: from record to row, what is absent, what is out of scope.
//! - `record`: what a record says for a column.
//! - `value`: one JSON value as one field of a type.
//! - `instant`: timestamps.

mod instant;
mod record;
mod value;

use crate::copy::Fields;
use catalog::Resource;
use record::{Found, Record, cell, look, steps};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Turns records of a resource into rows of its table.
#[derive(Debug)]
pub(crate) struct Converter<'a> {
    resource: &'a Resource,
    /// For each column, the steps of its JSON pointer.
    steps: Vec<Vec<String>>,
    /// What a record must say to be in scope: pointer, its steps, value.
    scope: Vec<(&'a str, Vec<String>, Value)>,
}

/// What became of a record. The fields hold one for each column, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A typed row; the bits of `absent` are the columns that the record lacks.
    Typed { absent: i64 },
    /// Not for this mirror. The fields mean nothing.
    OutOfScope,
    /// A value does not fit its column. The fields hold the key and the references where they can be read, and nulls.
    Rejected { reason: String, keyed: bool },
}

/// A line that is no record at all: where, in bytes from 1, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRecord {
    pub(crate) column: usize,
    pub(crate) problem: String,
}

impl<'a> Converter<'a> {
    pub(crate) fn new(resource: &'a Resource) -> Self {
        let scope =
            resource.scope.iter().map(|(pointer, value)| (pointer.as_str(), steps(pointer), json(value)));
        Self {
            resource,
            steps: resource.columns.iter().map(|column| steps(&column.from)).collect(),
            scope: scope.collect(),
        }
    }

    /// Reads a line of NDJSON.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub(crate) fn line(&self, line: &str, fields: &mut Fields) -> Result<Outcome, NoRecord> {
        match serde_json::from_str(line) {
            Ok(record @ Value::Object(_)) => Ok(self.record(Record::Json(&record), fields)),
            Ok(other) => Err(NoRecord { column: 1, problem: not_an_object(&other) }),
            // Well formed, but with a number or a character that no type of ours can hold.
            Err(error) if serde_json::from_str::<IgnoredAny>(line).is_ok() => {
                self.nothing_typed(fields);
                Ok(Outcome::Rejected { reason: without_place(&error), keyed: false })
            }
            Err(error) => Err(NoRecord { column: error.column(), problem: cut_or_no_json(line, &error) }),
        }
    }

    /// Reads cells: column → text or null; a column that is not there is absent.
    pub(crate) fn cells(&self, cells: &Map<String, Value>, fields: &mut Fields) -> Outcome {
        self.record(Record::Cells(cells), fields)
    }

    fn record(&self, record: Record<'_>, fields: &mut Fields) -> Outcome {
        if self.scope.iter().any(|scope| self.is_out_of(scope, record)) {
            return Outcome::OutOfScope;
        }
        fields.clear();
        let mut absent = 0_i64;
        for (place, column) in self.resource.columns.iter().enumerate() {
            match self.field(record, place, fields) {
                Ok(Presence::Present) => {}
                Ok(Presence::Absent) => absent |= 1 << place,
                Err(problem) => {
                    let reason = format!("column {}: {problem}", column.name);
                    let keyed = self.key_alone(record, fields);
                    return Outcome::Rejected { reason, keyed };
                }
            }
        }
        Outcome::Typed { absent }
    }

    fn field(&self, record: Record<'_>, place: usize, fields: &mut Fields) -> Result<Presence, String> {
        let column = &self.resource.columns[place];
        let found = self.find(record, place)?;
        let present = match &found {
            Found::Value(value) => value::write(column, value, fields)?,
            Found::Absent | Found::Null => value::Written::Null,
        };
        match present {
            value::Written::Value => Ok(Presence::Present),
            value::Written::Null if !column.null => Err("missing".to_owned()),
            value::Written::Null => {
                fields.null();
                Ok(if matches!(found, Found::Absent) { Presence::Absent } else { Presence::Present })
            }
        }
    }

    fn find<'r>(&self, record: Record<'r>, place: usize) -> Result<Found<'r>, String> {
        match record {
            Record::Json(value) => look(value, &self.steps[place]),
            Record::Cells(cells) => {
                let column = &self.resource.columns[place];
                Ok(match cells.get(&column.name) {
                    None => Found::Absent,
                    Some(Value::String(text)) => Found::Value(Cow::Owned(cell(column, text)?)),
                    Some(_) => Found::Null,
                })
            }
        }
    }

    /// A record that carries the evidence, and says something else.
    fn is_out_of(&self, (pointer, steps, wanted): &(&str, Vec<String>, Value), record: Record<'_>) -> bool {
        let found = match record {
            Record::Json(value) => look(value, steps),
            Record::Cells(_) => {
                let place = self.resource.columns.iter().position(|column| column.from == *pointer);
                place.map_or(Ok(Found::Absent), |place| self.find(record, place))
            }
        };
        match found {
            Ok(Found::Value(value)) => value.as_ref() != wanted,
            Ok(Found::Null) => true,
            Ok(Found::Absent) | Err(_) => false,
        }
    }

    /// Writes the key and what tells whose the record is, its references, as far as they can be read, and nulls for the
    /// rest; says whether the key is whole.
    fn key_alone(&self, record: Record<'_>, fields: &mut Fields) -> bool {
        fields.clear();
        let mut whole = true;
        let mut field = Fields::default();
        for (place, column) in self.resource.columns.iter().enumerate() {
            let is_key = self.resource.key.contains(&column.name);
            let is_wanted = is_key || column.references.is_some();
            let is_read = is_wanted && self.field(record, place, &mut field).is_ok();
            if is_read && self.field(record, place, fields).is_ok() {
                continue;
            }
            fields.null();
            whole &= !is_key;
        }
        whole
    }

    fn nothing_typed(&self, fields: &mut Fields) {
        fields.clear();
        self.resource.columns.iter().for_each(|_| fields.null());
    }
}

/// Whether a record says something for a column.
enum Presence {
    Present,
    Absent,
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::Boolean(value) => Value::Bool(*value),
        toml::Value::Integer(value) => Value::from(*value),
        other => Value::from(other.as_str().unwrap_or_default()),
    }
}

fn not_an_object(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array, not a record; jq -c '.[]' makes NDJSON of it".to_owned(),
        _ => "a single value, not a record".to_owned(),
    }
}

fn cut_or_no_json(line: &str, error: &serde_json::Error) -> String {
    let problem = without_place(error);
    let start = line.trim_start();
    if error.is_eof() && start.starts_with('[') {
        return format!("not JSON ({problem}): an array over several lines; jq -c '.[]' makes NDJSON of it");
    }
    if error.is_eof() && start.trim_end() == "{" {
        return format!("not JSON ({problem}): a record over several lines; jq -c . makes NDJSON of it");
    }
    format!("not JSON ({problem}): the input was cut or is no NDJSON")
}

/// serde_json's own text ends with a place that counts from the line.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(problem, _)| problem.to_owned())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
