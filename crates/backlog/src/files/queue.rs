//! The two piles of the files store as plain data, and what can happen to them. No I/O.

use crate::item::{Asked, Item, Lease, Outcome, Processed};
use crate::settings::Settings;
use crate::store::{Added, Failed, LOST_ALONE, LOST_TOGETHER};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// Of a backlog that is longer than twice this, those who are next are a pile of their own, of about so many.
pub(super) const NEXT: usize = 2000;

/// By id.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Queue {
    pub(super) pending: BTreeMap<i64, Item>,
    pub(super) dead: BTreeMap<i64, Item>,
}

impl Queue {
    pub(super) fn add(&mut self, asked: &[Asked], now: DateTime<Utc>) -> Added {
        let mut outcome = Added::default();
        for one in asked {
            if self.dead.contains_key(&one.id) {
                outcome.dead += 1;
            } else if let Some(item) = self.pending.get_mut(&one.id) {
                item.again |= item.lease.is_some();
                outcome.known += 1;
            } else {
                self.pending.insert(one.id, Item::new(one, now));
                outcome.added += 1;
            }
        }
        outcome
    }

    /// Frees the leases that ran out, and those whose owner is gone.
    pub(super) fn rescue(&mut self, settings: &Settings, now: DateTime<Utc>, lives: impl Fn(&str) -> bool) {
        let over = |lease: &Lease| lease.until <= now || !lives(&lease.owner);
        let lost: Vec<i64> = self
            .pending
            .values()
            .filter(|item| item.lease.as_ref().is_some_and(over))
            .map(|item| item.id)
            .collect();
        for id in lost {
            let Some(item) = self.pending.get_mut(&id) else { continue };
            (item.lease, item.again) = (None, false);
            item.lost += 1;
            if item.lost > LOST_TOGETHER + 1 {
                self.blame(id, LOST_ALONE, settings, now);
            }
        }
    }

    pub(super) fn claim(&mut self, most: usize, settings: &Settings, now: DateTime<Utc>) -> Vec<Item> {
        let free = self.pending.values().filter(|item| item.lease.is_none() && item.due <= now);
        let (doubtful, mut due): (Vec<_>, Vec<_>) = free.partition(|item| item.lost > LOST_TOGETHER);
        let most = if due.is_empty() { 1 } else { most };
        if due.is_empty() {
            due = doubtful;
        }
        due.sort_by_key(|item| (item.due, item.id));
        let ids: Vec<i64> = due.iter().take(most).map(|item| item.id).collect();
        let lease = Lease { owner: settings.owner.clone(), until: now + delta(settings.lease) };
        ids.iter()
            .filter_map(|id| {
                let item = self.pending.get_mut(id)?;
                item.lease = Some(lease.clone());
                Some(item.clone())
            })
            .collect()
    }

    /// How many a claim would find that nobody doubts.
    pub(super) fn due(&self, now: DateTime<Utc>) -> usize {
        let is_due = |item: &&Item| item.lease.is_none() && item.due <= now && item.lost <= LOST_TOGETHER;
        self.pending.values().filter(is_due).count()
    }

    /// Who waits, in two: those who are next, and the rest. Next are those who were (`before`), who are leased, and who are due
    /// first; nobody, where few wait.
    pub(super) fn split(
        &self,
        before: &BTreeMap<i64, &Item>,
        now: DateTime<Utc>,
    ) -> [BTreeMap<i64, &Item>; 2] {
        if self.pending.len() <= 2 * NEXT {
            return [BTreeMap::new(), self.pending.iter().map(|(id, item)| (*id, item)).collect()];
        }
        let is_next = |item: &Item| before.contains_key(&item.id) || item.lease.is_some();
        let (mut next, mut rest): (Vec<&Item>, Vec<&Item>) =
            self.pending.values().partition(|item| is_next(item));
        let room = NEXT.saturating_sub(next.iter().filter(|item| item.due <= now).count());
        rest.sort_by_key(|item| (item.due, item.id));
        next.extend(rest.drain(..room.min(rest.len())));
        [next, rest].map(|items| items.into_iter().map(|item| (item.id, item)).collect())
    }

