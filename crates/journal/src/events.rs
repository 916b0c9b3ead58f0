//! The file that a command appends its progress to, read as it grows.

use crate::counts::{Counts, Ledger};
use anyhow::{Context, Result};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use verdict::{Judge, Verdict};

/// A line without an end that is longer than this is thrown away.
const LONGEST_LINE: usize = 64 * 1024;

/// Bytes that are read at a time.
const CHUNK: u64 = 1 << 20;

/// Reads the lines that a command appends to `$JOB_PROGRESS`.
///
/// One JSON object a line, unknown keys ignored; several processes may append, each line in one `write`:
/// - `{"ev":"total","n":900}`: how many items there are in all;
/// - `{"ev":"item","ok":true,"key":"user:42"}`: an item is done, has failed (`false`) or needed nothing (no `ok`); `"n":40`
///   makes it forty;
/// - `{"ev":"counts","ok":40,"failed":1,"skipped":7}`: where the writer stands now, all of its items;
/// - `{"ev":"checkpoint","data":{…}}`: where it would go on, up to 1,900 bytes;
/// - `{"ev":"error","text":"…"}`: what went wrong.
///
/// `total` and `counts` hold for the writer that `"by"` names: several writers add up.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: File,
    rest: Vec<u8>,
    ledger: Ledger,
}

impl Tail {
    /// Makes the file, empty and ours alone. Whatever still writes into an earlier one is not heard.
    ///
    /// # Errors
    /// [`Verdict::Io`] when it cannot be made.
    pub fn create(folder: &Path, job: &str, total: Option<u64>) -> Result<Self> {
        let path = folder.join("jobs").join(format!("{job}.progress"));
        let make = || {
            if path.exists() {
                std::fs::remove_file(&path)?;
            }
            let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path)?;
            Ok::<_, std::io::Error>((path.canonicalize()?, file))
        };
        let (path, file) = make().with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
        Ok(Self { path, file, rest: Vec::new(), ledger: Ledger::new(total) })
    }

    /// What `$JOB_PROGRESS` is to be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what has come, and says what it all comes to.
    pub fn read(&mut self) -> Counts {
        loop {
            let read = (&self.file).take(CHUNK).read_to_end(&mut self.rest).unwrap_or(0);
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                self.ledger.take(&line);
            }
            if self.rest.len() > LONGEST_LINE {
                self.rest.clear();
                self.ledger.strange += 1;
            }
            if read == 0 {
                return self.ledger.counts();
            }
        }
    }

    /// What went wrong last.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        self.ledger.error.clone()
    }

    /// Lines that were not understood.
    #[must_use]
    pub const fn strange(&self) -> u64 {
        self.ledger.strange
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // Nobody reads it any more; the next run of the job would remove it too.
        drop(std::fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_read_as_they_come_half_ones_when_they_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("jobs")).unwrap();
        let mut tail = Tail::create(folder.path(), "x", None).unwrap();
        let mut writer = OpenOptions::new().append(true).open(tail.path()).unwrap();
        writer.write_all(b"{\"ev\":\"item\",\"ok\":true}\n{\"ev\":\"item\",").unwrap();
        assert_eq!(tail.read().ok, 1);
        writer.write_all(b"\"ok\":true}\n").unwrap();
        assert_eq!(tail.read().ok, 2);
        writer.write_all(&vec![b'x'; 200_000]).unwrap();
        tail.read();
        writer.write_all(b"\n{\"ev\":\"item\",\"ok\":false}\n").unwrap();
        assert_eq!((tail.read().failed, tail.read().ok), (1, 2));
        let path = tail.path().to_owned();
        drop(tail);
        assert!(!path.exists());
    }
}
