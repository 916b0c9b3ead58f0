//! The store in files: `LOGS_DIR/.monitor_state/pending_users.jsonl`, one JSON object a line, with `dead_users.jsonl` and
//! `processed_users.jsonl` beside it. For the workers of one host.
//!
//! A change reads the piles under one lock, changes them as plain data, and puts them back whole (written aside, synced,
//! renamed). What goes from one pile to another is written where it arrives before it is taken from where it was: a
//! crash in between leaves it in both, and then it still waits.
//!
//! Leases end by the clock of the host, or at once when their owner is dead, whatever the clock says: each worker holds a
//! lock that the kernel lets go when it dies.
//!
//! # Layout
//! - `queue`: what can happen to the piles, as plain data.
//! - `lines`: how lines come and go.
//! - `history`: what has left.
//! - `presence`: who is alive.

mod history;
mod lines;
mod presence;
mod queue;

use crate::item::{Asked, Item, Outcome};
use crate::settings::Settings;
use crate::store::{Added, Failed, Snapshot, Store};
use anyhow::{Context, Result};
use chrono::Utc;
use history::History;
use presence::Presence;
use queue::Queue;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use tool::{Judge, Verdict};

/// The backlog in a folder.
#[derive(Debug)]
pub(crate) struct Files {
    settings: Settings,
    folder: PathBuf,
    presence: Option<Presence>,
}

impl Files {
    pub(crate) fn new(settings: Settings) -> Self {
        let folder = settings.logs.join(".monitor_state");
        Self { settings, folder, presence: None }
    }

    fn pending(&self) -> PathBuf {
        self.folder.join("pending_users.jsonl")
    }

    fn dead(&self) -> PathBuf {
        self.folder.join("dead_users.jsonl")
    }

    fn history(&self) -> History {
        History::new(self.folder.join("processed_users.jsonl"))
    }

    /// Changes the piles: what `change` makes of them is what is there afterwards. What it says has been processed is
    /// noted before it is gone.
    fn change<Answer>(&self, change: impl FnOnce(&mut Queue, &History) -> Result<Answer>) -> Result<Answer> {
        let (pending, dead) = (self.pending(), self.dead());
        let here = || self.folder.display().to_string();
        std::fs::create_dir_all(&self.folder).with_context(here).verdict(Verdict::Io)?;
        let _lock = self.lock().with_context(here).verdict(Verdict::Io)?;
        let (waiting, gone) = (lines::read(&pending)?, lines::read(&dead)?);
        waiting.set_aside()?;
        gone.set_aside()?;
        let mut queue = together(&waiting.items, &gone.items);
        let before = (queue.pending.clone(), queue.dead.clone());
        let answer = change(&mut queue, &self.history())?;
        let pending_differs = waiting.is_untidy() || before.0 != queue.pending;
        let dead_differs = gone.is_untidy() || before.1 != queue.dead;
        let dying = queue.dead.len() > before.1.len();
        if dying {
            lines::replace(&dead, queue.dead.values(), &gone)?;
        }
        if pending_differs {
            lines::replace(&pending, queue.pending.values(), &waiting)?;
        }
        if dead_differs && !dying {
            lines::replace(&dead, queue.dead.values(), &gone)?;
        }
        Ok(answer)
    }

    fn lock(&self) -> std::io::Result<File> {
        let path = self.folder.join(".backlog.lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        lock.lock()?;
        Ok(lock)
    }
}

/// Both piles. Who is in both was on the way from one to the other when a process died, and still waits.
fn together(waiting: &[Item], gone: &[Item]) -> Queue {
    let mut queue = Queue::default();
    for item in waiting {
        if let Some(known) = queue.pending.get_mut(&item.id) {
            // A line that a script of the old pipeline appended meanwhile.
            known.again |= known.lease.is_some() && item.lease.is_none();
        } else {
            queue.pending.insert(item.id, item.clone());
        }
    }
    for item in gone.iter().filter(|item| !queue.pending.contains_key(&item.id)) {
        let died = item.died.or(Some(item.added));
        queue.dead.insert(item.id, Item { died, lease: None, ..item.clone() });
    }
    queue
}

impl Store for Files {
    fn add(&mut self, asked: &[Asked]) -> Result<Added> {
        self.change(|queue, _| Ok(queue.add(asked, Utc::now())))
    }

