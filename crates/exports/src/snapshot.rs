//! An export that is there, read with its checksum watched.

use crate::{Manifest, Place};
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};
use verdict::{Judge, Verdict};

/// An export, opened. Its file stays readable while a newer one takes its place.
#[derive(Debug)]
pub struct Snapshot {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Where the data stands, for messages.
    pub path: PathBuf,
    file: File,
}

impl Snapshot {
    /// Opens the export of a place; none when it was never published.
    ///
    /// # Errors
    /// [`Verdict::Io`] when a file cannot be read, [`Verdict::Refused`] when no manifest fits the data.
    pub fn open(place: &Place) -> Result<Option<Self>> {
        let path = place.data();
        // Twice, because a writer may publish between our opening of the data and of its manifest.
        for _ in 0..2 {
            let Some(mut file) = existing(&path)? else { return Ok(None) };
            if let Some(manifest) = fitting(place, &mut file).with_context(|| path.display().to_string())? {
                return Ok(Some(Self { manifest, path, file }));
            }
        }
        let problem =
            format!("{} does not fit its manifest; fetch it again with --export --force", path.display());
        Err(anyhow!(problem).verdict(Verdict::Refused))
    }

    /// Whether it answers `query`, is complete, and its walk began no longer than `max_age` ago, so that fetching again is
    /// needless. By its end a walk of ten hours would still be fresh the next night.
    #[must_use]
    pub fn is_fresh(&self, query: &str, max_age: TimeDelta, now: DateTime<Utc>) -> bool {
        let age = now - self.manifest.started;
        // An age below zero is a clock that was set back: such an export would stay fresh for too long.
        self.manifest.complete && self.manifest.query == query && age >= TimeDelta::zero() && age < max_age
    }

    /// The data, from its start. Its end is an error when the bytes were not those the manifest promises.
    pub fn into_reader(self) -> impl Read + Send {
        Watched {
            file: self.file,
            path: self.path,
            digest: Some(Sha256::new()),
            sha256: self.manifest.sha256,
        }
    }
}

/// The manifest that describes the data of `file`, if one does.
///
/// Data and manifest are two files, so a writer may have been killed between its two renames. The manifest that was
/// due next is still there then, and the checksum tells which of the two is meant.
pub(crate) fn fitting(place: &Place, file: &mut File) -> Result<Option<Manifest>> {
    let bytes = file.metadata().verdict(Verdict::Io)?.len();
    let fits = |manifest: &Manifest| {
        let same_place = manifest.resource == place.resource() && manifest.scope == place.scope();
        manifest.bytes == bytes && manifest.kind == place.kind() && same_place
    };
    let current = read_manifest(&place.manifest())?.filter(fits);
    let next = read_manifest(&place.next_manifest())?.filter(fits);
    let Some(next) = next else { return Ok(current) };
    let digest = digest(file)?;
    file.rewind().verdict(Verdict::Io)?;
    Ok([current, Some(next)].into_iter().flatten().find(|manifest| manifest.sha256 == digest))
}

/// The file, or none when there is none.
pub(crate) fn existing(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()).verdict(Verdict::Io),
    }
}

/// A manifest that is missing or cannot be understood fits nothing.
fn read_manifest(path: &Path) -> Result<Option<Manifest>> {
    let Some(file) = existing(path)? else { return Ok(None) };
    let manifest = serde_json::from_reader(std::io::BufReader::new(file));
    if let Err(error) = &manifest {
        log::warn!("{}: {error}", path.display());
    }
    Ok(manifest.ok())
}

/// SHA-256 of the rest of a file, lower-case hexadecimal.
pub(crate) fn digest(file: &mut File) -> Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).verdict(Verdict::Io)?;
        if count == 0 {
            return Ok(hexadecimal(&digest.finalize()));
        }
        digest.update(&buffer[..count]);
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file whose bytes are hashed on their way.
struct Watched {
    file: File,
    path: PathBuf,
    /// None once the end was reached and found right.
    digest: Option<Sha256>,
    sha256: String,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count > 0 {
            if let Some(digest) = &mut self.digest {
                digest.update(&buffer[..count]);
            }
            return Ok(count);
        }
        let at_end = self.digest.take_if(|_| !buffer.is_empty());
        if at_end.is_some_and(|digest| hexadecimal(&digest.finalize()) != self.sha256) {
            let way_out =
                "was damaged: not the bytes its manifest promises; fetch it again with --export --force";
            return Err(std::io::Error::new(
                ErrorKind::InvalidData,
                format!("{} {way_out}", self.path.display()),
            ));
        }
        Ok(0)
    }
}
