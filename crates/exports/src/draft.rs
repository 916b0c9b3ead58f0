//! An export that is being written: aside, then put in place with its manifest, whole or not at all.

use crate::snapshot::{digest, existing, fitting};
use crate::{Kind, Manifest, Place, Window};
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, Utc};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use verdict::{Judge, Verdict};

/// What its writer knows of an export; bytes, rows, checksum and time are measured.
#[derive(Clone, Debug)]
pub struct Facts {
    /// As in [`Manifest`].
    pub kind: Kind,
    /// As in [`Manifest`].
    pub complete: bool,
    /// As in [`Manifest`].
    pub total: Option<u64>,
    /// As in [`Manifest`].
    pub unresolved: u64,
    /// As in [`Manifest`].
    pub query: String,
    /// As in [`Manifest`].
    pub calls: u64,
    /// As in [`Manifest`].
    pub retries: u64,
    /// As in [`Manifest`].
    pub throttled: u64,
    /// As in [`Manifest`].
    pub started: DateTime<Utc>,
    /// As in [`Manifest`].
    pub window: Option<Window>,
}

/// An export that is being written, by one process at a time.
#[derive(Debug)]
pub struct Draft {
    place: Place,
    part: BufWriter<File>,
    /// Held until the draft is dropped; the kernel releases it when the process dies, however it dies.
    _lock: File,
}

impl Draft {
    /// Starts an empty draft of a place, in the folder that is made for it.
    ///
    /// # Errors
    /// [`Verdict::Busy`] when another process writes there, [`Verdict::Io`] when the folder cannot be written.
    pub fn open(place: &Place) -> Result<Self> {
        Self::resume(place, || Ok(0))
    }

    /// Starts a draft that keeps the first bytes of what an earlier one left: as many as `kept` says, which is asked
    /// when nobody else can write there any more.
    pub(crate) fn resume(place: &Place, kept: impl FnOnce() -> Result<u64>) -> Result<Self> {
        let here = || place.folder().display().to_string();
        // What is in there is about people: not for everybody on this machine.
        let made = DirBuilder::new().recursive(true).mode(0o750).create(place.folder());
        made.with_context(here).verdict(Verdict::Io)?;
        let lock = lock(place)?;
        settle(place).with_context(here).verdict(Verdict::Io)?;
        let kept = kept()?;
        let part = open_part(&place.part(), kept).with_context(here).verdict(Verdict::Io)?;
        Ok(Self { place: place.clone(), part: BufWriter::new(part), _lock: lock })
    }

    /// Adds a record: one line of JSON without line breaks.
    ///
    /// # Errors
    /// [`Verdict::Io`] when the disk is full.
    pub fn write(&mut self, record: &str) -> Result<()> {
        self.part
            .write_all(record.as_bytes())
            .and_then(|()| self.part.write_all(b"\n"))
            .map_err(|e| self.place_of(e))
    }

    /// Makes what was written survive a crash, and says how many bytes the draft holds.
    ///
    /// # Errors
    /// As [`Draft::write`].
    pub fn sync(&mut self) -> Result<u64> {
        let written = self.part.flush().and_then(|()| self.part.get_ref().sync_data());
        written.and_then(|()| self.part.stream_position()).map_err(|error| self.place_of(error))
    }

    /// Puts the draft in place of the export before it, with its manifest.
    ///
    /// # Errors
    /// [`Verdict::Io`]; the export before it is still there then.
    pub fn publish(mut self, facts: Facts) -> Result<Manifest> {
        self.sync()?;
        let place = self.place.clone();
        let here = || place.folder().display().to_string();
        let manifest = describe(&place, facts).with_context(here).verdict(Verdict::Io)?;
        put_in_place(&place, &place.part(), &manifest).with_context(here).verdict(Verdict::Io)?;
        Ok(manifest)
    }

    fn place_of(&self, error: std::io::Error) -> anyhow::Error {
        anyhow::Error::from(error).context(self.place.part().display().to_string()).verdict(Verdict::Io)
    }
}

pub(crate) fn lock(place: &Place) -> Result<File> {
    let path = place.lock();
    let shown = || path.display().to_string();
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let lock = lock.with_context(shown).verdict(Verdict::Io)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(anyhow!("{} is being written by another process", place.folder().display())
                .verdict(Verdict::Busy))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(shown).verdict(Verdict::Io),
    }
}

/// Finishes or forgets what a writer that was killed between its two renames left.
pub(crate) fn settle(place: &Place) -> Result<()> {
    if !place.next_manifest().exists() {
        return Ok(());
    }
    let manifest = existing(&place.data())?.map(|mut file| fitting(place, &mut file)).transpose()?.flatten();
    let next = fs::read(place.next_manifest())?;
    let is_next =
        manifest.is_some_and(|manifest| serde_json::from_slice(&next).is_ok_and(|next| manifest == next));
    if is_next {
        fs::rename(place.next_manifest(), place.manifest())?;
    } else {
        fs::remove_file(place.next_manifest())?;
    }
    Ok(())
}

fn open_part(path: &Path, kept: u64) -> std::io::Result<File> {
    let mut part = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    part.set_len(kept)?;
    part.seek(SeekFrom::End(0))?;
    Ok(part)
}

fn describe(place: &Place, facts: Facts) -> Result<Manifest> {
    let text = File::open(place.part())?;
    let rows = std::io::BufRead::split(std::io::BufReader::new(&text), b'\n').count() as u64;
    let mut text = text;
    text.rewind()?;
    Ok(Manifest {
        resource: place.resource().to_owned(),
        scope: place.scope(),
        kind: facts.kind,
        complete: facts.complete,
        rows,
        total: facts.total,
        unresolved: facts.unresolved,
        bytes: text.metadata()?.len(),
        sha256: digest(&mut text)?,
        query: facts.query,
        calls: facts.calls,
        retries: facts.retries,
        throttled: facts.throttled,
        started: facts.started,
        finished: Utc::now(),
        window: facts.window,
    })
}

/// Makes a text the export of a place.
///
/// The order of these steps is the promise: whoever is killed between two of them leaves data that one of the two
/// manifests describes.
pub(crate) fn put_in_place(place: &Place, text: &Path, manifest: &Manifest) -> Result<()> {
    let mut next = serde_json::to_vec_pretty(manifest)?;
    next.push(b'\n');
    write_durably(&place.next_manifest(), &next)?;
    fs::rename(text, place.data())?;
    fs::rename(place.next_manifest(), place.manifest())?;
    if place.kind() == Kind::Full {
        let epoch = format!("{}\n", manifest.finished.timestamp());
        replace(&place.folder().join(".last_fetch_epoch"), epoch.as_bytes())?;
    }
    File::open(place.folder())?.sync_all()?;
    Ok(())
}

pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a small file aside and renames it: whole or absent.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let aside = path.with_extension("aside");
    write_durably(&aside, bytes)?;
    fs::rename(aside, path)
}
