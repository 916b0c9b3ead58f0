//! What an interrupted writer left, and the two clocks: what [`Walk`](crate::Walk) and [`Trail`](crate::Trail) share.

use crate::Place;
use crate::draft::replace;
use crate::snapshot::existing;
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use verdict::{Judge, Verdict};

/// What clocks that agree may differ by.
const ROUND: TimeDelta = TimeDelta::seconds(2);

/// How far a writer is: kept beside its draft.
pub(crate) trait Progress: Serialize + DeserializeOwned {
    /// Bytes of the draft that count.
    fn bytes(&self) -> u64;
}

/// What an interrupted writer left, when both its files are there and agree.
pub(crate) fn read<State: Progress>(place: &Place) -> Result<Option<State>> {
    let (Some(text), Some(part)) = (existing(&place.walk_state())?, existing(&place.part())?) else {
        return Ok(None);
    };
    let state: Option<State> = serde_json::from_reader(BufReader::new(text)).ok();
    let Some(state) = state else { return Ok(None) };
    let whole = ends_a_line(&part, state.bytes()).with_context(|| place.part().display().to_string());
    Ok(whole.verdict(Verdict::Io)?.then_some(state))
}

/// Says how far a writer is, in place of what was said before.
pub(crate) fn write<State: Progress>(place: &Place, state: &State) -> Result<()> {
    let text = serde_json::to_vec(state)?;
    let here = || place.walk_state().display().to_string();
    replace(&place.walk_state(), &text).with_context(here).verdict(Verdict::Io)
}

/// Forgets how far a writer is: nothing of it will be gone on with.
pub(crate) fn forget(place: &Place) -> Result<()> {
    remove(&place.walk_state())
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string()).verdict(Verdict::Io)
        }
        _ => Ok(()),
    }
}

/// Whether a file holds so many bytes, and the last of them ends a line.
fn ends_a_line(file: &File, bytes: u64) -> std::io::Result<bool> {
    let Some(last) = bytes.checked_sub(1) else { return Ok(true) };
    let mut byte = [0];
    Ok(file.read_at(&mut byte, last)? == 1 && byte == *b"\n")
}

/// When a writer that began at `begun` by our clock did so by the API's, whose first answer, of `date`, came before `now`.
/// Never after that answer, even where our clock was set back in between.
pub(crate) fn started(begun: DateTime<Utc>, date: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    (begun + skew(date, now)).min(date + ROUND)
}

/// How far the API's clock is ahead of ours. It is told in whole seconds, by an answer that was under way: less than
/// that is no difference.
fn skew(date: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    let difference = date - now;
    if difference.abs() <= ROUND { TimeDelta::zero() } else { difference }
}