    pub(super) fn renew(&mut self, settings: &Settings, now: DateTime<Utc>) {
        for item in self.pending.values_mut() {
            if let Some(lease) = item.lease.as_mut().filter(|lease| lease.owner == settings.owner) {
                lease.until = now + delta(settings.lease);
            }
        }
    }

    pub(super) fn settle(
        &mut self,
        done: &[(i64, Outcome)],
        seconds: f64,
        owner: &str,
        now: DateTime<Utc>,
    ) -> Vec<Processed> {
        let mut processed = Vec::new();
        for (id, outcome) in done {
            let Some(item) = self.pending.get_mut(id).filter(|item| owned(item, owner)) else { continue };
            processed.push(item.processed(*outcome, Some(seconds), now));
            if item.again {
                (item.lease, item.again, item.error) = (None, false, None);
                (item.attempts, item.lost, item.due) = (0, 0, now);
            } else {
                self.pending.remove(id);
            }
        }
        processed
    }

    pub(super) fn fail(
        &mut self,
        id: i64,
        error: &str,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Option<Failed> {
        let item = self.pending.get_mut(&id).filter(|item| owned(item, &settings.owner))?;
        (item.lease, item.again) = (None, false);
        self.blame(id, error, settings, now)
    }

    fn blame(&mut self, id: i64, error: &str, settings: &Settings, now: DateTime<Utc>) -> Option<Failed> {
        let item = self.pending.get_mut(&id)?;
        item.attempts += 1;
        item.error = Some(error.to_owned());
        let attempts = item.attempts;
        if attempts <= settings.max_retries {
            let rest = settings.backoff(attempts);
            item.due = now + delta(rest);
            return Some(Failed::Delayed { seconds: rest.as_secs_f64(), attempts });
        }
        item.died = Some(now);
        let item = self.pending.remove(&id)?;
        self.dead.insert(id, item);
        Some(Failed::Dead { attempts })
    }

    pub(super) fn release(&mut self, owner: &str) -> u64 {
        let mut released = 0;
        for item in self.pending.values_mut().filter(|item| owned(item, owner)) {
            (item.lease, item.again) = (None, false);
            released += 1;
        }
        released
    }

    pub(super) fn mark(&mut self, ids: &[i64], now: DateTime<Utc>) -> Vec<Processed> {
        let mut take = |id: &i64| self.pending.remove(id).or_else(|| self.dead.remove(id));
        let items: Vec<Item> = ids.iter().filter_map(&mut take).collect();
        items.iter().map(|item| item.processed(Outcome::Marked, None, now)).collect()
    }

    pub(super) fn retry(&mut self, ids: &[i64], now: DateTime<Utc>) -> u64 {
        let named = |id: &i64| ids.is_empty() || ids.contains(id);
        let mut brought = 0;
        for (id, item) in self.dead.extract_if(.., |id, _| named(id)) {
            let item = Item { attempts: 0, lost: 0, due: now, died: None, ..item };
            self.pending.insert(id, item);
            brought += 1;
        }
        for id in ids {
            if let Some(item) = self.pending.get_mut(id).filter(|item| item.due > now) {
                item.due = now;
                brought += 1;
            }
        }
        brought
    }

    pub(super) fn forget(&mut self, ids: &[i64]) -> u64 {
        let mut forget = |id: &i64| self.pending.remove(id).or_else(|| self.dead.remove(id));
        ids.iter().filter_map(&mut forget).count() as u64
    }

    pub(super) fn clear(&mut self, dead: bool) -> Vec<i64> {
        let pile = if dead { &mut self.dead } else { &mut self.pending };
        std::mem::take(pile).into_keys().collect()
    }
}

fn owned(item: &Item, owner: &str) -> bool {
    item.lease.as_ref().is_some_and(|lease| lease.owner == owner)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
