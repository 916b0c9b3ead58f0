//! What is remembered between two looks: how each condition stands, and the messages that are not delivered yet.

use super::conditions::{Condition, State};
use super::delivery::Channel;
use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use tool::{Judge, Verdict};

/// Messages that wait at most: who cannot be reached for weeks needs no more of them.
const MOST: usize = 100;

/// The ledger's content.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) conditions: BTreeMap<Condition, State>,
    /// In the order in which they are to be delivered.
    pub(crate) outbox: Vec<Letter>,
}

/// A message, and whom it has not reached.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) message: Value,
    pub(crate) to: Vec<Channel>,
}

/// The file of the ledger, ours alone while this lives.
pub(crate) struct Ledger {
    path: PathBuf,
    _lock: File,
    pub(crate) page: Page,
}

impl Ledger {
    /// Opens it.
    ///
    /// # Errors
    /// [`Verdict::Busy`] while another one is at it; [`Verdict::Io`] when it cannot be read or written.
    pub(crate) fn open() -> Result<Self> {
        let folder = journal::folder();
        let path = folder.join("integrity_alerts.json");
        let lock = || -> std::io::Result<Option<File>> {
            fs::create_dir_all(&folder)?;
            let file = folder.join("integrity_alerts.lock");
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file)?;
            match file.try_lock() {
                Ok(()) => Ok(Some(file)),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            }
        };
        let lock = lock().with_context(|| path.display().to_string()).verdict(Verdict::Io)?;
        let busy = || anyhow!("another alert is on its way").verdict(Verdict::Busy);
        let lock = lock.ok_or_else(busy)?;
        let page = match fs::read(&path) {
            // One that was damaged from outside is begun anew: an alert may come twice by that, none is lost.
            Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
                log::warn!("{}: {error}; begun anew", path.display());
                Page::default()
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Page::default(),
            Err(error) => return Err(error).with_context(|| path.display().to_string()).verdict(Verdict::Io),
        };
        Ok(Self { path, _lock: lock, page })
    }

    /// Puts a message where it waits for its delivery.
    pub(crate) fn post(&mut self, message: Value, to: Vec<Channel>) {
        if !to.is_empty() {
            self.page.outbox.push(Letter { message, to });
        }
        while self.page.outbox.len() > MOST {
            let letter = self.page.outbox.remove(0);
            log::error!("an alert was never delivered and is dropped: {}", letter.message["text"]);
        }
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self) -> Result<()> {
        let aside = self.path.with_extension("json.new");
        let write = || -> std::io::Result<()> {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(&serde_json::to_vec(&self.page)?)?;
            file.sync_all()?;
            fs::rename(&aside, &self.path)
        };
        write().with_context(|| self.path.display().to_string()).verdict(Verdict::Io)
    }
}
