//! What --write-metrics leaves behind: `LOGS_DIR/metrics_latest.json`, and what is news in it in the log of alerts.

use crate::alert_log::{self, Comparison};
use crate::alerts::{self, Alert};
use crate::files;
use crate::measure::Measured;
use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use tool::{Judge, Verdict};

/// Pause between two tries to take the lock.
const PAUSE: Duration = Duration::from_millis(20);

/// Longer than any look of another writer.
const LONGEST: Duration = Duration::from_secs(30);

/// The right to write both; ends when dropped, also by a kill. It is taken before anything is measured, so that what is
/// written last was measured last.
pub(crate) struct MetricsFile {
    folder: PathBuf,
    _lock: File,
}

/// What an earlier file says of alerts.
#[derive(Deserialize)]
struct Earlier {
    alerts: Vec<Alert>,
    #[serde(default)]
    alerts_unmeasured: Vec<Alert>,
}

impl MetricsFile {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`Verdict::Io`] when nothing can be written there; [`Verdict::Busy`] when another one writes, and does not end.
    pub(crate) fn hold() -> Result<Self> {
        let folder = files::logs_folder();
        let path = folder.join(".alerts.lock");
        let open = || {
            fs::create_dir_all(&folder)?;
            OpenOptions::new().create(true).truncate(false).write(true).open(&path)
        };
        let here = || path.display().to_string();
        let lock = open().with_context(here).verdict(Verdict::Io)?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { folder, _lock: lock }),
                Err(TryLockError::WouldBlock) if started.elapsed() < LONGEST => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let line = format!("{}: another pipeline-status writes, and does not end", here());
                    return Err(anyhow!(line).verdict(Verdict::Busy));
                }
                Err(TryLockError::Error(error)) => return Err(error).with_context(here).verdict(Verdict::Io),
            }
        }
    }

    /// Compares with the file that is there.
    pub(crate) fn compare(&self, measured: &Measured) -> Comparison {
        let is_measured = |alert: &Alert| alerts::is_measured(measured, alert);
        alert_log::compare(&self.open_alerts(), &measured.alerts, measured.measured_at, is_measured)
    }

    /// Those of the file that is there. What it cannot tell is told again.
    fn open_alerts(&self) -> Vec<Alert> {
        let path = self.path();
        let read = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            read => read.map_err(anyhow::Error::from),
        };
        let earlier = read.and_then(|bytes| Ok(serde_json::from_slice::<Earlier>(&bytes)?));
        match earlier {
            Ok(Earlier { alerts, alerts_unmeasured }) => [alerts, alerts_unmeasured].concat(),
            Err(error) => {
                let path = path.display();
                log::warn!("{path} was damaged, so every alert is logged as raised: {error}");
                Vec::new()
            }
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("metrics_latest.json")
    }

    /// Writes the log, and then replaces the file: one that dies in between tells what is new twice, and never not at all.
    ///
    /// # Errors
    /// [`Verdict::Io`].
    pub(crate) fn write(&self, comparison: &Comparison, json: &str) -> Result<()> {
        alert_log::append(&comparison.transitions)?;
        let (path, aside) = (self.path(), self.folder.join(".metrics_latest.new"));
        let replaced = fs::write(&aside, json).and_then(|()| fs::rename(&aside, &path));
        if replaced.is_err() {
            drop(fs::remove_file(&aside));
        }
        replaced.with_context(|| path.display().to_string()).verdict(Verdict::Io)
    }
}
