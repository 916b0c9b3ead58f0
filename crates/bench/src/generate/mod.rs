//! Records from a seed: as NDJSON for those that are measured, as text of COPY for the floor.
//!
//! The text is made here, not by what is measured, so that contents that agree with the floor's are right.

mod records;
mod text;

use crate::workload::Workload;
use anyhow::{Context, Result};
use catalog::Resource;
pub(crate) use records::{CAMPUSES, PROJECTS, STUDENTS};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use verdict::{Judge, Verdict};

/// What the records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Campuses,
    Projects,
    Users,
    Rows,
    Enrolments,
}

/// One snapshot in both forms.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) ndjson: PathBuf,
    pub(crate) text: PathBuf,
    /// As a server writes it that holds the text.
    pub(crate) binary: PathBuf,
    pub(crate) rows: u64,
}

/// Writes the first snapshot and the second, in which some rows differ and some are new.
///
/// # Errors
/// [`Verdict::Io`] when they cannot be written.
pub(crate) fn snapshots(
    workload: &Workload,
    resource: &Resource,
    seed: u64,
    folder: &Path,
) -> Result<[Snapshot; 2]> {
    let changed = workload.rows * workload.changed / 1000;
    let new = changed / 10;
    let spread = workload.rows.checked_div(changed - new).unwrap_or(u64::MAX);
    let first = write(workload, resource, folder, "1", (1..=workload.rows).map(|id| (id, 0)), seed)?;
    let second = (1..=workload.rows + new).map(|id| (id, u64::from(id <= workload.rows && id % spread == 0)));
    Ok([first, write(workload, resource, folder, "2", second, seed)?])
}

fn write(
    workload: &Workload,
    resource: &Resource,
    folder: &Path,
    name: &str,
    records: impl Iterator<Item = (u64, u64)>,
    seed: u64,
) -> Result<Snapshot> {
    let path = |ending| folder.join(format!("{}.{name}.{ending}", workload.kind.table()));
    let mut snapshot =
        Snapshot { ndjson: path("ndjson"), text: path("txt"), binary: path("binary"), rows: 0 };
    let place = || snapshot.ndjson.display().to_string();
    let create = |path: &Path| File::create(path).map(BufWriter::new);
    let mut ndjson = create(&snapshot.ndjson).with_context(place).verdict(Verdict::Io)?;
    let mut text = create(&snapshot.text).with_context(place).verdict(Verdict::Io)?;
    let mut line = Vec::new();
    for (id, version) in records {
        let record = workload.kind.record(seed, id, version);
        line.clear();
        serde_json::to_writer(&mut line, &record)?;
        line.push(b'\n');
        let copied = text::line(resource, &record);
        let written = ndjson.write_all(&line).and_then(|()| text.write_all(copied.as_bytes()));
        written.with_context(place).verdict(Verdict::Io)?;
        snapshot.rows += 1;
    }
    ndjson.flush().and_then(|()| text.flush()).verdict(Verdict::Io)?;
    Ok(snapshot)
}
