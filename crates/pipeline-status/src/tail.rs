//! The end of a file, however long the file is.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// The lines that end within the last `most` bytes, the first of them whole; none when there is no such file.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn of(path: &Path, most: u64) -> Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file,
    };
    let read = file.and_then(|mut file| {
        let length = file.metadata()?.len();
        read(&mut file, length, most)
    });
    read.map(Some).with_context(|| path.display().to_string())
}

fn read(file: &mut (impl Read + Seek), length: u64, most: u64) -> std::io::Result<String> {
    let start = length.saturating_sub(most);
    // One byte more tells whether a line begins at the cut.
    file.seek(SeekFrom::Start(start.saturating_sub(1)))?;
    let mut bytes = Vec::new();
    // A file that grows meanwhile is not followed.
    file.take(most + 1).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = if start == 0 { &text } else { text.split_once('\n').map_or("", |(_, lines)| lines) };
    Ok(whole.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A file that counts what is read of it.
    struct Counted {
        file: Cursor<Vec<u8>>,
        bytes: usize,
    }

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.file.read(buffer)?;
            self.bytes += count;
            Ok(count)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.file.seek(to)
        }
    }

    fn check(text: &str, most: u64, expected: &str) {
        let mut file = Counted { file: Cursor::new(text.into()), bytes: 0 };
        assert_eq!(read(&mut file, text.len() as u64, most).unwrap(), expected, "{most} of {text:?}");
        assert!(file.bytes as u64 <= most + 1, "{} bytes were read", file.bytes);
    }

    #[test]
    fn only_whole_lines_of_the_end_are_given() {
        check("one\ntwo\nthree\n", 100, "one\ntwo\nthree\n");
        check("one\ntwo\nthree\n", 10, "two\nthree\n");
        check("one\ntwo\nthree\n", 9, "three\n");
        check("one\ntwo\nthree", 5, "three");
        check("one\ntwo\nthree", 3, "");
        check("", 10, "");
    }

    #[test]
    fn a_hundred_megabytes_cost_no_more_than_their_end() {
        let text = "2026-01-01T00:00:00Z INFO a line of a log\n".repeat(2_500_000);
        assert!(text.len() > 100_000_000);
        let end = text.len() - 42;
        check(&text, 42, &text[end..]);
    }
}
