//! `LOGS_DIR/backlog.log`: one line for each thing that happened, ids only.

use anyhow::{Context, Result};
use chrono::Utc;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use tool::{Judge, Verdict, printable};

/// The log. It is opened for each line, so that it may be rotated under a worker that runs for ever.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
}

impl Journal {
    /// Makes it; a log that cannot be written is known before anything is done.
    ///
    /// # Errors
    /// [`Verdict::Io`].
    pub(crate) fn open(logs: &Path) -> Result<Self> {
        let journal = Self { path: logs.join("backlog.log") };
        let made = std::fs::create_dir_all(logs).and_then(|()| journal.file());
        made.with_context(|| journal.path.display().to_string()).verdict(Verdict::Io)?;
        Ok(journal)
    }

    fn file(&self) -> std::io::Result<File> {
        OpenOptions::new().create(true).append(true).open(&self.path)
    }

    pub(crate) fn info(&self, line: &str) {
        self.write("INFO", line);
    }

    pub(crate) fn warn(&self, line: &str) {
        self.write("WARN", line);
    }

    pub(crate) fn error(&self, line: &str) {
        self.write("ERROR", line);
    }

    /// In one write, so that lines of several processes do not mix. What was done is done: a disk that has become full
    /// only costs the line.
    fn write(&self, level: &str, line: &str) {
        let now = Utc::now().format("%Y-%m-%dT%H:%M:%SZ");
        let text = format!("{now} {level} {}\n", printable(line));
        if let Err(error) = self.file().and_then(|mut file| file.write_all(text.as_bytes())) {
            log::warn!("backlog.log: {error}; the line was: {}", text.trim_end());
        }
    }
}

/// Ids for a line of the log: `3 (7 8 9)`.
pub(crate) fn listed(ids: &[i64]) -> String {
    let shown: Vec<String> = ids.iter().take(100).map(i64::to_string).collect();
    let more = if ids.len() > shown.len() { " …" } else { "" };
    format!("{} ({}{more})", ids.len(), shown.join(" "))
}
