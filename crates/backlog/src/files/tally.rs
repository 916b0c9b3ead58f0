//! Items, counted as they are read.

use crate::item::Item;
use crate::store::{Group, State};
use std::collections::{HashMap, HashSet};

/// What items come to.
#[derive(Default)]
pub(super) struct Tally {
    ids: HashSet<i64>,
    pub(super) groups: HashMap<(State, String, Option<String>), Group>,
    pub(super) unreadable: u64,
}

impl Tally {
    /// Of two with one id the first counts, as in [`super::together`].
    pub(super) fn see(&mut self, line: std::result::Result<Item, &[u8]>, state: impl Fn(&Item) -> State) {
        let Ok(item) = line else {
            self.unreadable += 1;
            return;
        };
        if !self.ids.insert(item.id) {
            return;
        }
        let state = state(&item);
        let key = (state, item.reason, item.error);
        let group = self.groups.entry(key).or_insert_with_key(|(_, reason, error)| Group {
            state,
            reason: reason.clone(),
            error: error.clone(),
            items: 0,
            oldest: item.added,
            attempts: 0,
        });
        group.items += 1;
        group.oldest = group.oldest.min(item.added);
        group.attempts += u64::from(item.attempts);
    }
}
