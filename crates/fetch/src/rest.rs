//! The records that are in none of the lists that a list is divided into. The undivided list says how many there are;
//! where some are missing, halving the range of their ids finds them at a few calls each.

use crate::roster::Roster;
use crate::{Job, plan, record};
use anyhow::Result;
use api42::{Client, List, Page};
use catalog::{Each, Fetch};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};
use tool::{Judge, Verdict};

/// The API keeps ids in 32 bits.
const LARGEST: u64 = 2_147_483_647;

/// Records in one answer, at most.
const PAGE_SIZE: &str = "100";

/// Whether a resource may have records that are in none of its lists.
pub(crate) fn is_possible(job: &Job<'_>, fetch: &Fetch) -> bool {
    job.options.campus.is_none() && fetch.each.as_ref().is_some_and(|each| each.rest.is_some())
}

/// The undivided list, of which only the total is wanted. It is walked with the others, so that nobody waits for it alone.
pub(crate) fn glance(job: &Job<'_>, fetch: &Fetch) -> List {
    let (path, query) = plan::address(job, fetch);
    List { path, query, is_glance: true, ..List::default() }
}

/// The records beyond the `known` ones, as lines, when `whole` is what the glance gave. What their lists would have stamped
/// them with is looked up, and null where there is none.
pub(crate) fn lines(
    job: &Job<'_>,
    client: &Client,
    fetch: &Fetch,
    known: BTreeSet<u64>,
    whole: Page,
) -> Result<Vec<String>> {
    let Some(Each { rest: Some(range), stamp: keys, .. }) = &fetch.each else { return Ok(Vec::new()) };
    let (path, query) = plan::address(job, fetch);
    let ask = |(first, last): (u64, u64)| {
        let mut query = query.clone();
        query.push((range.clone(), format!("{first},{last}")));
        query.extend(
            [("page", "1"), ("per_page", PAGE_SIZE)].map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        let answer = client.get(&path, &query)?;
        let records = serde_json::from_str(answer.body.get()).verdict(Verdict::Refused)?;
        Ok(Part { records, total: answer.total })
    };
    let records = search(known, Part { records: whole.records, total: whole.total }, ask)?;
    let ids = records.iter().filter_map(|record| api42::id(record)).collect();
    let stamps = match Roster::of(job, client)? {
        Some(mut roster) if !records.is_empty() => roster.register(&ids)?,
        _ => HashMap::new(),
    };
    let line = |record: &RawValue| {
        let stamp = api42::id(record).and_then(|id| stamps.get(&id));
        let value = |key: &String| stamp.and_then(|stamp| stamp.get(key)).cloned().unwrap_or(Value::Null);
        let stamp: Vec<_> = keys.keys().map(|key| (key.clone(), value(key))).collect();
        record::line(record.get(), &stamp)
    };
    records.iter().map(|record| line(record)).collect::<Result<_>>().verdict(Verdict::Refused)
}

/// The first page of a range of ids, and how many records the range has.
struct Part {
    records: Vec<Box<RawValue>>,
    total: Option<u64>,
}

/// Finds the records of the `whole` that are not known. A range that holds no more records than are known is not looked
/// into.
fn search(
    known: BTreeSet<u64>,
    whole: Part,
    mut ask: impl FnMut((u64, u64)) -> Result<Part>,
) -> Result<Vec<Box<RawValue>>> {
    let mut search = Search { known, found: Vec::new() };
    let everything = (1, LARGEST);
    let mut ranges = Vec::new();
    if search.hear(everything, whole) {
        let Some(margin) = search.margin(&mut ask)? else {
            log::warn!(
                "records that belong to none of the lists are not looked for: the API gives no range of ids"
            );
            return Ok(search.found);
        };
        ranges.extend(search.halves(everything));
        while let Some((first, last)) = ranges.pop() {
            if search.hear((first, last), ask((first - margin, last + margin))?) {
                ranges.extend(search.halves((first, last)));
            }
        }
    }
    Ok(search.found)
}

struct Search {
    /// Ids that were given by the lists, or found since.
    known: BTreeSet<u64>,
    found: Vec<Box<RawValue>>,
}

impl Search {
    /// Takes what is new from the first page of a range; whether more must be in it.
    fn hear(&mut self, (first, last): (u64, u64), part: Part) -> bool {
        let seen = part.records.len() as u64;
        for record in part.records {
            let id = api42::id(&record).filter(|id| (first..=last).contains(id));
            if id.is_some_and(|id| self.known.insert(id)) {
                self.found.push(record);
            }
        }
        let count = self.known.range(first..=last).count() as u64;
        part.total.is_some_and(|total| total > seen && total > count)
    }

    /// By how much a range must be wider than what is meant: whether its ends belong to it is nowhere documented. None when
    /// the API does not mind ranges of ids at all.
    fn margin(&self, ask: &mut impl FnMut((u64, u64)) -> Result<Part>) -> Result<Option<u64>> {
        let Some(id) = self.known.first().copied() else { return Ok(Some(0)) };
        Ok(match ask((id, id))?.total {
            Some(0) => Some(1),
            // Zero margin, as long as the one known id is all there is.
            Some(1) => Some(0),
            _ => None,
        })
    }

    /// Two ranges that hold as many known ids each; none when there is nothing to halve.
    fn halves(&self, (first, last): (u64, u64)) -> Vec<(u64, u64)> {
        if first >= last {
            return Vec::new();
        }
        let count = self.known.range(first..=last).count();
        let median = self.known.range(first..=last).nth(count / 2).copied().filter(|_| count > 1);
        let middle = median.unwrap_or(first.midpoint(last)).clamp(first, last - 1);
        vec![(first, middle), (middle + 1, last)]
    }
}

#[cfg(test)]
#[path = "rest_tests.rs"]
mod tests;
