//! The files below `EXPORTS_DIR`: exports, interrupted walks, and what was learnt of people beside them.

use crate::memory::PAUSE;
use crate::report::Report;
use crate::traces::{Traces, id_at};
use anyhow::{Context, Result};
use catalog::{Catalog, Resource};
use exports::{Fate, Place, Rewritten};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tool::{Judge, Progress, Verdict};

/// Every place that something of the catalog was exported to.
pub(crate) struct Folders<'a> {
    root: PathBuf,
    places: Vec<(&'a Resource, Place)>,
}

/// Whether files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As far as is needed.
    Rewrite,
    /// Not at all; it is only counted what would be done.
    Count,
}

impl<'a> Folders<'a> {
    /// Looks for them.
    ///
    /// # Errors
    /// [`Verdict::Io`] when a folder cannot be read.
    pub(crate) fn find(catalog: &'a Catalog) -> Result<Self> {
        let root = Place::root();
        let mut places = Vec::new();
        for resource in catalog.resources() {
            let found = Place::found(&root, &resource.file)?.into_iter();
            places.extend(found.filter(|place| place.folder().is_dir()).map(|place| (resource, place)));
        }
        Ok(Self { root, places })
    }

    /// Takes people out of all files. What goes wrong in one place does not stop the others.
    pub(crate) fn sweep(&self, traces: &Traces<'_>, mode: Mode, patience: Duration, report: &mut Report) {
        let progress = Progress::new("exports", "files");
        progress.total(self.places.len() as u64);
        for (done, (resource, place)) in self.places.iter().enumerate() {
            let mut judge = |line: &str| traces.fate(resource, line);
            let swept = match mode {
                Mode::Count => [place.data(), place.part()]
                    .iter()
                    .try_fold(Rewritten::default(), |swept, path| count(path, swept, &mut judge)),
                Mode::Rewrite => waiting(patience, || place.rewrite(&mut judge)),
            };
            report.swept(&place.data(), swept);
            if place.kind() == exports::Kind::Full {
                let notes = place.looked_up();
                let mut judge =
                    |line: &str| if is_note_about(traces, line) { Fate::Drop } else { Fate::Keep };
                let swept = match mode {
                    Mode::Count => count(&notes, Rewritten::default(), &mut judge),
                    Mode::Rewrite => place.rewrite_looked_up(&mut judge),
                };
                report.swept(&notes, swept);
            }
            progress.done(done as u64 + 1);
        }
        match self.strangers() {
            Ok(files) => report.unknown_files = files,
            Err(error) => report.trouble(error),
        }
    }

    /// Gives all that stands in files about the people of `traces`, with its place.
    ///
    /// # Errors
    /// [`Verdict::Io`] when a file cannot be read, and those of `give`.
    pub(crate) fn held(&self, traces: &Traces<'_>, give: &mut dyn FnMut(Value) -> Result<()>) -> Result<()> {
        for (resource, place) in &self.places {
            for path in [place.data(), place.part()] {
                each_line(&path, &mut |line| {
                    if !traces.mentions(line) {
                        return Ok(());
                    }
                    let record = serde_json::from_str(line).unwrap_or_else(|_| Value::from(line));
                    let mut found = Vec::new();
                    if traces.is_about(resource, line) {
                        found.push(&record);
                    } else if let Value::Object(members) = &record {
                        members.values().for_each(|member| traces.within(member, &mut found));
                    }
                    let path = path.display().to_string();
                    found.into_iter().try_for_each(|record| give(json!({"place": path, "record": record})))
                })?;
            }
            let notes = place.looked_up();
            if place.kind() == exports::Kind::Full {
                each_line(&notes, &mut |line| {
                    let note: Option<Value> =
                        serde_json::from_str(line).ok().filter(|_| is_note_about(traces, line));
                    let place = notes.display().to_string();
                    note.map_or(Ok(()), |note| give(json!({"place": place, "record": note})))
                })?;
            }
        }
        Ok(())
    }

    /// Files that no resource of the catalog accounts for: nobody knows what is in them.
    fn strangers(&self) -> Result<Vec<String>> {
        let mut strangers = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let here = || folder.display().to_string();
            let entries = match folder.read_dir() {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                entries => entries.with_context(here).verdict(Verdict::Io)?,
            };
            for entry in entries {
                let path = entry.with_context(here).verdict(Verdict::Io)?.path();
                let is_folder = fs::symlink_metadata(&path).is_ok_and(|data| data.is_dir());
                if is_folder {
                    folders.push(path);
                } else if !self.accounts_for(&path) {
                    strangers.push(path.display().to_string());
                }
            }
        }
        strangers.sort_unstable();
        Ok(strangers)
    }

    fn accounts_for(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.split('.').next().unwrap_or_default();
        let is_place = self.places.iter().any(|(_, place)| Some(place.folder()) == path.parent());
        match stem {
            // Marks of ours, which hold a number or a word.
            "" => true,
            "all" | "changes" | "looked_up" => is_place,
            _ => name == "README.md",
        }
    }
}

/// Tries again while another process writes there.
fn waiting<T>(patience: Duration, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match attempt() {
            Err(error) if Verdict::of(&error) == Verdict::Busy && began.elapsed() < patience => {
                std::thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

fn is_note_about(traces: &Traces<'_>, line: &str) -> bool {
    traces.mentions(line) && id_at(line, "/id").is_some_and(|id| traces.has(id))
}

fn count(path: &Path, counted: Rewritten, judge: &mut dyn FnMut(&str) -> Fate) -> Result<Rewritten> {
    let Rewritten { mut dropped, mut replaced } = counted;
    each_line(path, &mut |line| {
        match judge(line) {
            Fate::Keep => {}
            Fate::Drop => dropped += 1,
            Fate::Replace(_) => replaced += 1,
        }
        Ok(())
    })?;
    Ok(Rewritten { dropped, replaced })
}

/// Gives each line of a file; of one that is not there, none.
fn each_line(path: &Path, give: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let here = || path.display().to_string();
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file.with_context(here).verdict(Verdict::Io)?,
    };
    for line in BufReader::with_capacity(1 << 18, file).split(b'\n') {
        let line = line.with_context(here).verdict(Verdict::Io)?;
        give(&String::from_utf8_lossy(&line))?;
    }
    Ok(())
}
