//! Lines of strangers: what the API sends, what is piped in, what stands in a file.

use catalog::{Catalog, Column, Resource, Type};
use serde_json::{Map, Value, json};
use std::io::Cursor;
use std::sync::LazyLock;
use verdict::Verdict;
use warehouse::{Form, Rehearsal, rehearse};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load().unwrap());

/// Reads an input: its first byte picks a resource and a form, the rest are records. It is typed, set aside or refused, and
/// nothing else; of lines that are objects every one counts.
pub(crate) fn one(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else { return };
    let resources = CATALOG.resources();
    let resource = &resources[usize::from(choice / 2) % resources.len()];
    let form = if choice % 2 == 0 { Form::Ndjson } else { Form::Csv };
    let read = rehearse(resource, form, Box::new(Cursor::new(input.to_vec())));
    if let Err(error) = &read {
        assert_eq!(Verdict::of(error), Verdict::Refused, "{error:#}");
    }
    if let (Form::Ndjson, Ok(text)) = (form, std::str::from_utf8(input)) {
        lines_count(text, read.ok());
    }
}

/// serde_json's own tree of values is the second opinion.
fn lines_count(text: &str, read: Option<Rehearsal>) {
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.split('\n').filter(|line| !line.bytes().all(|byte| byte.is_ascii_whitespace()));
    let (mut objects, mut others) = (0, 0);
    for line in lines {
        match serde_json::from_str::<Map<String, Value>>(line) {
            Ok(_) => objects += 1,
            Err(_) => others += 1,
        }
    }
    match read {
        // What the tree refuses may pass where nobody looks: half of a surrogate pair, a number beyond all bounds.
        Some(Rehearsal { typed, out_of_scope, rejected }) => {
            assert_eq!(typed + out_of_scope + rejected, objects + others, "{text:?}");
        }
        None => assert!(others > 0, "refused, and every line is an object: {text:?}"),
    }
}

/// A good record of every resource, in both forms.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (place, resource) in CATALOG.resources().iter().enumerate() {
        let choice = u8::try_from(place * 2).unwrap();
        let mut lines = vec![choice];
        lines.extend(format!("{}\n{}\n", record(resource, 1), record(resource, 2)).bytes());
        let mut table = vec![choice + 1];
        let names: Vec<_> = resource.columns.iter().map(|column| column.name.as_str()).collect();
        let cells: Vec<_> = resource.columns.iter().map(|column| cell(column, 1)).collect();
        table.extend(format!("{}\n{}\n", names.join(","), cells.join(",")).bytes());
        seeds.extend([lines, table]);
    }
    seeds
}

/// What hits where bytes alone do not.
pub(crate) const WORDS: [&str; 24] = [
    "null",
    "true",
    "{}",
    "[]",
    "{\"\":",
    "[[[[[[[[",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "1e400",
    "-0",
    "1e17",
    "5.0",
    "99999999999999999999999",
    "-9223372036854775808",
    "2026-02-30T25:61:61.999999999Z",
    "0000-01-01T00:00:00Z",
    "292277-01-01T00:00:00+23:59",
    "\u{feff}",
    "\r\n",
    "\"\"",
    "\"id\":",
    "\u{0}",
    "é\u{202e}",
];

fn record(resource: &Resource, number: u32) -> Value {
    let mut record = json!({});
    for column in &resource.columns {
        let mut place = &mut record;
        for step in column.from.split('/').skip(1) {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[step];
        }
        *place = value(column, number);
    }
    record
}

fn value(column: &Column, number: u32) -> Value {
    match column.kind {
        Type::Bigint | Type::Integer => json!(number),
        Type::Double => json!(f64::from(number) + 0.5),
        Type::Text => json!(column.one_of.first().map_or("text", String::as_str)),
        Type::Boolean => json!(number == 1),
        Type::Timestamptz => json!("2026-11-24T10:20:30.456Z"),
        Type::Jsonb => json!({"a": [number, null, "x"]}),
    }
}

fn cell(column: &Column, number: u32) -> String {
    match value(column, number) {
        Value::String(text) => text,
        other => format!("\"{}\"", other.to_string().replace('"', "\"\"")),
    }
}
