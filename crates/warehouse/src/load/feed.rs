//! The records of an input, typed, some at a time.
//!
//! What is at hand is read and typed by a thread of its own, so that the server and we work at the same time. A stream is
//! read by who asks for its records: a thread that waits for somebody's next word could not be ended.

use crate::convert::{Converter, NoRecord, Outcome};
use crate::copy::{Fields, Row};
use crate::input::{self, Input};
use anyhow::{Context, Result};
use catalog::Resource;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Batches that may wait for who takes them.
const AHEAD: usize = 4;

/// Bytes of rows and texts, and records, after which a batch is given.
const ENOUGH: (usize, usize) = (1 << 16, 1024);

/// Records to come.
pub(super) struct Feed<'a> {
    from: From<'a>,
    batch: Batch,
    /// Place in the batch of the next record.
    next: usize,
    /// Whether there is no other batch: who is asked then has gone.
    is_over: bool,
}

enum From<'a> {
    Here(Box<Reader<'a>>),
    Beside(Receiver<Result<Batch>>),
}

/// One record, typed.
pub(super) struct Record<'b> {
    /// The number of its line, from 1.
    pub(super) line: u64,
    pub(super) outcome: &'b Outcome,
    /// One field for each column, as far as the outcome says; none for what is out of scope.
    pub(super) row: Row<'b>,
    /// What was read, of a record that is rejected.
    pub(super) text: &'b str,
}

/// Reads in a thread beside the work, which ends when the work does.
pub(super) fn beside<T>(
    input: Input,
    resource: &Resource,
    name: &str,
    work: impl FnOnce(&mut Feed<'_>) -> Result<T>,
) -> Result<T> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        let mut reader = Reader::new(input, resource, name);
        let _joined_by_the_scope = scope.spawn(move || reader.send(&sender));
        let mut feed = Feed::of(From::Beside(receiver));
        work(&mut feed)
    })
}

impl<'a> Feed<'a> {
    /// Reads when it is asked.
    pub(super) fn here(input: Input, resource: &'a Resource, name: &'a str) -> Self {
        Self::of(From::Here(Box::new(Reader::new(input, resource, name))))
    }

    fn of(from: From<'a>) -> Self {
        Self { from, batch: Batch::default(), next: 0, is_over: false }
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>> {
        if self.next == self.batch.records.len() && !self.refill()? {
            return Ok(None);
        }
        self.next += 1;
        Ok(Some(self.batch.record(self.next - 1)))
    }

    /// Whether keys fall among the first records. The key is a whole number at a place.
    pub(super) fn is_falling(&mut self, key: usize) -> Result<bool> {
        if self.next == 0 && self.batch.records.is_empty() && !self.refill()? {
            return Ok(false);
        }
        let keys = (0..self.batch.records.len()).filter_map(|nth| self.batch.record(nth).row.bigint(key));
        let keys: Vec<i64> = keys.collect();
        Ok(keys.first() > keys.last())
    }

    /// Whether there are more records.
    fn refill(&mut self) -> Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        self.next = 0;
        match &mut self.from {
            From::Here(reader) => reader.read(&mut self.batch)?,
            From::Beside(batches) => self.batch = batches.recv().context("reading ended early")??,
        }
        self.is_over = self.batch.records.is_empty();
        Ok(!self.is_over)
    }
}

/// Records one behind the other; none when there are no more.
#[derive(Default)]
struct Batch {
    records: Vec<Entry>,
    /// Their rows.
    bytes: Vec<u8>,
    /// Bytes of the texts of those that are rejected: as many as the input likes, so they count too.
    texts: usize,
    columns: i16,
}

struct Entry {
    line: u64,
    outcome: Outcome,
    /// Where its row begins, and where it ends.
    row: std::ops::Range<usize>,
    text: String,
}

impl Batch {
    fn record(&self, nth: usize) -> Record<'_> {
        let entry = &self.records[nth];
        Record {
            line: entry.line,
            outcome: &entry.outcome,
            row: Row::new(self.columns, &self.bytes[entry.row.clone()]),
            text: &entry.text,
        }
    }

    const fn is_full(&self) -> bool {
        self.bytes.len() + self.texts >= ENOUGH.0 || self.records.len() >= ENOUGH.1
    }
}

struct Reader<'a> {
    input: Input,
    converter: Converter<'a>,
    columns: i16,
    name: &'a str,
    fields: Fields,
}

impl<'a> Reader<'a> {
    fn new(input: Input, resource: &'a Resource, name: &'a str) -> Self {
        let columns = i16::try_from(resource.columns.len()).unwrap_or(i16::MAX);
        Self { input, converter: Converter::new(resource), columns, name, fields: Fields::default() }
    }

    /// Sends batches to the end of the input, until something goes wrong, or until nobody takes them.
    fn send(&mut self, to: &SyncSender<Result<Batch>>) {
        loop {
            let mut batch = Batch::default();
            let read = self.read(&mut batch);
            let is_last = read.is_err() || batch.records.is_empty();
            if to.send(read.map(|()| batch)).is_err() || is_last {
                return;
            }
        }
    }

    /// Reads a batch in place of another.
    fn read(&mut self, batch: &mut Batch) -> Result<()> {
        batch.records.clear();
        batch.bytes.clear();
        batch.texts = 0;
        batch.columns = self.columns;
        while !batch.is_full() {
            let Some((line, text)) = self.input.next()? else { return Ok(()) };
            let outcome = self.converter.text(text, &mut self.fields);
            let outcome = outcome.map_err(|NoRecord { column, problem }| {
                input::refusal(self.name, &format!("line {line} column {column}"), &problem)
            })?;
            let begin = batch.bytes.len();
            if outcome != Outcome::OutOfScope {
                batch.bytes.extend_from_slice(self.fields.as_row().bytes());
            }
            let text = match outcome {
                Outcome::Rejected { .. } => text.to_json()?,
                _ => String::new(),
            };
            batch.texts += text.len();
            batch.records.push(Entry { line, outcome, row: begin..batch.bytes.len(), text });
        }
        Ok(())
    }
}
