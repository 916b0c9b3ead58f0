//! Where lines go when they do not go to an export.

use anyhow::{Context, Result};
use std::io::{self, BufWriter, StdoutLock, Write};
use tool::{Judge, Verdict};

/// Standard output, flushed page by page so that a reader that has left is noticed before the next call.
pub(crate) struct Stdout {
    writer: BufWriter<StdoutLock<'static>>,
}

impl Stdout {
    pub(crate) fn open() -> Self {
        Self { writer: BufWriter::new(io::stdout().lock()) }
    }

    /// Writes lines.
    ///
    /// # Errors
    /// [`Verdict::Io`] when the disk is full or the reader has gone.
    pub(crate) fn write<Line: AsRef<str>>(&mut self, lines: &[Line]) -> Result<()> {
        let mut write = || {
            for line in lines {
                self.writer.write_all(line.as_ref().as_bytes())?;
                self.writer.write_all(b"\n")?;
            }
            self.writer.flush()
        };
        write().context("stdout").verdict(Verdict::Io)
    }
}
