//! One measured load: a line of NDJSON, so that tables can be made of it later, and by others.

use crate::contender::Phase;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use verdict::{Judge, Verdict};

/// A run, and where and when it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// When the measuring began: rounds of one session are told from those of another by it.
    pub(crate) session: String,
    pub(crate) machine: String,
    pub(crate) workload: String,
    pub(crate) rows: u64,
    pub(crate) round: u32,
    pub(crate) contender: String,
    pub(crate) phase: Phase,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Loaded(Cost),
    /// Why there is nothing to compare.
    Failed(String),
}

/// What a load cost, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// Of the processor, by the loader itself: the rest is the server's, or waiting.
    pub(crate) processor_seconds: f64,
    pub(crate) resident_bytes: u64,
    pub(crate) log_bytes: u64,
    pub(crate) rows_written: u64,
    pub(crate) rows_wrong: u64,
    /// Processes that wanted to run in the last minute, ours among them.
    pub(crate) load_average: f64,
}

impl Run {
    pub(crate) const fn cost(&self) -> Option<&Cost> {
        match &self.outcome {
            Outcome::Loaded(cost) => Some(cost),
            Outcome::Failed(_) => None,
        }
    }
}

/// Adds a run to a file.
pub(crate) fn add(file: &Path, run: &Run) -> Result<()> {
    let place = || file.display().to_string();
    let mut line = serde_json::to_vec(run)?;
    line.push(b'\n');
    let open = std::fs::OpenOptions::new().append(true).create(true).open(file);
    open.and_then(|mut file| file.write_all(&line)).with_context(place).verdict(Verdict::Io)
}

/// Reads the runs of files.
///
/// # Errors
/// [`Verdict::Io`] when a file cannot be read, [`Verdict::Refused`] when a line is no run.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for path in files {
        let file =
            std::fs::File::open(path).with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let place = || format!("{} line {}", path.display(), number + 1);
            let line = line.with_context(place).verdict(Verdict::Io)?;
            runs.push(serde_json::from_str(&line).with_context(place).verdict(Verdict::Refused)?);
        }
    }
    Ok(runs)
}
