//! Lines of NDJSON: ended by LF or CR LF, blank ones skipped, bounded in length, UTF-8.

use super::refusal;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use verdict::{Judge, Verdict};

/// No record of the API comes near this many bytes; a line without an end must not eat the memory of the host.
const LONGEST: u64 = 4 << 20;

/// Reads line by line.
pub(super) struct Lines<R: Read> {
    reader: BufReader<R>,
    name: String,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R, name: String) -> Self {
        Self { reader: BufReader::with_capacity(1 << 17, reader), name, line: Vec::new(), number: 0 }
    }

    /// The next line that is not blank, with its number from 1.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &str)>> {
        while self.read()? {
            if self.line.iter().any(|byte| !byte.is_ascii_whitespace()) {
                return self.text().map(|line| Some((self.number, line)));
            }
        }
        Ok(None)
    }

    fn read(&mut self) -> Result<bool> {
        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.reader).take(LONGEST);
        let read = bounded.read_until(b'\n', &mut self.line).map_err(|error| {
            // An export that turns out to be damaged is bad data, not a bad disk.
            let damaged = error.kind() == ErrorKind::InvalidData;
            anyhow::Error::from(error).verdict(if damaged { Verdict::Refused } else { Verdict::Io })
        });
        let count = read.with_context(|| format!("{} line {}", self.name, self.number))?;
        if count as u64 == LONGEST && self.line.last() != Some(&b'\n') {
            let place = format!("line {}", self.number);
            return Err(refusal(
                &self.name,
                &place,
                &format!("longer than {} MiB, so this is no NDJSON", LONGEST >> 20),
            ));
        }
        while self.line.pop_if(|last| matches!(last, b'\n' | b'\r')).is_some() {}
        if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        Ok(count > 0)
    }

    fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.line).map_err(|error| {
            let place = format!("line {} column {}", self.number, error.valid_up_to() + 1);
            refusal(&self.name, &place, "not UTF-8: the input was cut or is no NDJSON")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Result<Vec<(u64, String)>> {
        let mut lines = Lines::new(bytes, "x".to_owned());
        let mut read = Vec::new();
        while let Some((number, line)) = lines.next()? {
            read.push((number, line.to_owned()));
        }
        Ok(read)
    }

    #[test]
    fn lines_end_with_lf_or_cr_lf_and_blank_ones_are_skipped() {
        let read = lines(b"\xef\xbb\xbf{}\r\n\n \t\n[1]\nlast").unwrap();
        assert_eq!(read, [(1, "{}".to_owned()), (4, "[1]".to_owned()), (5, "last".to_owned())]);
        assert!(lines(b"").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_utf8_is_refused_with_its_place() {
        let error = lines(b"{}\n{\"a\":\"\xff\"}").unwrap_err();
        assert!(error.to_string().starts_with("x line 2 column 7: not UTF-8"), "{error}");
        assert_eq!(Verdict::of(&error), Verdict::Refused);
    }
}
