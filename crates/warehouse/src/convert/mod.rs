//! How a record becomes a typed row: the one place that knows what a JSON value means for a column.
//!
//! The seam is narrow on purpose: text in ([`Converter::text`]), encoded [`Fields`] out. What happens in between may
//! change.
//!
//! # Layout
//! - this file: from record to row, what is absent, what is out of scope.
//! - `pick`: the wanted places of a line. `record`: what a record says for a column.
//! - `value`: one JSON value as one field of a type.
//! - `instant`: timestamps.

mod instant;
mod pick;
mod record;
mod value;

use crate::copy::Fields;
use crate::input::Text;
use catalog::Resource;
use pick::{Branch, Found};
use record::{Record, Said, cell, steps};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// Turns records of a resource into rows of its table.
#[derive(Debug)]
pub(crate) struct Converter<'a> {
    resource: &'a Resource,
    /// The places of the columns, in order, then those of the scope.
    tree: Branch,
    /// How many places there are.
    places: usize,
    /// What a record must say to be in scope.
    scope: Vec<Rule<'a>>,
}

/// What a record must say at a place.
#[derive(Debug)]
struct Rule<'a> {
    pointer: &'a str,
    value: Value,
    /// The value as it is usually written.
    text: String,
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
        let columns = resource.columns.iter().map(|column| steps(&column.from));
        let steps: Vec<_> = columns.chain(resource.scope.keys().map(|pointer| steps(pointer))).collect();
        let rule = |(pointer, value): (&'a String, _)| {
            let value = json(value);
            Rule { pointer, text: value.to_string(), value }
        };
        Self {
            resource,
            tree: Branch::of(steps.iter().map(Vec::as_slice)),
            places: steps.len(),
            scope: resource.scope.iter().map(rule).collect(),
        }
    }

    /// Reads a record, however it is written.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn text(&self, text: Text<'_>, fields: &mut Fields) -> Result<Outcome, NoRecord> {
        match text {
            Text::Line(line) => self.line(line, fields),
            Text::Cells(cells) => Ok(self.cells(cells, fields)),
        }
    }

    /// Reads a line of NDJSON.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub(crate) fn line(&self, line: &str, fields: &mut Fields) -> Result<Outcome, NoRecord> {
        let mut found = vec![Found::Absent; self.places];
        match self.tree.pick(line, &mut found) {
            Ok(()) => Ok(self.record(Record::Line(&found), fields)),
            Err(_) => Err(no_record(line)),
        }
    }

    /// Reads cells: column → text or null; a column that is not there is absent.
    pub(crate) fn cells(&self, cells: &Map<String, Value>, fields: &mut Fields) -> Outcome {
        self.record(Record::Cells(cells), fields)
    }

    fn record(&self, record: Record<'_>, fields: &mut Fields) -> Outcome {
        if self.scope.iter().enumerate().any(|(nth, rule)| self.is_out_of(nth, rule, record)) {
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
        let said = self.said(record, place)?;
        let present = match &said {
            Said::Json(json) => value::write_json(column, json, fields)?,
            Said::Value(value) => value::write(column, value, fields)?,
            Said::Absent | Said::Null => value::Written::Null,
        };
        match present {
            value::Written::Value => Ok(Presence::Present),
            value::Written::Null if !column.null => Err("missing".to_owned()),
            value::Written::Null => {
                fields.null();
                Ok(if matches!(said, Said::Absent) { Presence::Absent } else { Presence::Present })
            }
        }
    }

    fn said<'r>(&self, record: Record<'r>, place: usize) -> Result<Said<'r>, String> {
        let column = &self.resource.columns[place];
        match record {
            Record::Line(found) => match found[place] {
                Found::Absent => Ok(Said::Absent),
                Found::Null => Ok(Said::Null),
                Found::Json(json) => Ok(Said::Json(json)),
                Found::Misfit => {
                    let step = steps(&column.from).pop().unwrap_or_default();
                    Err(format!("there is no object around `{step}`"))
                }
            },
            Record::Cells(cells) => Ok(match cells.get(&column.name) {
                None => Said::Absent,
                Some(Value::String(text)) => Said::Value(cell(column, text)?),
                Some(_) => Said::Null,
            }),
        }
    }

    /// A record that carries the evidence, and says something else.
    fn is_out_of(&self, nth: usize, rule: &Rule<'_>, record: Record<'_>) -> bool {
        let said = match record {
            Record::Line(found) => match found[self.resource.columns.len() + nth] {
                Found::Json(json) if json == rule.text => return false,
                Found::Json(json) => Ok(Said::Json(json)),
                Found::Null => Ok(Said::Null),
                Found::Absent | Found::Misfit => Ok(Said::Absent),
            },
            Record::Cells(_) => {
                let place = self.resource.columns.iter().position(|column| column.from == rule.pointer);
                place.map_or(Ok(Said::Absent), |place| self.said(record, place))
            }
        };
        match said {
            Ok(Said::Json(json)) => {
                serde_json::from_str::<Value>(json).map_or(true, |value| value != rule.value)
            }
            Ok(Said::Value(value)) => value != rule.value,
            Ok(Said::Null) => true,
            Ok(Said::Absent) | Err(_) => false,
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

/// Why a line is no record: it is well formed and something else, or it is no JSON.
fn no_record(line: &str) -> NoRecord {
    match serde_json::from_str::<IgnoredAny>(line) {
        Ok(_) if line.trim_start().starts_with('[') => NoRecord {
            column: 1,
            problem: "an array, not a record; jq -c '.[]' makes NDJSON of it".to_owned(),
        },
        // Half of a surrogate pair passes where nobody reads it.
        Ok(_) if line.trim_start().starts_with('{') => {
            NoRecord { column: 1, problem: "a record with a name that is no text".to_owned() }
        }
        Ok(_) => NoRecord { column: 1, problem: "a single value, not a record".to_owned() },
        Err(error) => NoRecord { column: error.column(), problem: cut_or_no_json(line, &error) },
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
