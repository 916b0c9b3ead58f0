//! Small files that several processes share: read and replaced under a lock, never readable by others.

use anyhow::{Context, bail};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use verdict::{Judge, Verdict};

/// Pause between two tries to take a lock that somebody else holds.
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// A file `<name>-<key>.json` and its lock `<name>-<key>.lock`, in the state folder.
pub(crate) struct Shared {
    file: PathBuf,
    lock: PathBuf,
    patience: Duration,
}

/// The right to read and replace a shared file; ends when dropped, also by a kill.
pub(crate) struct Held<'shared> {
    shared: &'shared Shared,
    _lock: File,
}

impl Shared {
    /// Names the file of one root and application; `patience` bounds the wait for its lock.
    pub(crate) fn new(folder: &Path, name: &str, key: &str, patience: Duration) -> Self {
        Self { file: path(folder, name, key, "json"), lock: path(folder, name, key, "lock"), patience }
    }

    /// Takes the lock.
    ///
    /// # Errors
    ///
    /// [`Verdict::Busy`] when somebody holds it for too long, [`Verdict::Io`] when it cannot be opened.
    pub(crate) fn hold(&self) -> anyhow::Result<Held<'_>> {
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).mode(0o600).open(&self.lock);
        let lock = lock.with_context(|| self.lock.display().to_string()).verdict(Verdict::Io)?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Held { shared: self, _lock: lock }),
                Err(TryLockError::WouldBlock) if started.elapsed() < self.patience => {
                    thread::sleep(LOCK_PAUSE)
                }
                Err(TryLockError::WouldBlock) => return Err(self.stuck()).verdict(Verdict::Busy),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| self.lock.display().to_string()).verdict(Verdict::Io);
                }
            }
        }
    }

    fn stuck(&self) -> anyhow::Error {
        let seconds = self.patience.as_secs();
        anyhow::anyhow!(
            "{}: held by another process for {seconds} s; see `fuser` on that file",
            self.lock.display()
        )
    }
}

impl Held<'_> {
    /// What the file holds. `None`: there is none, or others could read it, so it is not to be trusted.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Vec<u8>>> {
        self.read_file().with_context(|| self.shared.file.display().to_string()).verdict(Verdict::Io)
    }

    /// Replaces the file, whole or not at all: written aside with mode 0600, put in its place. After a power cut it may be
    /// empty.
    pub(crate) fn replace(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let replaced = self.write_aside(bytes).and_then(|_| self.exchange());
        replaced.with_context(|| self.shared.file.display().to_string()).verdict(Verdict::Io)
    }

    /// As [`Held::replace`], and what was written survives a power cut.
    pub(crate) fn replace_durably(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let synced = self.write_aside(bytes).and_then(|file| Ok(file.sync_data()?));
        let replaced = synced.and_then(|()| self.put_in_place());
        replaced.with_context(|| self.shared.file.display().to_string()).verdict(Verdict::Io)
    }

    /// Removes the file; says whether there was one.
    pub(crate) fn remove(&self) -> anyhow::Result<bool> {
        match fs::remove_file(&self.shared.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            removed => removed
                .map(|()| true)
                .with_context(|| self.shared.file.display().to_string())
                .verdict(Verdict::Io),
        }
    }

    fn read_file(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let read = read_private(&self.shared.file)?;
        if matches!(read, Private::Exposed) {
            log::warn!("{}: others could read it, so it is made anew", self.shared.file.display());
        }
        Ok(read.bytes())
    }

    fn write_aside(&self, bytes: &[u8]) -> anyhow::Result<File> {
        // One name for all: the lock is held, and a leftover of a killed process goes away here.
        let aside = self.aside();
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != ErrorKind::NotFound => bail!(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Puts what was written aside in place of the file, and removes that. What is renamed over another file, ext4 writes
    /// out at once, and so a call would wait, on a busy disk up to 0.2 s; what is exchanged for it, is not.
    fn exchange(&self) -> anyhow::Result<()> {
        let aside = self.aside();
        match renameat_with(CWD, &aside, CWD, &self.shared.file, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(fs::remove_file(aside)?),
            // There is no file yet, or the file system cannot do it.
            Err(Errno::NOENT | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.put_in_place(),
            Err(error) => Err(error.into()),
        }
    }

    fn put_in_place(&self) -> anyhow::Result<()> {
        Ok(fs::rename(self.aside(), &self.shared.file)?)
    }

    fn aside(&self) -> PathBuf {
        self.shared.file.with_extension("new")
    }
}

/// A file that nobody else may read.
pub(crate) enum Private {
    Absent,
    /// Others could read it, so it is not to be trusted.
    Exposed,
    Bytes(Vec<u8>),
}

impl Private {
    pub(crate) fn bytes(self) -> Option<Vec<u8>> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// Reads a file that nobody else may read.
pub(crate) fn read_private(path: &Path) -> std::io::Result<Private> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Private::Absent),
        opened => opened?,
    };
    if file.metadata()?.mode() & 0o077 != 0 {
        return Ok(Private::Exposed);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    // A power cut may leave it so.
    Ok(if bytes.is_empty() { Private::Absent } else { Private::Bytes(bytes) })
}

/// Makes the state folder, readable by nobody else.
pub(crate) fn prepare(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| {
        format!("{}: the state folder cannot be made; STATE_DIR names another", folder.display())
    })
    .verdict(Verdict::Io)
}

/// The path of a shared file, or of its lock.
pub(crate) fn path(folder: &Path, name: &str, key: &str, ending: &str) -> PathBuf {
    folder.join(format!("{name}-{key}.{ending}"))
}

/// The only key that the files of a folder have; `None` when there are none.
pub(crate) fn only_key(folder: &Path) -> anyhow::Result<Option<String>> {
    let context = || folder.display().to_string();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.with_context(context).verdict(Verdict::Io)?,
    };
    let mut keys = BTreeSet::new();
    for entry in entries {
        let name = entry.with_context(context).verdict(Verdict::Io)?.file_name();
        let key = name.to_str().and_then(|name| name.strip_prefix("pace-")?.strip_suffix(".json"));
        keys.extend(key.map(str::to_owned));
    }
    if keys.len() > 1 {
        let error = anyhow::anyhow!("{}: several applications have state there; set CLIENT_ID", context());
        return Err(error).verdict(Verdict::Config);
    }
    Ok(keys.pop_first())
}

/// Names what belongs to one application at one root, without naming either.
pub(crate) fn key(root: &str, client_id: &str) -> String {
    let digest = Sha256::digest(format!("{root}\n{client_id}"));
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
