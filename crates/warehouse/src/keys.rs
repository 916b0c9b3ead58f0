//! The keys of an export's records, and those they refer to: what it takes to tell whether they are in the mirror.

use crate::convert::{Converter, NoRecord, Outcome};
use crate::copy::{Fields, HEADER, TRAILER};
use crate::input::{self, Input, Source, Text};
use anyhow::{Context, Result, anyhow};
use catalog::{Column, Resource};
use exports::{Manifest, Place};
use std::io::Write;
use verdict::{Judge, Verdict};

/// What was found in an export.
#[derive(Clone, Debug)]
pub struct Keys {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Records that belong to the mirror and have a key: one row each. A record may be there twice.
    pub rows: u64,
    /// Records whose key cannot be read: they might be any row of the table.
    pub keyless: u64,
}

/// The columns that [`write_keys`] gives, in its order: those of the key and those that refer to other tables.
pub fn key_columns(resource: &Resource) -> impl Iterator<Item = &Column> {
    let is_meant = |column: &&Column| column.references.is_some() || resource.key.contains(&column.name);
    resource.columns.iter().filter(is_meant)
}

/// Writes the [`key_columns`] of a full export's records as `COPY … (FORMAT binary)` takes them. No more than a record is
/// held at a time. A record that does not fit its types has its key alone, as in quarantine.
///
/// # Errors
/// [`Verdict::Refused`] when the export is not what its manifest promises, [`Verdict::Io`] when it is not there or cannot be
/// read or written.
pub fn write_keys(resource: &Resource, place: &Place, to: &mut impl Write) -> Result<Keys> {
    let slim = Resource { columns: key_columns(resource).cloned().collect(), ..resource.clone() };
    let converter = Converter::new(&slim);
    let mut input = Input::open(&Source::Export(place.clone()), &slim)?;
    let mut fields = Fields::default();
    let (mut read, mut rows, mut keyless) = (0, 0, 0);
    to.write_all(HEADER).verdict(Verdict::Io)?;
    while let Some((number, text)) = input.next()? {
        let Text::Line(line) = text else { continue };
        read += 1;
        let outcome = converter.line(line, &mut fields);
        match outcome.map_err(|problem| refusal(place, number, &problem))? {
            Outcome::OutOfScope => continue,
            Outcome::Rejected { keyed: false, .. } => {
                keyless += 1;
                continue;
            }
            Outcome::Typed { .. } | Outcome::Rejected { .. } => rows += 1,
        }
        fields.write(to).verdict(Verdict::Io)?;
    }
    to.write_all(&TRAILER).and_then(|()| to.flush()).verdict(Verdict::Io)?;
    let manifest = input.manifest.take().context("an export without a manifest")?;
    if manifest.rows != read {
        let place = place.data().display().to_string();
        return Err(anyhow!("{place} holds {read} records, its manifest promises {}", manifest.rows)
            .verdict(Verdict::Refused));
    }
    Ok(Keys { manifest, rows, keyless })
}

fn refusal(place: &Place, number: u64, problem: &NoRecord) -> anyhow::Error {
    let line = format!("line {number} column {}", problem.column);
    input::refusal(&place.data().display().to_string(), &line, &problem.problem)
}
