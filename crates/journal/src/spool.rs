//! Snapshots that wait for the database: a file of lines that any process appends to.

use crate::snapshot::Snapshot;
use anyhow::{Context, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use verdict::{Judge, Verdict};

/// `job_events.ndjson` in the folder of the monitor: one [`Snapshot`] a line.
///
/// What is replayed is first renamed to `job_events.replaying.ndjson` and removed when all of it is dealt with, so that
/// nobody who appends has to wait for the database, and a replay that is killed is done again.
#[derive(Clone, Debug)]
pub struct Spool {
    path: PathBuf,
}

impl Spool {
    /// The spool of a folder, which need not be there yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join("job_events.ndjson") }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether anything waits in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let holds = |path: &Path| std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0);
        !holds(&self.path) && !holds(&self.replaying())
    }

    /// Appends a snapshot, on the disk when this returns.
    ///
    /// # Errors
    /// [`Verdict::Io`], with the place.
    pub fn append(&self, snapshot: &Snapshot) -> Result<()> {
        let line = serde_json::to_string(snapshot)?;
        let append = || {
            let _lock = self.lock()?;
            let mut file = open(&self.path)?;
            // A line that was cut by a kill ends here, and spoils only itself.
            let cut = file.seek(SeekFrom::End(0))? > 0 && last_byte(&mut file)? != b'\n';
            file.write_all(format!("{}{line}\n", if cut { "\n" } else { "" }).as_bytes())?;
            file.sync_data()
        };
        append().with_context(|| self.place()).verdict(Verdict::Io)
    }

    /// Gives what waits to `each` and takes it away; lines that `each` gives back are set aside in
    /// `job_events.refused.ndjson`. Does nothing while another process is at it.
    ///
    /// # Errors
    /// Those of `each`: then everything stays. [`Verdict::Io`], with the place.
    pub(crate) fn drain(&self, mut each: impl FnMut(&str) -> Result<Vec<String>>) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let io = |result: io::Result<bool>| result.with_context(|| self.place()).verdict(Verdict::Io);
        let turn = open(&self.path.with_extension("replay.lock"));
        let turn = turn.with_context(|| self.place()).verdict(Verdict::Io)?;
        match turn.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return io(Err(error)).map(drop),
        }
        while io(self.put_by())? {
            let mut bytes = Vec::new();
            io(open(&self.replaying()).and_then(|mut file| file.read_to_end(&mut bytes)).map(|_| true))?;
            let refused = each(&String::from_utf8_lossy(&bytes))?;
            io(self.done(&refused).map(|()| true))?;
        }
        Ok(())
    }

    /// Moves what waits to where it is replayed from; says whether anything is there.
    fn put_by(&self) -> io::Result<bool> {
        let replaying = self.replaying();
        if replaying.exists() {
            return Ok(true);
        }
        let _lock = self.lock()?;
        if !self.path.exists() {
            return Ok(false);
        }
        std::fs::rename(&self.path, replaying)?;
        Ok(true)
    }

    fn done(&self, refused: &[String]) -> io::Result<()> {
        if !refused.is_empty() {
            let mut aside = open(&self.path.with_extension("refused.ndjson"))?;
            aside.write_all(format!("{}\n", refused.join("\n")).as_bytes())?;
            aside.sync_data()?;
        }
        std::fs::remove_file(self.replaying())
    }

    fn replaying(&self) -> PathBuf {
        self.path.with_extension("replaying.ndjson")
    }

    fn lock(&self) -> io::Result<File> {
        let lock = open(&self.path.with_extension("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

fn last_byte(file: &mut File) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}
