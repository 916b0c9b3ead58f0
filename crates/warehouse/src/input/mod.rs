//! Where records come from: standard input, a file, an export; NDJSON or CSV.

mod cells;
mod lines;

use anyhow::{Context, Result, anyhow};
use catalog::Resource;
use cells::Cells;
use exports::{Kind, Manifest, Place, Snapshot};
use lines::Lines;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use verdict::{Judge, Verdict};

/// Where the records of a load come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Standard input.
    Stdin(Form),
    /// A file.
    File(PathBuf, Form),
    /// The export of a place: the only source that may move the watermark and, when it is a full one, prune.
    Export(Place),
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Ndjson,
    /// A header with names of columns, then cells. A cell that is empty is null, in quotes or not.
    Csv,
}

impl Source {
    /// Its name, for messages and the record of the load.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin(_) => "stdin".to_owned(),
            Self::File(path, _) => path.display().to_string(),
            Self::Export(place) => place.data().display().to_string(),
        }
    }

    pub(crate) const fn form(&self) -> Form {
        match self {
            Self::Stdin(form) | Self::File(_, form) => *form,
            Self::Export(_) => Form::Ndjson,
        }
    }

    /// Whether it can be read a second time.
    pub(crate) const fn is_repeatable(&self) -> bool {
        !matches!(self, Self::Stdin(_))
    }
}

/// A source that was opened.
pub(crate) struct Input {
    /// What an export says of itself.
    pub(crate) manifest: Option<Manifest>,
    /// Its size, when it is at hand: it is read as fast as it can be.
    pub(crate) bytes: Option<u64>,
    records: Records,
}

/// One record, as it is written.
#[derive(Clone, Copy)]
pub(crate) enum Text<'i> {
    Line(&'i str),
    Cells(&'i Map<String, Value>),
}

impl Text<'_> {
    /// A line as it is written, cells as an object.
    pub(crate) fn to_json(self) -> serde_json::Result<String> {
        match self {
            Self::Line(line) => Ok(line.to_owned()),
            Self::Cells(cells) => serde_json::to_string(cells),
        }
    }
}

enum Records {
    Lines(Lines<Box<dyn Read + Send>>),
    Cells(Box<Cells>),
    None,
}

impl Input {
    /// Opens a source.
    ///
    /// # Errors
    /// [`Verdict::Io`] when it is not there or cannot be read, [`Verdict::Refused`] when its header fits no table.
    pub(crate) fn open(source: &Source, resource: &Resource) -> Result<Self> {
        let name = source.name();
        let (reader, manifest, bytes): (Box<dyn Read + Send>, _, _) = match source {
            Source::Stdin(_) => (Box::new(std::io::stdin()), None, None),
            Source::File(path, _) => {
                let file =
                    File::open(path).with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
                // A named pipe is no file that is at hand.
                let data = file.metadata().ok().filter(std::fs::Metadata::is_file);
                (Box::new(file), None, data.map(|data| data.len()))
            }
            Source::Export(place) => {
                let snapshot = Snapshot::open(place)?.with_context(|| absent(place)).verdict(Verdict::Io)?;
                let manifest = snapshot.manifest.clone();
                let bytes = manifest.bytes;
                (Box::new(snapshot.into_reader()), Some(manifest), Some(bytes))
            }
        };
        Ok(Self { manifest, bytes, ..Self::of(reader, name, source.form(), resource)? })
    }

    /// Records that somebody else has opened.
    ///
    /// # Errors
    /// [`Verdict::Refused`] when their header fits no table.
    pub(crate) fn of(
        reader: Box<dyn Read + Send>,
        name: String,
        form: Form,
        resource: &Resource,
    ) -> Result<Self> {
        let records = match form {
            Form::Ndjson => Records::Lines(Lines::new(reader, name)),
            Form::Csv => Records::Cells(Box::new(Cells::new(reader, name, resource)?)),
        };
        Ok(Self { records, ..Self::nothing() })
    }

    /// An input without records.
    pub(crate) const fn nothing() -> Self {
        Self { manifest: None, bytes: None, records: Records::None }
    }

    /// The next record and the number of its line, from 1.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Text<'_>)>> {
        match &mut self.records {
            Records::Lines(lines) => Ok(lines.next()?.map(|(number, line)| (number, Text::Line(line)))),
            Records::Cells(cells) => Ok(cells.next()?.map(|(number, cells)| (number, Text::Cells(cells)))),
            Records::None => Ok(None),
        }
    }
}

fn absent(place: &Place) -> String {
    format!(
        "{} is not there; fetch-cursus or fetch-users makes it{}",
        place.data().display(),
        match place.kind() {
            Kind::Full => " with --export",
            Kind::Changes => " with --since and --export",
        }
    )
}

/// A refusal of everything: the place, the problem, and that nothing happened.
pub(crate) fn refusal(name: &str, place: &str, problem: &str) -> anyhow::Error {
    anyhow!("{name} {place}: {problem}; nothing was written").verdict(Verdict::Refused)
}
