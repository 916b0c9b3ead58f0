//! A pile as lines of JSON: read with patience, replaced whole.

use super::open_if_there;
use super::ours;
use crate::intake;
use crate::item::Item;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use tool::{Judge, Verdict};

/// What stood in a file.
#[derive(Debug, Default)]
pub(super) struct Pile {
    path: PathBuf,
    /// In the order of the lines, doubles included.
    pub(super) items: Vec<Item>,
    /// Lines that are no items, as they stood.
    pub(super) rejected: Vec<Vec<u8>>,
    /// The file that was read, and how much of it.
    source: Option<(File, u64)>,
}

/// Reads a pile; one that is not there is empty.
pub(super) fn read(path: &Path) -> Result<Pile> {
    let mut pile = Pile { path: path.to_owned(), ..Pile::default() };
    pile.source = each(path, |line| match line {
        Ok(item) => pile.items.push(item),
        Err(line) => pile.rejected.push(line.to_owned()),
    })?;
    Ok(pile)
}

/// Shows the lines of a pile to `see`, one after the other: items, and what is none. Gives the file, and how much of it was
/// read; none when it is not there.
pub(super) fn each(path: &Path, mut see: impl FnMut(Result<Item, &[u8]>)) -> Result<Option<(File, u64)>> {
    scan(path, |line, written| {
        see(item(line, written).ok_or(line));
        ControlFlow::Continue(())
    })
}

/// The items of a pile that have one of these ids; no other line is understood, or kept. None when a line is no item.
pub(super) fn find(path: &Path, ids: &HashSet<i64>) -> Result<Option<Vec<Item>>> {
    let mut found = Some(Vec::new());
    scan(path, |line, written| {
        let line = line.trim_ascii();
        if ours::id(line).is_some_and(|id| !ids.contains(&id)) {
            return ControlFlow::Continue(());
        }
        match (item(line, written), &mut found) {
            (Some(item), Some(found)) => {
                if ids.contains(&item.id) {
                    found.push(item);
                }
                ControlFlow::Continue(())
            }
            _ => {
                found = None;
                ControlFlow::Break(())
            }
        }
    })?;
    Ok(found)
}

/// Shows the lines of a file that are not blank to `see`, with when the file was written, until it has seen enough. Gives the
/// file, and how much of it was read; none when it is not there.
fn scan(
    path: &Path,
    mut see: impl FnMut(&[u8], DateTime<Utc>) -> ControlFlow<()>,
) -> Result<Option<(File, u64)>> {
    let Some(file) = open_if_there(path)? else { return Ok(None) };
    let written = file.metadata().and_then(|data| data.modified()).map_or_else(|_| Utc::now(), Into::into);
    let mut file = BufReader::with_capacity(1 << 16, file);
    let (mut line, mut length) = (Vec::new(), 0);
    loop {
        line.clear();
        let here = || path.display().to_string();
        let read = file.read_until(b'\n', &mut line).with_context(here).verdict(Verdict::Io)?;
        length += read as u64;
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if read == 0 || (!text.trim_ascii().is_empty() && see(text, written).is_break()) {
            return Ok(Some((file.into_inner(), length)));
        }
    }
}

impl Pile {
    /// Whether the file says more than its items: broken lines or doubles.
    pub(super) fn is_untidy(&self) -> bool {
        let mut seen = HashSet::new();
        !self.rejected.is_empty() || !self.items.iter().all(|item| seen.insert(item.id))
    }

    /// Puts the lines that are no items into a file of their own, with a warning.
    pub(super) fn set_aside(&self) -> Result<()> {
        if self.rejected.is_empty() {
            return Ok(());
        }
        let aside = with_suffix(&self.path, ".rejected");
        let mut text = self.rejected.join(&b'\n');
        text.push(b'\n');
        append(&aside, &text)?;
        let (count, from) = (self.rejected.len(), self.path.display());
        log::warn!("{count} lines of {from} hold no user's id; they are in {} now", aside.display());
        Ok(())
    }

    /// What was appended to the file since it was read, by a script that knows no lock.
    fn appended(&self) -> std::io::Result<Vec<u8>> {
        let mut text = Vec::new();
        if let Some((file, length)) = &self.source {
            let mut file = file;
            file.seek(SeekFrom::Start(*length))?;
            file.read_to_end(&mut text)?;
        }
        Ok(text)
    }
}

/// An item of a line: of ours, or of the old pipeline, which knew ids and little else. An item without an instant was
/// added when the file was written.
fn item(line: &[u8], written: DateTime<Utc>) -> Option<Item> {
    ours::item(line).or_else(|| any_item(line, written))
}

