//! What the loads that ended lately wrote and deleted, table by table.

use super::rows;
use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use postgres::{Row, Transaction};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// A load that ended before so long ago is committed by now, so that it is seen.
const SETTLED: TimeDelta = TimeDelta::minutes(10);

/// Rows that moved. The names are those of an hour, in which they are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Moved {
    #[serde(rename = "inserted_hour")]
    pub(crate) inserted: i64,
    #[serde(rename = "updated_hour")]
    pub(crate) updated: i64,
    /// Those included that went with a row of another table.
    #[serde(rename = "deleted_hour")]
    pub(crate) deleted: i64,
}

impl Moved {
    pub(crate) const fn sum(self) -> i64 {
        self.inserted + self.updated + self.deleted
    }
}

impl AddAssign for Moved {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
    }
}

/// What moved since an instant: up to where nothing more will come, and after that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    pub(crate) settled_at: DateTime<Utc>,
    pub(crate) settled: BTreeMap<String, Moved>,
    pub(crate) fresh: BTreeMap<String, Moved>,
}

/// What became of each table in a window: loads, rows, the end of the last load. Reads `loads_finished_at_idx`, so that only
/// what ended in the window is looked at.
pub(crate) const MOVED: &str = "
    WITH w AS MATERIALIZED (SELECT table_name, inserted, updated, deleted, quarantined, cascaded, finished_at FROM ops.loads
        WHERE finished_at > $1::timestamptz AND finished_at <= $2::timestamptz)
    SELECT table_name, sum(loads)::bigint, sum(inserted)::bigint, sum(updated)::bigint, sum(deleted)::bigint,
        sum(quarantined)::bigint, max(finished_at)
    FROM (SELECT table_name, 1 AS loads, inserted, updated, deleted, quarantined, finished_at FROM w
          UNION ALL
          SELECT c.key, 0, 0, 0, c.value::bigint, 0, NULL FROM w, jsonb_each_text(w.cascaded) AS c) AS m
    GROUP BY table_name ORDER BY table_name";

/// What moved since an instant, if one is asked for.
pub(super) fn recent(
    transaction: &mut Transaction<'_>,
    since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Recent> {
    let Some(since) = since else { return Ok(Recent::default()) };
    let settled_at = (now - SETTLED).max(since);
    Ok(Recent {
        settled_at,
        settled: moved(transaction, since, settled_at)?,
        fresh: moved(transaction, settled_at, now)?,
    })
}

/// What moved in a window of the database's clock.
pub(super) fn moved(
    transaction: &mut Transaction<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<BTreeMap<String, Moved>> {
    let of_row =
        |row: &Row| (row.get(0), Moved { inserted: row.get(2), updated: row.get(3), deleted: row.get(4) });
    Ok(rows(transaction, MOVED, &[&from, &to])?.iter().map(of_row).collect())
}
