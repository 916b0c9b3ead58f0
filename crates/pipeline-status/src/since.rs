//! What moved since a dashboard was opened, added up look by look.

use crate::database::{Database, Moved};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Sums by table since an instant of the database's clock.
#[derive(Clone, Debug)]
pub(crate) struct Since {
    opened: DateTime<Utc>,
    /// Up to here everything is in `settled`: no look has to go further back.
    mark: DateTime<Utc>,
    settled: BTreeMap<String, Moved>,
    fresh: BTreeMap<String, Moved>,
}

impl Since {
    /// Begins with a first look.
    pub(crate) const fn new(opened: DateTime<Utc>) -> Self {
        Self { opened, mark: opened, settled: BTreeMap::new(), fresh: BTreeMap::new() }
    }

    pub(crate) const fn opened(&self) -> DateTime<Utc> {
        self.opened
    }

    /// From where on the next look has to tell what moved.
    pub(crate) const fn mark(&self) -> DateTime<Utc> {
        self.mark
    }

    /// Takes a look in that was told since [`Since::mark`].
    pub(crate) fn take(&mut self, database: &Database) {
        let recent = &database.recent;
        for (table, moved) in &recent.settled {
            *self.settled.entry(table.clone()).or_default() += *moved;
        }
        self.mark = recent.settled_at;
        self.fresh.clone_from(&recent.fresh);
    }

    /// What moved in a table.
    pub(crate) fn of(&self, table: &str) -> Moved {
        let mut moved = self.settled.get(table).copied().unwrap_or_default();
        moved += self.fresh.get(table).copied().unwrap_or_default();
        moved
    }
}
