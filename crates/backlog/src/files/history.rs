//! What has left: one line for each, the last ones kept.

use super::lines::{append, with_suffix};
use super::open_if_there;
use crate::item::{Outcome, Processed};
use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use tool::{Judge, Verdict};

/// Lines that are kept.
const KEPT: usize = 10_000;
/// Lines past which the file is cut; cutting each time would write it anew each time.
const TOO_MANY: usize = crate::store::LEFT;
/// How long it is remembered that the API did not give somebody, however many leave meanwhile.
const ABSENCE: TimeDelta = TimeDelta::days(7);

/// The file.
#[derive(Debug)]
pub(super) struct History {
    path: PathBuf,
}

impl History {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Adds lines, and cuts what is old off a file that has grown long.
    pub(super) fn append(&self, processed: &[Processed]) -> Result<()> {
        if processed.is_empty() {
            return Ok(());
        }
        append(&self.path, &text(processed)?)?;
        let lines = self.bytes()?.iter().filter(|byte| **byte == b'\n').count();
        if lines > TOO_MANY { self.cut(&self.read()?) } else { Ok(()) }
    }

    /// Its lines; what cannot be read was cut by a crash, and the item still waits.
    pub(super) fn read(&self) -> Result<Vec<Processed>> {
        let bytes = self.bytes()?;
        Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(mut file) = open_if_there(&self.path)? {
            let here = || self.path.display().to_string();
            file.read_to_end(&mut bytes).with_context(here).verdict(Verdict::Io)?;
        }
        Ok(bytes)
    }

    fn cut(&self, all: &[Processed]) -> Result<()> {
        let since = Utc::now() - ABSENCE;
        let counts = |one: &Processed| {
            one.outcome == Some(Outcome::Absent) && one.processed.is_some_and(|at| at > since)
        };
        let last = all.len().saturating_sub(KEPT);
        let kept: Vec<Processed> = all
            .iter()
            .enumerate()
            .filter(|(place, one)| *place >= last || counts(one))
            .map(|(_, one)| one.clone())
            .collect();
        self.replace(&kept)
    }

    /// Takes these out; says how many lines that were.
    pub(super) fn forget(&self, ids: &[i64]) -> Result<u64> {
        let ids: HashSet<&i64> = ids.iter().collect();
        let all = self.read()?;
        let lines = all.len();
        let kept: Vec<Processed> = all.into_iter().filter(|one| !ids.contains(&one.id)).collect();
        let gone = lines - kept.len();
        if gone > 0 {
            self.replace(&kept)?;
        }
        Ok(gone as u64)
    }

    fn replace(&self, kept: &[Processed]) -> Result<()> {
        let aside = with_suffix(&self.path, ".aside");
        let write = || -> Result<()> {
            let mut file = File::create(&aside)?;
            file.write_all(&text(kept)?)?;
            file.sync_all()?;
            Ok(fs::rename(&aside, &self.path)?)
        };
        write().with_context(|| self.path.display().to_string()).verdict(Verdict::Io)
    }
}

fn text(processed: &[Processed]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for one in processed {
        serde_json::to_writer(&mut text, one)?;
        text.push(b'\n');
    }
    Ok(text)
}
