//! Tests of what is asked for next: rounds in which everything that is under way is answered.

use super::*;
use crate::course::{PAGE_SIZE, Step};
use crate::listing::Listing;
use serde_json::value::RawValue;
use std::collections::{HashSet, VecDeque};

const IN_FLIGHT: usize = 8;

/// What a walk of lists took.
#[derive(Debug, Default)]
struct Walked {
    calls: usize,
    /// How often a call ended while so many more could have been under way.
    idle: usize,
    /// The most pages that waited at once.
    waited: usize,
}

/// Walks lists of so many records, the answers coming in the order of the calls, each as late as the others.
fn walk(totals: &[u64]) -> Walked {
    let courses = totals.iter().map(|_| Course::new(1, None, HashSet::new())).collect();
    let mut plan = Plan::new(courses, IN_FLIGHT);
    let (mut walked, mut queue) = (Walked::default(), VecDeque::new());
    while let Some((list, course)) = plan.current() {
        match course.step() {
            Step::Give { last: true, .. } => {
                plan.close();
            }
            Step::Give { .. } => {}
            Step::Fail(error) => panic!("list {list}: {error}"),
            Step::Wait => {
                while let Some(job) = plan.ask(queue.len()) {
                    queue.push_back(job);
                }
                walked.idle += IN_FLIGHT.saturating_sub(queue.len());
                walked.calls += 1;
                let (list, ask): (usize, Ask) = queue.pop_front().expect("something is under way");
                plan.course(list).arrive(ask, Ok(listing(totals[list], list, ask.page)));
                let waiting = plan.courses.iter().map(Course::waiting).sum();
                walked.waited = walked.waited.max(waiting);
            }
        }
    }
    assert!(queue.is_empty(), "{} calls were for nothing", queue.len());
    walked
}

fn listing(total: u64, list: usize, page: u32) -> Listing {
    let begin = (u64::from(page) - 1) * PAGE_SIZE;
    let ids = (begin..total.min(begin + PAGE_SIZE)).map(|row| row + 1_000_000 * list as u64);
    let records = ids.map(|id| RawValue::from_string(format!(r#"{{"id":{id}}}"#)).unwrap());
    Listing { records: records.collect(), total: Some(total), per_page: None, date: None }
}

fn check(totals: &[u64]) {
    let walked = walk(totals);
    let pages: u64 = totals.iter().map(|total| total.div_ceil(PAGE_SIZE).max(1)).sum();
    assert_eq!(walked.calls as u64, pages);
    // At the beginning only first pages are known, in the end no more are left.
    assert!(walked.idle <= 2 * IN_FLIGHT * IN_FLIGHT, "{walked:?}");
    assert!(walked.waited <= 4 * IN_FLIGHT, "{walked:?}");
}

#[test]
fn one_long_list_is_always_under_way() {
    check(&[40_000]);
}

#[test]
fn many_lists_of_all_lengths_are_always_under_way_and_little_waits() {
    // The campuses of DATA.md: a few large ones, many small ones, some that are empty.
    let campuses: Vec<u64> =
        (0..80).map(|campus| [2400, 90, 700, 0, 1100, 130, 310, 30][campus % 8]).collect();
    check(&campuses);
    check(&campuses.iter().rev().copied().collect::<Vec<_>>());
    check(&[150; 60]);
    check(&[10; 300]);
}
