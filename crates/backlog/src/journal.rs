//! `LOGS_DIR/backlog.log`: one line for each thing that happened, ids only.

use anyhow::{Context, Result};
use chrono::Utc;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use tool::{Judge, Verdict, printable};

/// The log, open.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    /// Opens it; a log that cannot be written is known before anything is done.
    ///
    /// # Errors
    /// [`Verdict::Io`].
    pub(crate) fn open(logs: &Path) -> Result<Self> {
        let path = logs.join("backlog.log");
        let open = || {
            std::fs::create_dir_all(logs)?;
            OpenOptions::new().create(true).append(true).open(&path)
        };
        let file = open().with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
        Ok(Self { file })
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
        let mut file = &self.file;
        if let Err(error) = file.write_all(text.as_bytes()) {
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
