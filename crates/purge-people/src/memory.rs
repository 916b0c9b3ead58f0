//! The tombstones as a file beside the backups: what was erased stays so when the database is lost, or put back to what it
//! was.

use anyhow::{Context, Result, anyhow};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tool::{Judge, Verdict};
use warehouse::erase::Tombstone;

/// Pause between two looks whether a lock is free.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// The file, held by one process at a time, and with it the whole tool.
pub(crate) struct Memory {
    path: PathBuf,
    /// What stands in it.
    pub(crate) known: Vec<Tombstone>,
    _lock: File,
}

impl Memory {
    /// Waits for its turn and reads the file; one that is not there is empty.
    ///
    /// # Errors
    /// [`Verdict::Busy`] when others have it for too long, [`Verdict::Io`] when it cannot be read, [`Verdict::Refused`] when
    /// a line of it is no tombstone.
    pub(crate) fn open(patience: Duration) -> Result<Self> {
        let named = std::env::var_os("BACKUPS_DIR").filter(|name| !name.is_empty());
        let folder = named.map_or_else(|| PathBuf::from("backups"), PathBuf::from);
        let here = || folder.display().to_string();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(here)
            .verdict(Verdict::Io)?;
        let path = folder.join("tombstones.lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
        let lock = lock.with_context(here).verdict(Verdict::Io)?;
        wait_for(&lock, patience)?;
        let path = folder.join("tombstones.ndjson");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| path.display().to_string()).verdict(Verdict::Io)?,
        };
        let known = parse(&text).with_context(|| path.display().to_string())?;
        Ok(Self { path, known, _lock: lock })
    }

    /// Replaces the file, when it says something else.
    ///
    /// # Errors
    /// [`Verdict::Io`], and then it is what it was.
    pub(crate) fn write(&self, tombstones: &[Tombstone]) -> Result<()> {
        if self.known == tombstones {
            return Ok(());
        }
        let mut text = String::new();
        for tombstone in tombstones {
            text.push_str(&serde_json::to_string(tombstone)?);
            text.push('\n');
        }
        let aside = self.path.with_extension("aside");
        let write = || -> std::io::Result<()> {
            let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&aside);
            let mut file = file?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&aside, &self.path)?;
            self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        write().with_context(|| self.path.display().to_string()).verdict(Verdict::Io)
    }
}

fn wait_for(lock: &File, patience: Duration) -> Result<()> {
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if began.elapsed() >= patience => {
                return Err(anyhow!("another purge-people is at work").verdict(Verdict::Busy));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(error).verdict(Verdict::Io),
        }
    }
}

/// Each person once, as was decided last; by id, as the table gives them.
fn parse(text: &str) -> Result<Vec<Tombstone>> {
    let mut known = std::collections::BTreeMap::<i64, Tombstone>::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let tombstone: Tombstone = serde_json::from_str(line)
            .with_context(|| format!("line {}", number + 1))
            .verdict(Verdict::Refused)?;
        let is_newer = |other: &Tombstone| other.decided() < tombstone.decided();
        if known.get(&tombstone.user_id).is_none_or(is_newer) {
            known.insert(tombstone.user_id, tombstone);
        }
    }
    Ok(known.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_lines_about_one_person_the_later_decision_counts() {
        let lifted = r#"{"user_id":7,"erased_at":"2026-01-01T00:00:00.000001Z","why":"due","lifted_at":"2026-02-01T00:00:00Z"}"#;
        let erased = r#"{"user_id":7,"erased_at":"2026-01-15T00:00:00Z","why":"request","lifted_at":null}"#;
        for text in [format!("{lifted}\n{erased}\n"), format!("\n{erased}\n{lifted}\n")] {
            let known = parse(&text).unwrap();
            assert_eq!(serde_json::to_string(&known[0]).unwrap(), lifted);
            assert_eq!(known.len(), 1);
        }
        let error = parse(&format!("{erased}\n{{}}\n")).unwrap_err();
        assert!(format!("{error:#}").starts_with("line 2: missing field `user_id`"), "{error:#}");
    }
}
