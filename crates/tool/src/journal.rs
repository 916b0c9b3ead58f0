//! What `job-run` is told: lines of JSON, appended to the file that `$JOB_PROGRESS` names. Without it, nothing.
//!
//! Only what `job-run --help` documents is written. A line that cannot be written is left out: to be watched is not what a
//! tool is there for.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A line is written at most so often.
const PAUSE: Duration = Duration::from_secs(1);

/// One count of items, among several that this process or others may keep.
#[derive(Debug)]
pub(crate) struct Account {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Tells this count from others.
    by: String,
    total: Option<u64>,
    done: u64,
    /// What was written last, and when.
    told: (Option<u64>, u64),
    at: Option<Instant>,
}

impl Account {
    /// An account, when there is somebody to tell.
    pub(crate) fn open() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let by = format!("{}.{number}", std::process::id());
        let state = State { file: file()?, by, total: None, done: 0, told: (None, 0), at: None };
        Some(Self { state: Mutex::new(state) })
    }

    pub(crate) fn total(&self, total: u64) {
        let mut state = self.lock();
        state.total = Some(total);
        state.tell_now_and_then();
    }

    pub(crate) fn done(&self, done: u64) {
        let mut state = self.lock();
        state.done = done;
        state.tell_now_and_then();
    }

    pub(crate) fn flush(&self) {
        self.lock().tell();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell_now_and_then(&mut self) {
        if self.at.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.tell();
        }
    }

    fn tell(&mut self) {
        if self.told == (self.total, self.done) {
            return;
        }
        let Self { by, done, .. } = self;
        let mut lines = format!("{{\"ev\":\"counts\",\"ok\":{done},\"by\":\"{by}\"}}\n");
        if let Some(total) = self.total.filter(|total| self.told.0 != Some(*total)) {
            lines.insert_str(0, &format!("{{\"ev\":\"total\",\"n\":{total},\"by\":\"{by}\"}}\n"));
        }
        drop(self.file.write_all(lines.as_bytes()));
        self.told = (self.total, self.done);
        self.at = Some(Instant::now());
    }
}

/// Says what went wrong.
pub(crate) fn error(text: &str) {
    if let Some(mut file) = file() {
        let text = text.replace('\\', r"\\").replace('"', r#"\""#);
        drop(file.write_all(format!("{{\"ev\":\"error\",\"text\":\"{text}\"}}\n").as_bytes()));
    }
}

/// Says where a run stands that counts its items itself: those that went well, that failed, that needed nothing.
pub fn counts([ok, failed, skipped]: [u64; 3]) {
    if let Some(mut file) = file() {
        let total = ok + failed + skipped;
        let counts = format!(r#"{{"ev":"counts","ok":{ok},"failed":{failed},"skipped":{skipped}}}"#);
        drop(file.write_all(format!("{{\"ev\":\"total\",\"n\":{total}}}\n{counts}\n").as_bytes()));
    }
}

fn file() -> Option<File> {
    let path = std::env::var_os("JOB_PROGRESS").filter(|path| !path.is_empty())?;
    OpenOptions::new().append(true).open(path).ok()
}
