//! What the processes of this host have used of the API's limits.

use crate::class::Class;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

/// The state of the shared pace at one moment. Reading it takes no lock and changes nothing.
///
/// The hour is the last 3,600 seconds, counted by whole minutes: a call counts for up to a minute longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Calls a second, as the API announced them; 2 until it does.
    pub per_second: u32,
    /// Calls an hour, as the API announced them; 1200 until it does.
    pub per_hour: u32,
    /// Calls an hour that this host may make: its `PACE_SHARE` of them.
    pub host: u64,
    /// Calls that this host made in the hour.
    pub used: u64,
    /// Those of them that each class made. Calls of an older release belong to none.
    #[serde(serialize_with = "by_name")]
    pub by_class: [(Class, u64); Class::ALL.len()],
    /// What is left to this host by its own count.
    pub remaining: u64,
    /// What is left to the application by the last answer that said so, less the calls since; `None` when none did
    /// within the hour.
    pub remaining_by_header: Option<u64>,
    /// Classes with a call that waits for its slot.
    pub waiting: Vec<Class>,
    /// Until when nobody calls, because the API asked for a pause.
    pub held_until: Option<DateTime<Utc>>,
    /// When the oldest calls that count leave the hour.
    pub oldest_leaves: Option<DateTime<Utc>>,
}

fn by_name<S: Serializer>(counts: &[(Class, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(class, count)| (class.name(), count)))
}
