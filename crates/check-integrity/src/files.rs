//! The files that runs leave: `latest.json` after each, and one of its own for each that found something.

use crate::report::Report;
use anyhow::{Context, Result};
use chrono::DateTime;
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tool::{Judge, Verdict};

/// How long a file is kept.
const AGE: Duration = Duration::from_secs(30 * 86_400);

/// How much is kept, the newest first: a fault that lasts is written every five minutes.
const BYTES: u64 = 256 << 20;

/// So many runs may end in one second.
const MOST_OF_A_SECOND: u32 = 1000;

/// Whether a file may take another one's place.
enum Place {
    Replace,
    /// `_2`, `_3`, … is added where one of the name is there.
    New,
}

/// Writes what a run of all checks came to; of those that found something, and of one that is partial, a file of its own.
///
/// # Errors
/// [`Verdict::Io`] when a file cannot be written.
pub(crate) fn write(report: &Report) -> Result<()> {
    let folder = folder();
    let keep = || -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        let text = serde_json::to_string_pretty(report)? + "\n";
        if report.inconsistent > 0 {
            publish(&folder, &format!("{}_violations", stamp(report)), &text, &Place::New)?;
        }
        if !report.partial {
            publish(&folder, "latest", &text, &Place::Replace)?;
        }
        sweep(&folder)
    };
    keep().with_context(|| folder.display().to_string()).verdict(Verdict::Io)
}

/// What is said of a last run that is newer than what the database knows; none when there is no such file.
pub(crate) fn latest() -> Option<Value> {
    let text = fs::read_to_string(folder().join("latest.json")).ok()?;
    serde_json::from_str(&text).ok()
}

fn folder() -> PathBuf {
    let named = std::env::var_os("LOGS_DIR").filter(|name| !name.is_empty());
    PathBuf::from(named.unwrap_or_else(|| "logs".into())).join("integrity_checks")
}

/// `20261124_132445`.
fn stamp(report: &Report) -> String {
    let at = DateTime::parse_from_rfc3339(&report.timestamp).unwrap_or_default();
    at.format("%Y%m%d_%H%M%S").to_string()
}

/// Puts a file in place whole: who looks sees all of it or nothing.
fn publish(folder: &Path, stem: &str, text: &str, place: &Place) -> std::io::Result<()> {
    let aside = folder.join(format!(".{stem}.{}.new", std::process::id()));
    let put = || -> std::io::Result<()> {
        drop(fs::remove_file(&aside));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match place {
            Place::Replace => fs::rename(&aside, folder.join(format!("{stem}.json")))?,
            Place::New => link(&aside, folder, stem)?,
        }
        File::open(folder)?.sync_all()
    };
    let done = put();
    drop(fs::remove_file(&aside));
    done
}

/// A name for a file that is whole already; never that of another one.
fn link(aside: &Path, folder: &Path, stem: &str) -> std::io::Result<()> {
    for number in 1..MOST_OF_A_SECOND {
        let suffix = if number == 1 { String::new() } else { format!("_{number}") };
        match fs::hard_link(aside, folder.join(format!("{stem}{suffix}.json"))) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            other => return other,
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Removes what is too old, or too much.
fn sweep(folder: &Path) -> std::io::Result<()> {
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.contains("_violations") && name.ends_with(".json") || name.ends_with(".new");
        // Another run may be faster.
        let Some(data) = entry.metadata().ok().filter(|_| ours) else { continue };
        files.push((data.modified()?, data.len(), entry.path()));
    }
    files.sort_by(|left, right| right.cmp(left));
    let (now, mut bytes) = (SystemTime::now(), 0);
    for (modified, size, path) in files {
        bytes += size;
        if bytes > BYTES || now.duration_since(modified).is_ok_and(|age| age > AGE) {
            drop(fs::remove_file(path));
        }
    }
    Ok(())
}
