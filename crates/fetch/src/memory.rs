//! What people turned out to be who are not in the people's export: a small file beside it, so that nobody is looked up
//! twice.
//!
//! A note outlives the export it was made beside as long as it is younger than the walk of the next one: who came while
//! that walk was under way may be missing in it.

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use exports::{Place, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use tool::{Judge, Verdict};

/// Clocks differ, and a walk may have looked at a page just before its start was noted.
const MARGIN: TimeDelta = TimeDelta::minutes(10);

/// What somebody turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Note {
    pub(crate) id: u64,
    /// What the person's records are stamped with; none for a stranger.
    pub(crate) stamp: Option<Map<String, Value>>,
}

/// A note as it is written.
#[derive(Serialize, Deserialize)]
struct Line {
    id: u64,
    at: DateTime<Utc>,
    stamp: Option<Map<String, Value>>,
}

/// The notes beside an export.
pub(crate) struct Memory {
    /// None without an export: what is learnt then serves this run only.
    file: Option<PathBuf>,
    notes: Vec<Note>,
}

impl Memory {
    /// Reads the notes that are younger than the walk of the export; forgets the others.
    pub(crate) fn open(place: &Place, export: Option<&Snapshot>) -> Result<Self> {
        let Some(export) = export else { return Ok(Self { file: None, notes: Vec::new() }) };
        let file = place.looked_up();
        let lock = lock(&file)?;
        let floor = export.manifest.started - MARGIN;
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| file.display().to_string()).verdict(Verdict::Io)?,
        };
        // A line that was cut by a kill is no note.
        let lines: Vec<Line> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let all = lines.len();
        let young: Vec<Line> = lines.into_iter().filter(|line| line.at >= floor).collect();
        let memory = Self { file: Some(file), notes: Vec::new() };
        if young.len() < all {
            memory.replace(&young)?;
        }
        drop(lock);
        let notes = young.into_iter().map(|line| Note { id: line.id, stamp: line.stamp }).collect();
        Ok(Self { notes, ..memory })
    }

    /// The notes that were there, oldest first.
    pub(crate) fn take(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Adds notes.
    pub(crate) fn add(&self, notes: &[Note]) -> Result<()> {
        let Some(path) = self.file.as_ref().filter(|_| !notes.is_empty()) else { return Ok(()) };
        let at = Utc::now();
        // In front, too, so that a line which was cut spoils none of these.
        let mut text = String::from("\n");
        for Note { id, stamp } in notes {
            text.push_str(&serde_json::to_string(&Line { id: *id, at, stamp: stamp.clone() })?);
            text.push('\n');
        }
        let _lock = lock(path)?;
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            file.write_all(text.as_bytes())
        };
        append().with_context(|| path.display().to_string()).verdict(Verdict::Io)
    }

    fn replace(&self, lines: &[Line]) -> Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let mut text = String::new();
        for line in lines {
            text.push_str(&serde_json::to_string(line)?);
            text.push('\n');
        }
        let aside = path.with_extension("aside");
        let replace = || fs::write(&aside, text).and_then(|()| fs::rename(&aside, path));
        replace().with_context(|| path.display().to_string()).verdict(Verdict::Io)
    }
}

/// Waits for whoever writes there; it never takes more than a moment.
fn lock(path: &std::path::Path) -> Result<File> {
    let path = path.with_extension("lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let locked = open.and_then(|file| file.lock().map(|()| file));
    locked.with_context(|| path.display().to_string()).verdict(Verdict::Io)
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