    fn claim(&mut self, most: usize) -> Result<Vec<Item>> {
        if self.presence.is_none() {
            let here = || self.folder.display().to_string();
            std::fs::create_dir_all(&self.folder).with_context(here).verdict(Verdict::Io)?;
            let _lock = self.lock().with_context(here).verdict(Verdict::Io)?;
            self.presence = Some(Presence::announce(&self.folder, &self.settings.owner)?);
        }
        self.change(|queue, _| {
            let now = Utc::now();
            queue.rescue(&self.settings, now, |owner| presence::lives(&self.folder, owner));
            Ok(queue.claim(most, &self.settings, now))
        })
    }

    fn renew(&mut self) -> Result<()> {
        self.change(|queue, _| {
            queue.renew(&self.settings, Utc::now());
            Ok(())
        })
    }

    fn settle(&mut self, done: &[(i64, Outcome)], seconds: f64) -> Result<()> {
        self.change(|queue, history| {
            history.append(&queue.settle(done, seconds, &self.settings.owner, Utc::now()))
        })
    }

    fn fail(&mut self, id: i64, error: &str) -> Result<Option<Failed>> {
        self.change(|queue, _| Ok(queue.fail(id, error, &self.settings, Utc::now())))
    }

    fn release(&mut self) -> Result<u64> {
        self.change(|queue, _| Ok(queue.release(&self.settings.owner)))
    }

    fn mark(&mut self, ids: &[i64]) -> Result<u64> {
        self.change(|queue, history| {
            let processed = queue.mark(ids, Utc::now());
            history.append(&processed)?;
            Ok(processed.len() as u64)
        })
    }

    fn retry(&mut self, ids: &[i64]) -> Result<u64> {
        self.change(|queue, _| Ok(queue.retry(ids, Utc::now())))
    }

    fn clear(&mut self, dead: bool) -> Result<Vec<i64>> {
        self.change(|queue, _| Ok(queue.clear(dead)))
    }

    fn forget(&mut self, ids: &[i64]) -> Result<u64> {
        if !self.folder.exists() {
            return Ok(0);
        }
        self.change(|queue, history| Ok(queue.forget(ids) + history.forget(ids)?))
    }

    fn read(&mut self) -> Result<Snapshot> {
        // Who only looks makes no file; a folder that is not there is a backlog that nobody has used yet.
        let lock = open_if_there(&self.folder.join(".backlog.lock"))?;
        let here = || self.folder.display().to_string();
        lock.as_ref().map_or(Ok(()), File::lock_shared).with_context(here).verdict(Verdict::Io)?;
        let (waiting, gone) = (lines::read(&self.pending())?, lines::read(&self.dead())?);
        let queue = together(&waiting.items, &gone.items);
        let now = Utc::now();
        let mut pending: Vec<Item> = queue.pending.into_values().collect();
        for item in &mut pending {
            // Shown as what the next claim will make of it.
            let over = |owner: &str, until| until <= now || !presence::lives(&self.folder, owner);
            item.lease = item.lease.take().filter(|lease| !over(&lease.owner, lease.until));
        }
        pending.sort_by_key(|item| (item.due, item.id));
        let mut dead: Vec<Item> = queue.dead.into_values().collect();
        dead.sort_by_key(|item| std::cmp::Reverse(item.died));
        let unreadable = (waiting.rejected.len() + gone.rejected.len()) as u64;
        Ok(Snapshot { now, pending, dead, processed: self.history().read()?, unreadable })
    }
}

/// A file to read; none when it is not there.
fn open_if_there(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()).verdict(Verdict::Io),
    }
}
