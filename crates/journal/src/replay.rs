//! Bringing what was spooled into the database.

use crate::snapshot::{Snapshot, Status};
use crate::spool::Spool;
use crate::store::{self, Written};
use anyhow::Result;
use chrono::Utc;
use postgres::Client;
use std::collections::HashMap;

/// What a replay came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Runs that the database knows better now.
    pub runs: u64,
    /// Lines that it will never take; they are kept in a file beside the spool.
    pub refused: u64,
}

/// Brings everything that was spooled on this host into the database. May be killed at any moment and done again.
///
/// # Errors
/// When the database is away, or the spool cannot be read; what was spooled stays.
pub fn catch_up(client: &mut Client, spool: &Spool) -> Result<Replayed> {
    let mut replayed = Replayed::default();
    spool.drain(|text| {
        let (runs, mut refused) = newest(text);
        for (snapshot, line) in runs {
            match bring(client, snapshot) {
                Ok(written) => replayed.runs += u64::from(written != Written::Older),
                Err(error) if store::is_refusal(&error) => {
                    log::warn!("a spooled run was refused: {error:#}");
                    refused.push(line);
                }
                Err(error) => return Err(error),
            }
        }
        replayed.refused += refused.len() as u64;
        Ok(refused)
    })?;
    if replayed.refused > 0 {
        let aside = spool.path().with_extension("refused.ndjson");
        log::warn!("{} lines of the spool make no sense; see {}", replayed.refused, aside.display());
    }
    Ok(replayed)
}

/// The newest snapshot of each run with its line, in the order in which the runs appear; and the lines that are none.
fn newest(text: &str) -> (Vec<(Snapshot, String)>, Vec<String>) {
    let mut runs: Vec<(Snapshot, String)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut refused = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Ok(snapshot) = serde_json::from_str::<Snapshot>(line) else {
            refused.push(line.to_owned());
            continue;
        };
        let place = *places.entry(snapshot.identity.run.clone()).or_insert(runs.len());
        match runs.get_mut(place) {
            Some(known) if known.0.seq < snapshot.seq => *known = (snapshot, line.to_owned()),
            Some(_) => {}
            None => runs.push((snapshot, line.to_owned())),
        }
    }
    (runs, refused)
}

fn bring(client: &mut Client, mut snapshot: Snapshot) -> Result<Written> {
    // How long ago it was true; a clock that was set back makes it now.
    let age = (Utc::now() - snapshot.at).as_seconds_f64().max(0.0);
    let mut written = store::write(client, &snapshot, age)?;
    if written == Written::Taken {
        // Another run of the job is on record: this one is not running, or will say so itself.
        snapshot.status = Status::Lost;
        written = store::write(client, &snapshot, age)?;
    }
    store::settle(client, &snapshot)?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::newest;
    use crate::snapshot::{Identity, Snapshot};
    use serde_json::Map;

    fn line(run: &str, seq: u64) -> String {
        let [job, kind, host, lease] = ["j", "k", "h", "l"].map(str::to_owned);
        let identity = Identity { run: run.to_owned(), job, kind, parent: None, host, pid: 1, lease };
        let snapshot = Snapshot { seq, ..Snapshot::start(identity, None, Map::new()) };
        serde_json::to_string(&snapshot).unwrap()
    }

    #[test]
    fn of_each_run_the_newest_is_taken_whatever_the_order_of_lines() {
        let text = [line("a", 1), line("b", 5), "torn {".to_owned(), line("a", 9), line("a", 3)].join("\n");
        let (runs, refused) = newest(&text);
        let found: Vec<_> = runs.iter().map(|(s, _)| (s.identity.run.as_str(), s.seq)).collect();
        assert_eq!(found, [("a", 9), ("b", 5)]);
        assert_eq!(refused, ["torn {"]);
    }
}
