use super::{Part, search};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// A list of records with these ids, newest first, that gives ten at a time.
struct List {
    ids: BTreeSet<u64>,
    are_ends_included: bool,
    is_counted: bool,
    calls: usize,
}

impl List {
    fn of(ids: impl IntoIterator<Item = u64>) -> Self {
        Self { ids: ids.into_iter().collect(), are_ends_included: true, is_counted: true, calls: 0 }
    }

    fn ask(&mut self, range: Option<(u64, u64)>) -> Part {
        self.calls += 1;
        let (first, last) = match range {
            Some((first, last)) if !self.are_ends_included => (first + 1, last.saturating_sub(1)),
            Some(range) => range,
            None => (0, u64::MAX),
        };
        let ids: Vec<u64> = self.ids.iter().copied().filter(|id| (first..=last).contains(id)).collect();
        let record = |id: &u64| RawValue::from_string(format!("{{\"id\":{id}}}")).unwrap();
        let records = ids.iter().rev().take(10).map(record).collect();
        Part { records, total: self.is_counted.then_some(ids.len() as u64) }
    }

    /// The ids that are found when these are known.
    fn beyond(&mut self, known: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let whole = self.ask(None);
        let found = search(known.into_iter().collect(), whole, |range| Ok(self.ask(Some(range)))).unwrap();
        let mut ids: Vec<u64> = found.iter().filter_map(|record| api42::id(record)).collect();
        ids.sort_unstable();
        ids
    }
}

fn thousand() -> impl Iterator<Item = u64> {
    (1..=1000).map(|nth| nth * 7)
}

#[test]
fn where_nothing_is_missing_one_call_says_so() {
    let mut list = List::of(thousand());
    assert_eq!(list.beyond(thousand()), [0; 0]);
    assert_eq!(list.calls, 1);
}

#[test]
fn a_few_are_found_at_a_few_calls_each() {
    let missing = [7, 700, 3500, 3507, 7000];
    let mut list = List::of(thousand());
    assert_eq!(list.beyond(thousand().filter(|id| !missing.contains(id))), missing);
    assert!(list.calls < 60, "{} calls", list.calls);
}

#[test]
fn it_does_not_matter_whether_ends_belong_to_a_range() {
    let missing: Vec<u64> = thousand().filter(|id| id % 5 == 0).collect();
    let mut list = List { are_ends_included: false, ..List::of(thousand()) };
    assert_eq!(list.beyond(thousand().filter(|id| id % 5 != 0)), missing);
}

#[test]
fn when_nobody_is_known_everybody_is_found() {
    assert_eq!(List::of(thousand()).beyond([]), thousand().collect::<Vec<_>>());
    assert_eq!(List::of([]).beyond([]), [0; 0]);
}

#[test]
fn who_is_known_and_has_left_does_not_hide_who_is_missing_elsewhere() {
    let mut list = List::of(thousand().filter(|id| *id != 70));
    assert_eq!(list.beyond(thousand().filter(|id| ![6300, 6307].contains(id))), [6300, 6307]);
}

#[test]
fn a_list_that_is_not_counted_or_knows_no_ranges_is_not_searched() {
    let mut list = List { is_counted: false, ..List::of(thousand()) };
    assert_eq!(list.beyond(thousand().filter(|id| *id != 70)), [0; 0]);
    let (mut list, mut calls) = (List::of(thousand()), 0);
    let whole = list.ask(None);
    let found = search(thousand().filter(|id| *id != 70).collect(), whole, |_| {
        calls += 1;
        Ok(list.ask(None))
    });
    assert_eq!((found.unwrap().len(), calls), (0, 1));
}
