//! The store in files: `LOGS_DIR/.monitor_state/pending_users.jsonl`, one JSON object a line, with `dead_users.jsonl` and
//! `processed_users.jsonl` beside it. For the workers of one host.
//!
//! A change reads the piles under one lock, changes them as plain data, and puts them back whole (written aside, synced,
//! renamed). What goes from one pile to another is written where it arrives before it is taken from where it was: a
//! crash in between leaves it in both, and then it still waits.
//!
//! Where more than four thousand wait, about two thousand who are next, and all who are leased, are in `next_users.jsonl`: what
//! a worker does to a batch costs as much as that pile, not as the whole backlog. Who is added is a line at the end of
//! `pending_users.jsonl`, and nothing else is written.
//!
//! Leases end by the clock of the host, or at once when their owner is dead, whatever the clock says: each worker holds a
//! lock that the kernel lets go when it dies.
//!
//! # Layout
//! - `changes`: how the piles are changed. `tally`: how they are counted.
//! - `queue`: what can happen to the piles, as plain data.
//! - `lines`: how lines come and go. `ours`: those that we have written.
//! - `history`: what has left.
//! - `presence`: who is alive.

mod changes;
mod history;
mod lines;
mod ours;
mod presence;
mod queue;
mod tally;

use crate::item::{Asked, Item, Lease, Outcome};
use crate::settings::Settings;
use crate::store::{Added, Counts, Failed, LEFT, Snapshot, State, Store};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use history::History;
use lines::Pile;
use presence::Presence;
use queue::Queue;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use tally::Tally;
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

    fn next(&self) -> PathBuf {
        self.folder.join("next_users.jsonl")
    }

    fn dead(&self) -> PathBuf {
        self.folder.join("dead_users.jsonl")
    }

    /// Those who are next, the others who wait, the dead.
    fn piles(&self) -> Result<[Pile; 3]> {
        Ok([lines::read(&self.next())?, lines::read(&self.pending())?, lines::read(&self.dead())?])
    }

    fn history(&self) -> History {
        History::new(self.folder.join("processed_users.jsonl"))
    }

    /// Who only looks makes no file; a folder that is not there is a backlog that nobody has used yet.
    fn look(&self) -> Result<Option<File>> {
        let lock = open_if_there(&self.folder.join(".backlog.lock"))?;
        let here = || self.folder.display().to_string();
        lock.as_ref().map_or(Ok(()), File::lock_shared).with_context(here).verdict(Verdict::Io)?;
        Ok(lock)
    }

    /// Whether a lease still counts.
    fn holds(&self, lease: &Lease, now: DateTime<Utc>) -> bool {
        lease.until > now && presence::lives(&self.folder, &lease.owner)
    }

    /// Makes the folder; who holds the lock is alone in it.
    fn lock(&self) -> Result<File> {
        let path = self.folder.join(".backlog.lock");
        let lock = || -> std::io::Result<File> {
            std::fs::create_dir_all(&self.folder)?;
            let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            lock.lock()?;
            Ok(lock)
        };
        lock().with_context(|| self.folder.display().to_string()).verdict(Verdict::Io)
    }
}

/// Both piles. Who is in both was on the way from one to the other when a process died, and still waits.
fn together<'a>(waiting: impl IntoIterator<Item = &'a Item>, gone: &[Item]) -> Queue {
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
        match self.append(asked)? {
            Some(added) => Ok(added),
            None => self.change(|queue, _| Ok(queue.add(asked, Utc::now()))),
        }
    }

    fn claim(&mut self, most: usize) -> Result<Vec<Item>> {
        if self.presence.is_none() {
            let _lock = self.lock()?;
            self.presence = Some(Presence::announce(&self.folder, &self.settings.owner)?);
        }
        let claim = |queue: &mut Queue, at_least: usize| {
            let now = Utc::now();
            queue.rescue(&self.settings, now, |owner| presence::lives(&self.folder, owner));
            (queue.due(now) >= at_least).then(|| queue.claim(most, &self.settings, now))
        };
        match self.change_next(|queue, _| Ok(claim(queue, most)))? {
            Some(items) => Ok(items),
            None => self.change(|queue, _| Ok(claim(queue, 0).unwrap_or_default())),
        }
    }

    fn renew(&mut self) -> Result<()> {
        self.leased(
            |_| true,
            |queue, _| {
                queue.renew(&self.settings, Utc::now());
                Ok(())
            },
        )
    }

    fn settle(&mut self, done: &[(i64, Outcome)], seconds: f64) -> Result<()> {
        let are_next = |queue: &Queue| done.iter().all(|(id, _)| queue.pending.contains_key(id));
        self.leased(are_next, |queue, history| {
            history.append(&queue.settle(done, seconds, &self.settings.owner, Utc::now()))
        })
    }

    fn fail(&mut self, id: i64, error: &str) -> Result<Option<Failed>> {
        let is_next = |queue: &Queue| queue.pending.contains_key(&id);
        self.leased(is_next, |queue, _| Ok(queue.fail(id, error, &self.settings, Utc::now())))
    }

    fn release(&mut self) -> Result<u64> {
        self.leased(|_| true, |queue, _| Ok(queue.release(&self.settings.owner)))
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
        let _lock = self.look()?;
        let [next, waiting, gone] = self.piles()?;
        let queue = together(next.items.iter().chain(&waiting.items), &gone.items);
        let now = Utc::now();
        let mut pending: Vec<Item> = queue.pending.into_values().collect();
        for item in &mut pending {
            // Shown as what the next claim will make of it.
            item.lease = item.lease.take().filter(|lease| self.holds(lease, now));
        }
        pending.sort_by_key(|item| (item.due, item.id));
        let mut dead: Vec<Item> = queue.dead.into_values().collect();
        dead.sort_by_key(|item| std::cmp::Reverse(item.died));
        Ok(Snapshot { now, pending, dead, processed: self.history().read()? })
    }

    fn count(&mut self) -> Result<Counts> {
        let _lock = self.look()?;
        let (now, mut tally) = (Utc::now(), Tally::default());
        let waiting = |item: &Item| match &item.lease {
            Some(lease) if self.holds(lease, now) => State::Leased,
            _ if item.due > now => State::Delayed,
            _ => State::Due,
        };
        for path in [self.next(), self.pending()] {
            lines::each(&path, |line| tally.see(line, waiting))?;
        }
        lines::each(&self.dead(), |line| tally.see(line, |_| State::Dead))?;
        let mut processed = self.history().read()?;
        processed.drain(..processed.len().saturating_sub(LEFT));
        let groups = tally.groups.into_values().collect();
        Ok(Counts { now, groups, processed, unreadable: tally.unreadable })
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
