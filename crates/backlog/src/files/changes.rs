//! How the piles are changed: all of them, or those who are next, or by a line more.

use super::history::History;
use super::queue::Queue;
use super::{Files, lines, together};
use crate::item::{Asked, Item};
use crate::store::Added;
use anyhow::Result;
use chrono::Utc;
use std::collections::{BTreeMap, HashSet};

impl Files {
    /// Changes the piles: what `change` makes of them is what is there afterwards. What it says has been processed is
    /// noted before it is gone.
    pub(super) fn change<Answer>(
        &self,
        change: impl FnOnce(&mut Queue, &History) -> Result<Answer>,
    ) -> Result<Answer> {
        let _lock = self.lock()?;
        let [next, waiting, gone] = self.piles()?;
        for pile in [&next, &waiting, &gone] {
            pile.set_aside()?;
        }
        let before = [&next, &waiting].map(|pile| by_id(&pile.items));
        let mut queue = together(next.items.iter().chain(&waiting.items), &gone.items);
        let dead = queue.dead.clone();
        let answer = change(&mut queue, &self.history())?;
        let [soon, later] = queue.split(&before[0], Utc::now());
        let dead_differs = gone.is_untidy() || dead != queue.dead;
        let dying = queue.dead.len() > dead.len();
        if dying {
            lines::replace(&self.dead(), queue.dead.values(), &gone)?;
        }
        if !soon.is_empty() && (next.is_untidy() || before[0] != soon) {
            lines::replace(&self.next(), soon.values().copied(), &next)?;
        }
        if waiting.is_untidy() || before[1] != later {
            lines::replace(&self.pending(), later.values().copied(), &waiting)?;
        }
        if soon.is_empty() {
            lines::remove(&self.next())?;
        }
        if dead_differs && !dying {
            lines::replace(&self.dead(), queue.dead.values(), &gone)?;
        }
        Ok(answer)
    }

    /// Changes those who are next, without a look at the others; none when there is no such pile, or `change` says that it
    /// does not do. All leases are in that pile.
    pub(super) fn change_next<Answer>(
        &self,
        change: impl FnOnce(&mut Queue, &History) -> Result<Option<Answer>>,
    ) -> Result<Option<Answer>> {
        let _lock = self.lock()?;
        let next = lines::read(&self.next())?;
        if next.items.is_empty() || next.is_untidy() {
            return Ok(None);
        }
        let mut queue = together(&next.items, &[]);
        let before = queue.pending.clone();
        let answer = change(&mut queue, &self.history())?;
        if answer.is_some() && before != queue.pending {
            if !queue.dead.is_empty() {
                lines::append(&self.dead(), &lines::text(queue.dead.values())?)?;
            }
            lines::replace(&self.next(), queue.pending.values(), &next)?;
        }
        Ok(answer)
    }

    /// Changes what is leased: among those who are next, where it is there.
    pub(super) fn leased<Answer>(
        &self,
        is_there: impl FnOnce(&Queue) -> bool,
        change: impl Fn(&mut Queue, &History) -> Result<Answer>,
    ) -> Result<Answer> {
        let changed =
            self.change_next(
                |queue, history| {
                    if is_there(queue) { change(queue, history).map(Some) } else { Ok(None) }
                },
            )?;
        changed.map_or_else(|| self.change(change), Ok)
    }

    /// Adds lines to the pile of those who wait, where nothing else is to be changed: none when one of them is leased, or a
    /// pile is not tidy.
    pub(super) fn append(&self, asked: &[Asked]) -> Result<Option<Added>> {
        let _lock = self.lock()?;
        let mut ids: HashSet<i64> = asked.iter().map(|one| one.id).collect();
        let mut there = Vec::new();
        for path in [self.next(), self.pending(), self.dead()] {
            let Some(found) = lines::find(&path, &ids)? else { return Ok(None) };
            for item in &found {
                ids.remove(&item.id);
            }
            there.push(found);
        }
        let [next, waiting, gone] = there.as_slice() else { return Ok(None) };
        let mut queue = together(next.iter().chain(waiting), gone);
        if queue.pending.values().any(|item| item.lease.is_some()) {
            return Ok(None);
        }
        let before = queue.pending.clone();
        let added = queue.add(asked, Utc::now());
        let new = queue.pending.values().filter(|item| !before.contains_key(&item.id));
        let text = lines::text(new)?;
        if !text.is_empty() {
            lines::append(&self.pending(), &text)?;
        }
        Ok(Some(added))
    }
}

fn by_id(items: &[Item]) -> BTreeMap<i64, &Item> {
    items.iter().map(|item| (item.id, item)).collect()
}
