//! What this host's files say: exports, space, logs, renewals of the token.

use crate::measure::Known;
use crate::tail;
use anyhow::{Context, Result};
use catalog::{Catalog, Resource};
use chrono::{DateTime, TimeDelta, Utc};
use exports::{Place, Scope, Snapshot};
use serde::Serialize;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Only so much of the end of the log of renewals is read: weeks of it.
const LOG_TAIL: u64 = 1 << 16;

/// The last full export of a resource.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Export {
    pub(crate) finished: DateTime<Utc>,
    pub(crate) age_seconds: i64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) complete: bool,
    /// Calls that it took, and answers 429 among them.
    pub(crate) calls: u64,
    pub(crate) throttled: u64,
}

/// The space where a folder is, or will be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Disk {
    /// `exports` or `logs`.
    pub(crate) folder: &'static str,
    /// For this user.
    pub(crate) free_bytes: u64,
    pub(crate) total_bytes: u64,
    pub(crate) used_percent: f64,
}

/// The folder of logs.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Logs {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Renewals of the token that failed in the last 24 hours, by `42_token_refresh.log`.
    pub(crate) token_errors_day: u64,
}

/// The exports of the catalog's resources, in its order.
pub(crate) fn exports(catalog: &Catalog, cursus: u64) -> Vec<Known<Option<Export>>> {
    let root = Place::root();
    let one = |resource: &Resource| {
        let cursus = catalog.is_of_cursus(resource).then_some(cursus);
        Known::of(export(&Place::new(&root, &resource.file, Scope { cursus, campus: None })))
    };
    catalog.resources().iter().map(one).collect()
}

fn export(place: &Place) -> Result<Option<Export>> {
    let snapshot = Snapshot::open(place)?;
    Ok(snapshot.map(|Snapshot { manifest, .. }| Export {
        finished: manifest.finished,
        age_seconds: (Utc::now() - manifest.finished).num_seconds(),
        rows: manifest.rows,
        bytes: manifest.bytes,
        complete: manifest.complete,
        calls: manifest.calls,
        throttled: manifest.throttled,
    }))
}

pub(crate) fn logs_folder() -> PathBuf {
    let named = std::env::var_os("LOGS_DIR").filter(|name| !name.is_empty());
    PathBuf::from(named.unwrap_or_else(|| "logs".into()))
}

pub(crate) fn disks() -> Vec<Known<Disk>> {
    let folders = [("exports", Place::root()), ("logs", logs_folder())];
    folders.iter().map(|(folder, path)| Known::of(disk(folder, path))).collect()
}

fn disk(folder: &'static str, path: &Path) -> Result<Disk> {
    let there = std::path::absolute(path)?;
    let there = there.ancestors().find(|path| path.exists()).context("no such path")?;
    let space = rustix::fs::statvfs(there).with_context(|| there.display().to_string())?;
    let (free, total) = (space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize);
    // As df counts: what is kept for root is neither used nor free.
    let used = (space.f_blocks - space.f_bfree) * space.f_frsize;
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let used_percent = if used + free == 0 { 0.0 } else { used as f64 / (used + free) as f64 * 100.0 };
    Ok(Disk { folder, free_bytes: free, total_bytes: total, used_percent })
}

/// Sizes only, so that a hundred megabytes of logs cost nothing.
pub(crate) fn logs() -> Result<Logs> {
    let folder = logs_folder();
    let mut logs = Logs::default();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(logs),
        entries => entries.with_context(|| folder.display().to_string())?,
    };
    for entry in entries {
        // A file may be rotated away meanwhile.
        let Ok(data) = entry?.metadata() else { continue };
        if data.is_file() {
            logs.files += 1;
            logs.bytes += data.len();
        }
    }
    logs.token_errors_day = token_errors(&folder.join("42_token_refresh.log"), Utc::now())?;
    Ok(logs)
}

fn token_errors(path: &Path, now: DateTime<Utc>) -> Result<u64> {
    let text = tail::of(path, LOG_TAIL)?.unwrap_or_default();
    let since = now - TimeDelta::days(1);
    let is_recent_error = |line: &&str| {
        let mut words = line.split(' ');
        let at = words.next().and_then(|word| word.parse::<DateTime<Utc>>().ok());
        at.is_some_and(|at| at > since) && words.next() == Some("ERROR")
    };
    Ok(text.lines().filter(is_recent_error).count() as u64)
}
