//! The log of renewals that people look into: `42_token_refresh.log`.

use chrono::{SecondsFormat, Utc};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Its name in the folder of logs.
pub(crate) const NAME: &str = "42_token_refresh.log";

/// One line for each renewal, refusal and warning; never a token, a secret or a code.
pub(super) struct TokenLog {
    path: Option<PathBuf>,
}

impl TokenLog {
    pub(super) const fn new(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    pub(super) fn info(&self, message: &str) {
        self.append("INFO", message);
    }

    pub(super) fn warn(&self, message: &str) {
        log::warn!("{message}");
        self.append("WARN", message);
    }

    pub(super) fn error(&self, message: &str) {
        self.append("ERROR", message);
    }

    /// A log that cannot be written keeps nobody from working.
    fn append(&self, level: &str, message: &str) {
        let Some(path) = &self.path else { return };
        if let Err(error) = append(path, &line(level, message)) {
            log::warn!("{}: the renewal is not in the log: {error}", path.display());
        }
    }
}

fn line(level: &str, message: &str) -> String {
    format!("{} {level} {message}\n", Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// One write, so that lines of two processes never mix.
fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o640).open(path)?;
    file.write_all(line.as_bytes())
}
