//! A text that is judged line by line, and what stays of it written beside it.

use crate::left::remove;
use crate::{Fate, Rewritten};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes that are read or written at a time.
const BUFFER: usize = 1 << 18;

/// What came of a text.
pub(crate) struct Sifted {
    pub(crate) rewritten: Rewritten,
    /// What is to take its place, on the disk; none when everything stays.
    pub(crate) aside: Option<PathBuf>,
    /// Where the marks are afterwards; one that is not between two lines is missing.
    pub(crate) marks: Vec<u64>,
}

/// Judges the lines within the first bytes of a file.
///
/// # Errors
/// When the disk is full: what was written of it is gone again then.
pub(crate) fn sift(
    path: &Path,
    bytes: u64,
    judge: &mut dyn FnMut(&str) -> Fate,
    marks: &[u64],
) -> anyhow::Result<Sifted> {
    let mut name = path.as_os_str().to_owned();
    name.push(".aside");
    let aside = PathBuf::from(name);
    // Left by one who was killed.
    remove(&aside)?;
    let mut sieve = Sieve { path, aside: &aside, target: None, read: 0, written: 0 };
    let mut moved = Vec::new();
    let outcome = sieve.run(bytes, judge, &mut |read, written| {
        moved.extend(marks.iter().filter(|mark| **mark == read).map(|mark| (*mark, written)));
    });
    if outcome.is_err() {
        // The disk needs the room.
        remove(&aside)?;
    }
    let rewritten = outcome?;
    let place = |mark: &u64| moved.iter().find(|(old, _)| old == mark).map(|(_, new)| *new);
    let marks = marks.iter().filter_map(place).collect();
    Ok(Sifted { rewritten, aside: (!rewritten.is_nothing()).then_some(aside), marks })
}

struct Sieve<'a> {
    path: &'a Path,
    aside: &'a Path,
    /// None as long as everything stays.
    target: Option<BufWriter<File>>,
    read: u64,
    written: u64,
}

impl Sieve<'_> {
    fn run(
        &mut self,
        bytes: u64,
        judge: &mut dyn FnMut(&str) -> Fate,
        passed: &mut dyn FnMut(u64, u64),
    ) -> io::Result<Rewritten> {
        let mut rewritten = Rewritten::default();
        let mut lines = BufReader::with_capacity(BUFFER, File::open(self.path)?).take(bytes);
        let mut line = Vec::new();
        loop {
            passed(self.read, self.written);
            line.clear();
            let length = lines.read_until(b'\n', &mut line)?;
            if length == 0 {
                break;
            }
            match judge(&String::from_utf8_lossy(line.trim_ascii_end())) {
                Fate::Keep => self.write(&line)?,
                Fate::Drop => {
                    rewritten.dropped += 1;
                    self.begin()?;
                }
                Fate::Replace(text) => {
                    rewritten.replaced += 1;
                    self.begin()?;
                    self.write(text.as_bytes())?;
                    self.write(b"\n")?;
                }
            }
            self.read += length as u64;
        }
        if let Some(target) = &mut self.target {
            target.flush()?;
            target.get_ref().sync_all()?;
        }
        Ok(rewritten)
    }

    /// Begins to write, with all that has stayed so far.
    fn begin(&mut self) -> io::Result<()> {
        if self.target.is_none() {
            let mut target = BufWriter::with_capacity(BUFFER, File::create(self.aside)?);
            io::copy(&mut File::open(self.path)?.take(self.read), &mut target)?;
            self.target = Some(target);
        }
        Ok(())
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.written += text.len() as u64;
        self.target.as_mut().map_or(Ok(()), |target| target.write_all(text))
    }
}
