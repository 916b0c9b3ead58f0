//! One run of a job at a time on this host: a lock that the kernel gives back when its holder is gone, however it went.

use anyhow::{Context, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use verdict::{Judge, Verdict};

/// The right to be the job's only run here, held until it is dropped.
#[derive(Debug)]
pub struct Lease {
    name: String,
    host: String,
    /// Closing it gives the lock back.
    _file: File,
}

/// What became of asking for a lease.
#[derive(Debug)]
pub enum Held {
    /// It is ours.
    Ours(Lease),
    /// Another run of the job holds it.
    Taken,
}

impl Lease {
    /// Takes the lease of a job, without waiting for it.
    ///
    /// # Errors
    /// [`Verdict::Io`] when the lock cannot be made: without one, two could run at once.
    pub fn take(folder: &Path, job: &str) -> Result<Held> {
        let path = folder.join("jobs").join(format!("{job}.lock"));
        let open = || {
            std::fs::create_dir_all(folder.join("jobs"))?;
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            let metadata = file.metadata()?;
            match file.try_lock() {
                Ok(()) => Ok(Some((file, metadata.dev(), metadata.ino()))),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            }
        };
        let opened = open().with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
        let Some((file, device, inode)) = opened else { return Ok(Held::Taken) };
        let host = host();
        Ok(Held::Ours(Self { name: format!("{host}:{device}:{inode}"), host, _file: file }))
    }

    /// A name that only holders of this very lock share: `HOST:DEVICE:INODE`. Who holds the lease knows that a run which
    /// held one of this name is gone.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name of this host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Held, Lease};

    #[test]
    fn a_lease_is_held_once_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let Held::Ours(first) = Lease::take(folder.path(), "a").unwrap() else { panic!("taken") };
        assert!(matches!(Lease::take(folder.path(), "a").unwrap(), Held::Taken));
        assert!(matches!(Lease::take(folder.path(), "b").unwrap(), Held::Ours(_)));
        let name = first.name().to_owned();
        drop(first);
        let Held::Ours(second) = Lease::take(folder.path(), "a").unwrap() else { panic!("not given back") };
        assert_eq!(second.name(), name, "the lease of a job keeps its name");
    }
}
