//! Who is alive: each worker locks a file of its own, and the kernel lets go when it dies, however it dies.

use anyhow::{Context, Result};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use tool::{Judge, Verdict};

/// A worker's file, locked; gone with the worker.
#[derive(Debug)]
pub(super) struct Presence {
    path: PathBuf,
    _lock: File,
}

impl Presence {
    /// To be called under the lock of the backlog, so that nobody takes the file for one that was left behind.
    pub(super) fn announce(folder: &Path, owner: &str) -> Result<Self> {
        let path = file_of(folder, owner);
        let make = || -> std::io::Result<File> {
            forget_the_dead(folder)?;
            let lock = File::create(&path)?;
            lock.lock()?;
            Ok(lock)
        };
        let lock = make().with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // One that stays is forgotten by the next worker.
        drop(fs::remove_file(&self.path));
    }
}

/// Whether a worker holds its lock. Its leases are written after its lock is taken.
pub(super) fn lives(folder: &Path, owner: &str) -> bool {
    is_locked(&file_of(folder, owner))
}

fn is_locked(path: &Path) -> bool {
    // A file that cannot be looked at may be held: its leases end by the clock.
    match File::open(path) {
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

fn file_of(folder: &Path, owner: &str) -> PathBuf {
    folder.join(format!(".worker-{owner}"))
}

/// Removes the files of dead workers.
fn forget_the_dead(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".worker-"));
        if ours && !is_locked(&path) {
            drop(fs::remove_file(&path));
        }
    }
    Ok(())
}
