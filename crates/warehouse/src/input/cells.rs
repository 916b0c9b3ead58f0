//! CSV with a header: names of columns, then cells. A cell that is empty is null.
//!
//! The reader does not tell `""` from nothing, so CSV has no empty text here; NDJSON has.

use super::refusal;
use anyhow::Result;
use catalog::Resource;
use csv::{Reader, StringRecord};
use serde_json::{Map, Value};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use verdict::{Judge, Verdict};

/// Reads row by row.
pub(super) struct Cells {
    reader: Reader<Quotes>,
    name: String,
    header: Vec<String>,
    record: StringRecord,
    cells: Map<String, Value>,
    quotes: Arc<AtomicU64>,
}

/// Counts quotes on their way: each one that is opened is closed, unless the input was cut.
struct Quotes {
    reader: Box<dyn Read + Send>,
    seen: Arc<AtomicU64>,
}

impl Read for Quotes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let quotes = buffer[..count].iter().filter(|byte| **byte == b'"').count();
        self.seen.fetch_add(quotes as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Cells {
    pub(super) fn new(reader: Box<dyn Read + Send>, name: String, resource: &Resource) -> Result<Self> {
        let quotes = Arc::new(AtomicU64::new(0));
        let reader = Quotes { reader, seen: Arc::clone(&quotes) };
        let mut reader = csv::ReaderBuilder::new().from_reader(reader);
        let header = reader.headers().map_err(|error| read_error(&name, error))?;
        let header: Vec<String> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let columns: Vec<_> = resource.columns.iter().map(|column| column.name.as_str()).collect();
        for (place, column) in header.iter().enumerate() {
            // What we add ourselves may come back from a dump of the table, and is made anew.
            let known = columns.contains(&column.as_str()) || column == "ingested_at";
            if !known || header[..place].contains(column) {
                let shown: String = column.chars().take(40).collect();
                let problem = if known { "is there twice" } else { "is no column of the table" };
                let problem = format!("`{shown}` {problem}; there are {}", columns.join(", "));
                return Err(refusal(&name, "header", &problem));
            }
        }
        Ok(Self { reader, name, header, record: StringRecord::new(), cells: Map::new(), quotes })
    }

    /// The next row, with the number of the line it starts on, from 1.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &Map<String, Value>)>> {
        if !self.reader.read_record(&mut self.record).map_err(|error| read_error(&self.name, error))? {
            if self.quotes.load(Ordering::Relaxed).is_multiple_of(2) {
                return Ok(None);
            }
            return Err(refusal(
                &self.name,
                "end",
                "a quote is open: the input was cut, or a quote was not doubled",
            ));
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        for (column, cell) in self.header.iter().zip(&self.record) {
            if cell.contains('\0') {
                return Err(refusal(&self.name, &format!("line {line}"), "a NUL byte, so this is no CSV"));
            }
            let value = if cell.is_empty() { Value::Null } else { Value::from(cell) };
            self.cells.insert(column.clone(), value);
        }
        Ok(Some((line, &self.cells)))
    }
}

fn read_error(name: &str, error: csv::Error) -> anyhow::Error {
    let place =
        error.position().map_or_else(|| "CSV".to_owned(), |position| format!("line {}", position.line()));
    let problem = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => anyhow::Error::from(error).context(name.to_owned()).verdict(Verdict::Io),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            refusal(name, &place, &format!("{len} cells, but the header has {expected_len}"))
        }
        csv::ErrorKind::Utf8 { .. } => refusal(name, &place, "not UTF-8"),
        _ => refusal(name, &place, &problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::Catalog;

    fn rows(text: &'static str) -> Result<Vec<(u64, String)>> {
        let catalog = Catalog::load()?;
        let mut cells = Cells::new(Box::new(text.as_bytes()), "x".to_owned(), catalog.find("coalitions")?)?;
        let mut rows = Vec::new();
        while let Some((line, cells)) = cells.next()? {
            rows.push((line, serde_json::to_string(cells)?));
        }
        Ok(rows)
    }

    #[test]
    fn rows_are_cells_by_column_and_empty_is_null() {
        let read = rows("id,name,slug\n1,\"a, \"\"b\"\"\nc\",\n2,,\"\"\n").unwrap();
        let expected = [
            (2, r#"{"id":"1","name":"a, \"b\"\nc","slug":null}"#.to_owned()),
            (4, r#"{"id":"2","name":null,"slug":null}"#.to_owned()),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_quote_that_is_open_at_the_end_is_refused() {
        let error = rows("id,name\n1,a\n2,\"b\n3,c\n").unwrap_err().to_string();
        assert!(error.starts_with("x end: a quote is open"), "{error}");
    }

    #[test]
    fn a_header_or_a_row_that_does_not_fit_is_refused() {
        let error = rows("id,nmae\n1,x\n").unwrap_err().to_string();
        assert!(
            error.starts_with("x header: `nmae` is no column of the table; there are id, name"),
            "{error}"
        );
        assert!(rows("id,id\n").unwrap_err().to_string().contains("`id` is there twice"));
        assert!(
            rows("id,name\n1\n")
                .unwrap_err()
                .to_string()
                .starts_with("x line 2: 1 cells, but the header has 2")
        );
    }
}
