//! Rows to the server, as a COPY that is going on or kept for a later one.

use super::{HEADER, Row, TRAILER};
use crate::fault;
use anyhow::{Context, Result, ensure};
use postgres::{CopyInWriter, Transaction};
use std::io::{Read, Seek, Write};
use tempfile::SpooledTempFile;
use verdict::{Judge, Verdict};

/// Bytes gathered before they go to the server.
const BATCH: usize = 1 << 16;

/// Bytes of a spool that need no file.
const IN_MEMORY: usize = 1 << 20;

/// What takes rows: a COPY that is going on, or a spool for a later one.
pub(crate) trait Takes {
    /// Takes a row that consists of two groups of fields.
    fn row(&mut self, lead: Row<'_>, fields: Row<'_>) -> Result<()>;
}

/// Appends a row that consists of two groups of fields.
fn encode(lead: Row<'_>, fields: Row<'_>, to: &mut Vec<u8>) {
    to.extend_from_slice(&(lead.count + fields.count).to_be_bytes());
    to.extend_from_slice(lead.bytes);
    to.extend_from_slice(fields.bytes);
}

/// A COPY that is going on.
pub(crate) struct Copy<'a> {
    writer: CopyInWriter<'a>,
    buffer: Vec<u8>,
    rows: u64,
}

impl<'a> Copy<'a> {
    /// Starts `COPY … FROM STDIN (FORMAT binary)`.
    pub(crate) fn start(transaction: &'a mut Transaction<'_>, statement: &str) -> Result<Self> {
        let writer = transaction.copy_in(statement).map_err(|error| fault::of(&error))?;
        let mut buffer = Vec::with_capacity(2 * BATCH);
        buffer.extend_from_slice(HEADER);
        Ok(Self { writer, buffer, rows: 0 })
    }

    /// Ends the COPY; the server's count must be ours.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.buffer.extend_from_slice(&TRAILER);
        self.send()?;
        let taken = self.writer.finish().map_err(|error| fault::of(&error))?;
        ensure!(taken == self.rows, "PostgreSQL took {taken} rows of the {} that were sent", self.rows);
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        let sent = self.writer.write_all(&self.buffer).and_then(|()| self.writer.flush());
        self.buffer.clear();
        sent.map_err(|error| match fault::of_copy(&error) {
            Some(refusal) => fault::of(refusal),
            None => anyhow::Error::from(error).verdict(Verdict::Unreachable),
        })
        .context("sending rows")
    }
}

impl Takes for Copy<'_> {
    fn row(&mut self, lead: Row<'_>, fields: Row<'_>) -> Result<()> {
        encode(lead, fields, &mut self.buffer);
        self.rows += 1;
        if self.buffer.len() >= BATCH { self.send() } else { Ok(()) }
    }
}

/// Rows that wait until a COPY can begin: in memory, and beyond a mebibyte in a file without a name, which ends with us.
pub(crate) struct Spool {
    file: SpooledTempFile,
    buffer: Vec<u8>,
    rows: u64,
}

impl Spool {
    pub(crate) fn new() -> Self {
        Self { file: SpooledTempFile::new(IN_MEMORY), buffer: Vec::new(), rows: 0 }
    }

    /// Sends the rows.
    pub(crate) fn pour(mut self, into: &mut Copy<'_>) -> Result<()> {
        self.store().and_then(|()| self.file.rewind()).map_err(full)?;
        into.rows += self.rows;
        loop {
            let read = (&mut self.file).take(BATCH as u64).read_to_end(&mut into.buffer).map_err(full)?;
            if read == 0 {
                return Ok(());
            }
            into.send()?;
        }
    }

    fn store(&mut self) -> std::io::Result<()> {
        let stored = self.file.write_all(&self.buffer);
        self.buffer.clear();
        stored
    }
}

impl Takes for Spool {
    fn row(&mut self, lead: Row<'_>, fields: Row<'_>) -> Result<()> {
        encode(lead, fields, &mut self.buffer);
        self.rows += 1;
        if self.buffer.len() >= BATCH { self.store().map_err(full) } else { Ok(()) }
    }
}

fn full(error: std::io::Error) -> anyhow::Error {
    let place = std::env::temp_dir();
    let problem = format!("no room for rows that wait in {}; TMPDIR names another place", place.display());
    anyhow::Error::from(error).context(problem).verdict(Verdict::Io)
}
