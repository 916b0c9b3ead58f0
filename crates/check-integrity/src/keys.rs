//! The keys of an export, kept beside it in the logs' folder: an export of gigabytes is read once, not every five minutes.
//!
//! What is kept belongs to one file of the host, told by its inode, size and times, and to the checksum of its manifest: of
//! any other file the keys are read anew, and its checksum is watched. They are keys, and nothing else of a record.

use anyhow::{Context, Result};
use catalog::Resource;
use exports::{Manifest, Place};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tool::{Judge, Verdict};
use warehouse::{Keys, write_keys};

/// Where the keys begin in the file: before them is what they belong to, as JSON.
const HEAD: usize = 4096;

/// What kept keys belong to.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    sha256: String,
    /// Device, inode, size, time of change of the NDJSON file.
    file: String,
    /// What the catalog wants of a record.
    columns: String,
    rows: u64,
    keyless: u64,
}

/// Whether anything may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    Allowed,
    /// A dry run leaves no trace.
    Nothing,
}

/// Keys of an export, to be sent to the database.
pub(crate) struct Kept {
    pub(crate) rows: u64,
    /// Records whose key cannot be read.
    pub(crate) keyless: u64,
    pub(crate) reader: Box<dyn Read>,
}

/// The columns that the keys consist of, as `CREATE TABLE` takes them.
pub(crate) fn columns(resource: &Resource) -> String {
    let columns = warehouse::key_columns(resource);
    let columns = columns.map(|column| format!("{} {}", warehouse::quoted(&column.name), column.kind));
    columns.collect::<Vec<_>>().join(", ")
}

/// The keys of a full export: those that are kept, or else read anew, and kept.
///
/// # Errors
/// As [`write_keys`].
pub(crate) fn open(
    resource: &Resource,
    place: &Place,
    manifest: &Manifest,
    writing: Writing,
) -> Result<Kept> {
    let cursus = manifest.scope.cursus.map_or_else(String::new, |cursus| format!(".cursus_{cursus}"));
    let path = folder().join(format!("{}{cursus}.keys", resource.file));
    let wanted = |keys: u64, keyless: u64| -> Result<Head> {
        Ok(Head {
            sha256: manifest.sha256.clone(),
            file: identity(&place.data())?,
            columns: format!("{} {:?}", columns(resource), resource.scope),
            rows: keys,
            keyless,
        })
    };
    if let Some((head, reader)) = kept(&path)
        && head == wanted(head.rows, head.keyless)?
    {
        return Ok(Kept { rows: head.rows, keyless: head.keyless, reader: Box::new(reader) });
    }
    if writing == Writing::Nothing {
        return pass(resource, place);
    }
    // Before it is read, so that one that takes its place meanwhile is told from it.
    let before = wanted(0, 0)?;
    match keep(resource, place, &path, before) {
        Ok(kept) => Ok(kept),
        Err(error) if Verdict::of(&error) == Verdict::Refused => Err(error),
        Err(error) => {
            log::warn!("keys are not kept: {error:#}");
            pass(resource, place)
        }
    }
}

/// Reads the keys into a file that nobody else sees.
fn pass(resource: &Resource, place: &Place) -> Result<Kept> {
    let path = std::env::temp_dir().join(format!(".check-integrity.{}", std::process::id()));
    let mut file = create(&path).with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
    fs::remove_file(&path).verdict(Verdict::Io)?;
    let keys = fill(resource, place, &mut file)?;
    file.rewind().verdict(Verdict::Io)?;
    Ok(Kept { rows: keys.rows, keyless: keys.keyless, reader: Box::new(file) })
}

fn keep(resource: &Resource, place: &Place, path: &Path, head: Head) -> Result<Kept> {
    let aside = path.with_extension("new");
    let write = || -> Result<Kept> {
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).verdict(Verdict::Io)?;
        }
        let mut file = create(&aside).verdict(Verdict::Io)?;
        file.seek(SeekFrom::Start(HEAD as u64)).verdict(Verdict::Io)?;
        let keys = fill(resource, place, &mut file)?;
        let head = Head { rows: keys.rows, keyless: keys.keyless, sha256: keys.manifest.sha256, ..head };
        let mut text = serde_json::to_vec(&head)?;
        anyhow::ensure!(text.len() <= HEAD, "the catalog's columns are too many");
        text.resize(HEAD, b'\n');
        file.rewind().and_then(|()| file.write_all(&text)).verdict(Verdict::Io)?;
        fs::rename(&aside, path).verdict(Verdict::Io)?;
        file.seek(SeekFrom::Start(HEAD as u64)).verdict(Verdict::Io)?;
        Ok(Kept { rows: head.rows, keyless: head.keyless, reader: Box::new(file) })
    };
    let written = write();
    if written.is_err() {
        drop(fs::remove_file(&aside));
    }
    written.with_context(|| path.display().to_string())
}

fn fill(resource: &Resource, place: &Place, file: &mut File) -> Result<Keys> {
    let mut writer = BufWriter::with_capacity(1 << 17, file);
    let keys = write_keys(resource, place, &mut writer)?;
    writer.flush().verdict(Verdict::Io)?;
    Ok(keys)
}

fn create(path: &Path) -> std::io::Result<File> {
    drop(fs::remove_file(path));
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// What is kept in a file, if it can be understood.
fn kept(path: &Path) -> Option<(Head, BufReader<File>)> {
    let mut reader = BufReader::with_capacity(1 << 17, File::open(path).ok()?);
    let mut head = vec![0; HEAD];
    reader.read_exact(&mut head).ok()?;
    Some((serde_json::from_slice(&head).ok()?, reader))
}

fn identity(path: &Path) -> Result<String> {
    let data = fs::metadata(path).with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
    Ok(format!("{}:{}:{}:{}.{}", data.dev(), data.ino(), data.size(), data.mtime(), data.mtime_nsec()))
}

/// The folder that keys are kept in.
fn folder() -> PathBuf {
    journal::folder().join("integrity")
}
