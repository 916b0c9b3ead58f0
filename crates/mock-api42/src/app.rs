//! What all connections share.

use crate::Arguments;
use crate::faults::Faults;
use crate::limiter::Limiter;
use crate::oauth::Issuer;
use crate::stats::Stats;
use crate::switches::Switches;
use crate::world::World;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The mock.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) seed: u64,
    world: RwLock<World>,
    switches: RwLock<Arc<Switches>>,
    pub(crate) issuer: Mutex<Issuer>,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) stats: Mutex<Stats>,
    kept: Mutex<Kept>,
    /// Moves made between pages since the switch was set.
    moves_between: Mutex<u64>,
}

/// Locks; a thread that panicked while it held the lock does not take the mock down with it.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    pub(crate) fn new(arguments: &Arguments, faults: Faults) -> Self {
        let mut world = World::invent(arguments.seed, arguments.students, arguments.without_campus);
        world.catch_up_with_erasure();
        Self {
            seed: arguments.seed,
            world: RwLock::new(world),
            switches: RwLock::new(Arc::new(arguments.switches.clone())),
            issuer: Mutex::new(Issuer::new(arguments)),
            limiter: Mutex::new(Limiter::default()),
            faults: Mutex::new(faults),
            stats: Mutex::new(Stats::default()),
            kept: Mutex::new(Kept::default()),
            moves_between: Mutex::new(0),
        }
    }

    /// Moves the world after an answer to a path, where the switch says so.
    pub(crate) fn move_between(&self, path: &str, switches: &Switches) {
        let mut made = locked(&self.moves_between);
        if let Some(moves) = switches.moves_per_page.after(path, *made) {
            *made += 1;
            self.world_mut().move_on(moves);
        }
    }

    pub(crate) fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn switches(&self) -> Arc<Switches> {
        Arc::clone(&self.switches.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes switches; what was kept under the old ones is forgotten.
    pub(crate) fn switch(&self, changes: &serde_json::Value) -> anyhow::Result<Arc<Switches>> {
        let mut switches = self.switches.write().unwrap_or_else(PoisonError::into_inner);
        let changed = switches.changed(changes)?;
        if changed.moves_per_page != switches.moves_per_page {
            *locked(&self.moves_between) = 0;
        }
        *switches = Arc::new(changed);
        locked(&self.kept).entries.clear();
        Ok(Arc::clone(&switches))
    }

    /// Milliseconds since 1970, by the world's clock.
    pub(crate) fn now(&self) -> i64 {
        self.world().now()
    }

    /// The rows under a key, as chosen at a version, or as `choose` chooses them now.
    pub(crate) fn kept(&self, key: &str, version: u64, choose: impl FnOnce() -> Vec<u32>) -> Arc<Vec<u32>> {
        if let Some(rows) = locked(&self.kept).get(key, version) {
            return rows;
        }
        let rows = Arc::new(choose());
        locked(&self.kept).put(key, version, Arc::clone(&rows));
        rows
    }
}

/// The row choices of the last questions, so that page 2 of a walk costs no second search.
#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<(String, u64, Arc<Vec<u32>>)>,
}

/// Rows kept in all: 16 MB.
const MOST_KEPT: usize = 4_000_000;

impl Kept {
    fn get(&mut self, key: &str, version: u64) -> Option<Arc<Vec<u32>>> {
        let place = self.entries.iter().position(|(kept, at, _)| kept == key && *at == version)?;
        let entry = self.entries.remove(place)?;
        let rows = Arc::clone(&entry.2);
        self.entries.push_back(entry);
        Some(rows)
    }

    fn put(&mut self, key: &str, version: u64, rows: Arc<Vec<u32>>) {
        self.entries.retain(|(kept, ..)| kept != key);
        self.entries.push_back((key.to_owned(), version, rows));
        while self.entries.len() > 64
            || self.entries.iter().map(|entry| entry.2.len()).sum::<usize>() > MOST_KEPT
        {
            self.entries.pop_front();
        }
    }
}
