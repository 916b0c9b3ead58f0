//! Rows from the server.

use super::{HEADER, Row, TRAILER};
use crate::fault;
use anyhow::{Context, Result, anyhow, ensure};
use postgres::{CopyOutReader, Transaction};
use std::io::{BufRead, Read};
use verdict::{Judge, Verdict};

/// A `COPY … TO STDOUT (FORMAT binary)` that is going on.
pub(crate) struct Rows<'a> {
    reader: CopyOutReader<'a>,
    /// Bytes of the row at hand that are still in the reader.
    at_hand: usize,
    /// A row that came in pieces.
    pieces: Vec<u8>,
}

impl<'a> Rows<'a> {
    pub(crate) fn start(transaction: &'a mut Transaction<'_>, statement: &str) -> Result<Self> {
        let reader = transaction.copy_out(statement).map_err(|error| fault::of(&error))?;
        let mut rows = Self { reader, at_hand: 0, pieces: Vec::new() };
        let mut header = [0; HEADER.len()];
        rows.reader.read_exact(&mut header).map_err(|error| broken(&error))?;
        ensure!(header == HEADER, "PostgreSQL sends another format of COPY than was asked for");
        Ok(rows)
    }

    /// Goes to the next row; whether there is one.
    pub(crate) fn step(&mut self) -> Result<bool> {
        self.reader.consume(std::mem::take(&mut self.at_hand));
        self.pieces.clear();
        self.receive().map_err(|error| broken(&error))
    }

    /// The row at hand.
    pub(crate) fn row(&mut self) -> Result<Row<'_>> {
        let bytes = match self.at_hand {
            0 => &self.pieces,
            length => &self.reader.fill_buf().map_err(|error| broken(&error))?[..length],
        };
        let (count, bytes) = bytes.split_first_chunk().context("a row without fields")?;
        Ok(Row { count: i16::from_be_bytes(*count), bytes })
    }

    /// The server sends each row as a message of its own, which is then read where it lies.
    fn receive(&mut self) -> std::io::Result<bool> {
        self.at_hand = whole(self.reader.fill_buf()?).unwrap_or(0);
        if self.at_hand > 0 {
            return Ok(true);
        }
        let mut count = [0; 2];
        self.reader.read_exact(&mut count)?;
        if count == TRAILER {
            return Ok(false);
        }
        self.pieces.extend_from_slice(&count);
        for _ in 0..i16::from_be_bytes(count) {
            let mut length = [0; 4];
            self.reader.read_exact(&mut length)?;
            self.pieces.extend_from_slice(&length);
            let start = self.pieces.len();
            self.pieces.resize(start + usize::try_from(i32::from_be_bytes(length)).unwrap_or(0), 0);
            self.reader.read_exact(&mut self.pieces[start..])?;
        }
        Ok(true)
    }
}

/// How many bytes the first row has, its count of fields included; none when it is not there as a whole.
fn whole(bytes: &[u8]) -> Option<usize> {
    let (count, mut rest) = bytes.split_first_chunk()?;
    let count = usize::try_from(i16::from_be_bytes(*count)).ok()?;
    for _ in 0..count {
        let (length, behind) = rest.split_first_chunk()?;
        rest = behind.get(usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0)..)?;
    }
    Some(bytes.len() - rest.len())
}

fn broken(error: &std::io::Error) -> anyhow::Error {
    let error = match fault::of_copy(error) {
        Some(refusal) => fault::of(refusal),
        None => anyhow!("{error}").verdict(Verdict::Unreachable),
    };
    error.context("reading rows")
}
