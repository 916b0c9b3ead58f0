//! What an earlier resource left in its export, for a later one to build on.

use crate::Job;
use anyhow::{Context, Result, anyhow};
use catalog::Resource;
use exports::{Place, Scope, Snapshot};
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind};
use tool::{Judge, Verdict};

/// Where the full export of a resource stands, of all campuses.
pub(crate) fn place(job: &Job<'_>, resource: &Resource) -> Place {
    let cursus = job.catalog.is_of_cursus(resource).then_some(job.options.cursus);
    Place::new(&Place::root(), &resource.file, Scope { cursus, campus: None })
}

/// Opens that export, if there is one.
pub(crate) fn existing(job: &Job<'_>, resource: &Resource) -> Result<Option<Snapshot>> {
    Snapshot::open(&place(job, resource))
}

/// Opens the export of the resource that fills a table, in the scope of the job.
///
/// # Errors
/// [`Verdict::Config`] when it was never fetched, with the command that does.
pub(crate) fn open(job: &Job<'_>, table: &str) -> Result<Snapshot> {
    let parent = job.catalog.find(table)?;
    let cursus = job.catalog.is_of_cursus(parent).then_some(job.options.cursus);
    let scopes = [
        Some(Scope { cursus, campus: None }),
        job.options.campus.map(|id| Scope { cursus, campus: Some(id) }),
    ];
    for scope in scopes.into_iter().flatten() {
        let place = Place::new(&Place::root(), &parent.file, scope);
        if let Some(snapshot) = Snapshot::open(&place)? {
            return Ok(snapshot);
        }
    }
    let place = place(job, parent);
    let missing = anyhow!("{} is not there yet; `{}` makes it", place.data().display(), command(parent));
    Err(missing.verdict(Verdict::Config))
}

fn command(resource: &Resource) -> String {
    format!("{} --export {}", resource.group.tool(), resource.name)
}

/// A damaged export names itself.
fn unreadable(error: std::io::Error, path: &str) -> anyhow::Error {
    match error.kind() {
        ErrorKind::InvalidData => anyhow::Error::from(error).verdict(Verdict::Refused),
        _ => anyhow::Error::from(error).context(path.to_owned()).verdict(Verdict::Io),
    }
}

/// Gives each record of an export to `visit`, without holding more than one.
///
/// # Errors
/// [`Verdict::Refused`] when a line is no JSON, and what `visit` returns.
pub(crate) fn each_record(snapshot: Snapshot, mut visit: impl FnMut(Value) -> Result<()>) -> Result<()> {
    let mut visit = |line: &str| match serde_json::from_str(line) {
        Ok(record) => visit(record),
        Err(error) => Err(error).verdict(Verdict::Refused),
    };
    each_line(snapshot, &mut visit)
}

/// Gives each line of an export to `visit`; its errors are told with their line.
pub(crate) fn each_line(snapshot: Snapshot, mut visit: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let path = snapshot.path.display().to_string();
    let mut reader = BufReader::new(snapshot.into_reader());
    let mut line = String::new();
    for number in 1_u64.. {
        line.clear();
        if reader.read_line(&mut line).map_err(|error| unreadable(error, &path))? == 0 {
            break;
        }
        visit(line.trim_end()).with_context(|| format!("{path} line {number}"))?;
    }
    Ok(())
}
