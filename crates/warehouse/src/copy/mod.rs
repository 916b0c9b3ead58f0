//! PostgreSQL's binary COPY format.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format", and the `*_send` functions of the
//! types. Every row is a count of fields, every field a length and its bytes, all integers big-endian.
//!
//! # Layout
//! - this file: fields and rows. `send`: rows to the server, or kept for later. `receive`: rows from it.

mod receive;
mod send;

use crate::jsonb;
pub(crate) use receive::Rows;
pub(crate) use send::{Copy, Spool, Takes};
use std::io::Write;

pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
pub(crate) const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Fields of one row, encoded.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    bytes: Vec<u8>,
    count: i16,
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    pub(crate) fn null(&mut self) {
        self.count += 1;
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    pub(crate) fn bigint(&mut self, value: i64) {
        self.field(&value.to_be_bytes());
    }

    pub(crate) fn integer(&mut self, value: i32) {
        self.field(&value.to_be_bytes());
    }

    pub(crate) fn double(&mut self, value: f64) {
        self.field(&value.to_be_bytes());
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.field(&[u8::from(value)]);
    }

    /// Text without NUL.
    pub(crate) fn text(&mut self, value: &str) {
        self.field(value.as_bytes());
    }

    /// Microseconds since 2000-01-01 00:00 UTC.
    pub(crate) fn timestamptz(&mut self, microseconds: i64) {
        self.field(&microseconds.to_be_bytes());
    }

    /// JSON text; its first byte is the version of the format.
    pub(crate) fn jsonb(&mut self, value: &serde_json::Value) -> Result<(), String> {
        self.count += 1;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0, 0, 0, 0, 1]);
        jsonb::write(value, &mut self.bytes).map_err(|error| error.to_string())?;
        let length =
            i32::try_from(self.bytes.len() - start - 4).map_err(|_| "longer than 2 GiB".to_owned())?;
        self.bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    /// As the server would send them.
    pub(crate) fn as_row(&self) -> Row<'_> {
        Row { count: self.count, bytes: &self.bytes }
    }

    /// How many fields there are, read back from the bytes; none when they are not what their lengths say.
    pub(crate) fn count_anew(&self) -> Option<usize> {
        let (mut row, mut count) = (self.as_row(), 0);
        while !row.bytes.is_empty() {
            row = row.split_first()?.1;
            count += 1;
        }
        (count == usize::try_from(self.count).ok()?).then_some(count)
    }

    /// Writes the fields as a row.
    pub(crate) fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        to.write_all(&self.count.to_be_bytes())?;
        to.write_all(&self.bytes)
    }

    fn field(&mut self, bytes: &[u8]) {
        self.count += 1;
        // A line is bounded (input::LONGEST), so no field comes near the limit of the length.
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }
}

/// The fields of a row, each a length and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'r> {
    count: i16,
    bytes: &'r [u8],
}

impl<'r> Row<'r> {
    /// So many fields, encoded one behind the other.
    pub(crate) const fn new(count: i16, bytes: &'r [u8]) -> Self {
        Self { count, bytes }
    }

    pub(crate) const fn bytes(self) -> &'r [u8] {
        self.bytes
    }

    /// The first field, none for null, and the others.
    pub(crate) fn split_first(self) -> Option<(Option<&'r [u8]>, Row<'r>)> {
        let (length, rest) = self.bytes.split_first_chunk()?;
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let (field, rest) = rest.split_at_checked(length.unwrap_or(0))?;
        Some((length.map(|_| field), Row { count: self.count - 1, bytes: rest }))
    }

    /// The integer at a place; none where there is none.
    pub(crate) fn bigint(self, place: usize) -> Option<i64> {
        let mut row = self;
        for _ in 0..place {
            row = row.split_first()?.1;
        }
        Some(i64::from_be_bytes(row.split_first()?.0?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let mut fields = Fields::default();
        fields.text("é");
        fields.null();
        fields.bigint(-7);
        let row = fields.as_row();
        assert_eq!(
            (row.bigint(0), row.bigint(1), row.bigint(2), row.bigint(3)),
            (None, None, Some(-7), None)
        );
        let (first, rest) = row.split_first().unwrap();
        assert_eq!((first, rest.split_first().unwrap().0), (Some("é".as_bytes()), None));
    }

    fn bytes(write: impl FnOnce(&mut Fields)) -> Vec<u8> {
        let mut fields = Fields::default();
        write(&mut fields);
        assert_eq!(fields.count, 1);
        fields.bytes
    }

    #[test]
    fn every_field_is_its_length_and_its_bytes() {
        assert_eq!(bytes(Fields::null), [0xff, 0xff, 0xff, 0xff]);
        assert_eq!(bytes(|fields| fields.bigint(-2)), [&[0, 0, 0, 8][..], &[0xff; 7], &[0xfe]].concat());
        assert_eq!(bytes(|fields| fields.integer(258)), [0, 0, 0, 4, 0, 0, 1, 2]);
        assert_eq!(bytes(|fields| fields.double(1.0)), [0, 0, 0, 8, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes(|fields| fields.boolean(true)), [0, 0, 0, 1, 1]);
        assert_eq!(bytes(|fields| fields.text("é")), [0, 0, 0, 2, 0xc3, 0xa9]);
        assert_eq!(bytes(|fields| fields.text("")), [0, 0, 0, 0]);
        assert_eq!(bytes(|fields| fields.timestamptz(1)), [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn jsonb_stands_behind_its_version() {
        let written = bytes(|fields| fields.jsonb(&json!({"a": [1, null]})).unwrap());
        assert_eq!(written, [&[0, 0, 0, 17, 1][..], br#"{"a": [1, null]}"#].concat());
    }

    #[test]
    fn the_header_is_the_signature_and_two_zero_words() {
        assert_eq!(HEADER.len(), 19);
        assert_eq!(&HEADER[..11], b"PGCOPY\n\xff\r\n\0");
    }
}