fn any_item(line: &[u8], written: DateTime<Utc>) -> Option<Item> {
    let mut more: Map<String, Value> = match serde_json::from_slice(line).ok()? {
        Value::Object(map) => map,
        value @ (Value::Number(_) | Value::String(_)) => Map::from_iter([("id".to_owned(), value)]),
        _ => return None,
    };
    let id = ["id", "user_id"].into_iter().find_map(|key| more.get(key).and_then(intake::id_of))?;
    more.retain(|key, _| key != "id" && key != "user_id");
    let added = instant(&mut more, &["added", "added_at", "queued_at", "timestamp"]).unwrap_or(written);
    let text = |value: Value| value.as_str().map(str::to_owned);
    let number = |value: Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    Some(Item {
        id,
        reason: intake::reason(&more.remove("reason").and_then(text).unwrap_or_default()),
        added,
        due: instant(&mut more, &["due"]).unwrap_or(added),
        attempts: more.remove("attempts").and_then(number).unwrap_or(0),
        lost: more.remove("lost").and_then(number).unwrap_or(0),
        error: more.remove("error").and_then(text),
        lease: more.remove("lease").and_then(|lease| serde_json::from_value(lease).ok()),
        again: more.remove("again").is_some_and(|again| again == true),
        died: instant(&mut more, &["died"]),
        more,
    })
}

/// The first of these keys that holds an instant; what holds something else stays.
fn instant(more: &mut Map<String, Value>, keys: &[&str]) -> Option<DateTime<Utc>> {
    let found = keys.iter().find_map(|key| Some((*key, more.get(*key)?.as_str()?.parse().ok()?)));
    let (key, instant) = found?;
    more.remove(key);
    Some(instant)
}

/// Items as lines.
pub(super) fn text<'a>(items: impl IntoIterator<Item = &'a Item>) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for item in items {
        serde_json::to_writer(&mut text, item)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Replaces a pile: written aside, synced, renamed. What a script appended to the file meanwhile is taken along.
pub(super) fn replace<'a>(path: &Path, items: impl Iterator<Item = &'a Item>, read: &Pile) -> Result<()> {
    let aside = with_suffix(path, ".aside");
    let here = || path.display().to_string();
    let written = write_aside(&aside, items).and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        // A disk that is full needs the room.
        drop(fs::remove_file(&aside));
    }
    written.and_then(|()| sync_folder(path)).with_context(here).verdict(Verdict::Io)?;
    let late = read.appended().with_context(here).verdict(Verdict::Io)?;
    if late.is_empty() { Ok(()) } else { append(path, &late) }
}

fn write_aside<'a>(aside: &Path, items: impl Iterator<Item = &'a Item>) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(aside)?);
    let mut items: Vec<&Item> = items.collect();
    items.sort_by_key(|item| (item.added, item.id));
    for item in items {
        serde_json::to_writer(&mut file, item)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    file.get_ref().sync_all()
}

/// Adds lines to a file, all or none, and waits until they are on the disk. A line that a crash cut short is ended first.
pub(super) fn append(path: &Path, text: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let length = file.metadata()?.len();
        let mut last = [b'\n'];
        if length > 0 {
            file.seek(SeekFrom::Start(length - 1))?;
            file.read_exact(&mut last)?;
        }
        let gap: &[u8] = if last == [b'\n'] { b"" } else { b"\n" };
        let written = file.write_all(&[gap, text].concat()).and_then(|()| file.sync_all());
        written.inspect_err(|_| drop(file.set_len(length)))?;
        if is_new { sync_folder(path) } else { Ok(()) }
    };
    write().with_context(|| path.display().to_string()).verdict(Verdict::Io)
}

/// Removes a pile, if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed
            .and_then(|()| sync_folder(path))
            .with_context(|| path.display().to_string())
            .verdict(Verdict::Io),
    }
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn lines_of_the_old_pipeline_are_items() {
        let written = at("2025-12-13T08:00:00Z");
        let read = |line: &str| item(line.as_bytes(), written);
        assert_eq!(read("{\"id\": 123}").map(|item| (item.id, item.due)), Some((123, written)));
        assert_eq!(read("{\"user_id\": \"7\"}").unwrap().id, 7);
        assert_eq!(read("9").unwrap().id, 9);
        let old = read("{\"id\":5,\"timestamp\":\"2025-12-01T00:00:00Z\",\"source\":\"live\"}").unwrap();
        assert_eq!((old.added, &old.more["source"]), (at("2025-12-01T00:00:00Z"), &Value::from("live")));
        let again = serde_json::to_string(&old).unwrap();
        assert_eq!(read(&again), Some(old), "what was said besides is kept");
    }

    #[test]
    fn a_line_that_a_script_appends_meanwhile_is_kept() {
        let path = std::env::temp_dir().join(format!("backlog-lines-{}", std::process::id()));
        fs::write(&path, "{\"id\": 1}\n").unwrap();
        let pile = read(&path).unwrap();
        // The old way: no lock, one write a line.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"id\": 2}\n").unwrap();
        replace(&path, pile.items.iter(), &pile).unwrap();
        let found: Vec<i64> = read(&path).unwrap().items.iter().map(|item| item.id).collect();
        fs::remove_file(&path).unwrap();
        assert_eq!(found, [1, 2]);
    }

    #[test]
    fn broken_lines_are_none() {
        for line in
            ["{\"id\": }", "{\"id\":\"\"}", "{}", "[1]", "<html>", "{\"id\":-5}", "{\"id\":1e30}", "\u{0}"]
        {
            assert_eq!(item(line.as_bytes(), Utc::now()), None, "{line}");
        }
    }
}
