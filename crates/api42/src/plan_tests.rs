//! Tests of what is asked for next, in simulated time: so many make calls, the pace lets one go at a time, answers take
//! their time.

use super::*;
use crate::course::{PAGE_SIZE, Step};
use crate::listing::Listing;
use serde_json::value::RawValue;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};

const IN_FLIGHT: usize = 12;

/// Milliseconds between two calls.
const GAP: u64 = 518;

/// Milliseconds until the answer to a call, by its number.
type Latency = fn(u64) -> u64;

const LATENCIES: [Latency; 4] = [|_| 50, |_| 1000, |_| 3000, real];

/// Students by campus, as the mock has them of 40,000: a few large ones, many small ones, some without any.
const CAMPUSES: [u64; 78] = [
    5818, 9, 279, 305, 16, 8, 871, 0, 979, 290, 294, 582, 693, 0, 0, 0, 1431, 820, 6, 13, 676, 363, 0, 261,
    287, 746, 509, 17, 383, 455, 596, 454, 16, 319, 1144, 2559, 0, 500, 10, 411, 3463, 344, 284, 1958, 0,
    302, 319, 463, 308, 314, 1022, 400, 1676, 0, 328, 378, 0, 0, 419, 539, 15, 10, 0, 256, 717, 12, 397,
    1270, 15, 297, 340, 0, 325, 500, 669, 0, 0, 540,
];

/// What a walk of lists took; times in milliseconds.
#[derive(Debug, Default)]
struct Walked {
    calls: u64,
    /// In which a call could have gone, but none was asked for.
    idle: u64,
    /// From the last call to the end.
    tail: u64,
    /// The most pages that waited at once to be given.
    waited: usize,
    /// The lists that were asked, in the order of the calls.
    order: Vec<usize>,
}

struct Simulation {
    totals: Vec<u64>,
    latency: Latency,
    plan: Plan,
    now: u64,
    /// When the next call may go.
    slot: u64,
    /// How many have no call to make.
    free: usize,
    queue: VecDeque<(usize, Ask)>,
    /// When the calls under way are answered, and their numbers.
    sent: BinaryHeap<Reverse<(u64, usize)>>,
    calls: Vec<(usize, Ask)>,
    walked: Walked,
}

impl Simulation {
    fn of(totals: &[u64], latency: Latency) -> Self {
        let courses = totals.iter().map(|_| Course::new(1, None, HashSet::new())).collect();
        Self {
            totals: totals.to_vec(),
            latency,
            plan: Plan::new(courses, IN_FLIGHT),
            now: 0,
            slot: 0,
            free: IN_FLIGHT,
            queue: VecDeque::new(),
            sent: BinaryHeap::new(),
            calls: Vec::new(),
            walked: Walked::default(),
        }
    }

    /// With a glance at everything, after the lists.
    fn glancing(mut self) -> Self {
        self.totals.push(self.totals.iter().sum());
        self.plan.courses.push(Course::glance());
        self
    }

    fn walk(mut self) -> Walked {
        while let Some((list, course)) = self.plan.current() {
            match course.step() {
                Step::Give { last: true, .. } => self.plan.close(),
                Step::Give { .. } => {}
                Step::Fail(error) => panic!("list {list}: {error}"),
                Step::Wait => {
                    self.fill();
                    self.receive();
                }
            }
        }
        assert_eq!((self.queue.len(), self.sent.len()), (0, 0), "calls for nothing");
        let (calls, tail) = (self.calls.len() as u64, self.now - (self.slot - GAP));
        let order = self.calls.iter().map(|(list, _)| *list).collect();
        Walked { calls, tail, order, ..self.walked }
    }

    fn fill(&mut self) {
        while let Some(job) = self.plan.ask(self.queue.len() + IN_FLIGHT - self.free) {
            self.queue.push_back(job);
        }
        while self.free > 0
            && let Some(job) = self.queue.pop_front()
        {
            let at = self.now.max(self.slot);
            self.walked.idle += at - self.slot;
            self.slot = at + GAP;
            self.free -= 1;
            let number = self.calls.len();
            self.sent.push(Reverse((at + (self.latency)(number as u64), number)));
            self.calls.push(job);
        }
    }

    fn receive(&mut self) {
        let Reverse((at, number)) = self.sent.pop().expect("something is under way");
        (self.now, self.free) = (at, self.free + 1);
        let (list, ask) = self.calls[number];
        self.plan.course(list).arrive(ask, Ok(listing(self.totals[list], list, ask.page)));
        let waiting = self.plan.courses.iter().map(Course::waiting).sum();
        self.walked.waited = self.walked.waited.max(waiting);
    }
}

/// As of pages of users: 2.8 s at the median, 4.3 s at 90 %, 6.9 s at most.
fn real(number: u64) -> u64 {
    match number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54 {
        chance @ 0..512 => 1960 + chance * 840 / 512,
        chance @ 512..920 => 2800 + (chance - 512) * 1500 / 408,
        chance => 4300 + (chance - 920) * 2580 / 104,
    }
}

fn listing(total: u64, list: usize, page: u32) -> Listing {
    let begin = (u64::from(page) - 1) * PAGE_SIZE;
    let ids = (begin..total.min(begin + PAGE_SIZE)).map(|row| row + 1_000_000 * list as u64);
    let records = ids.map(|id| RawValue::from_string(format!(r#"{{"id":{id}}}"#)).unwrap());
    Listing { records: records.collect(), total: Some(total), per_page: None, date: None }
}

fn pages(totals: &[u64]) -> u64 {
    totals.iter().map(|total| total.div_ceil(PAGE_SIZE).max(1)).sum()
}

/// No slot is lost, and little waits.
fn check(totals: &[u64]) {
    for latency in LATENCIES {
        let walked = Simulation::of(totals, latency).walk();
        assert_eq!((walked.calls, walked.idle), (pages(totals), 0), "{walked:?}");
        assert!(walked.waited <= 3 * IN_FLIGHT, "{walked:?}");
    }
}

#[test]
fn one_long_list_is_always_under_way_once_its_first_page_is_known() {
    for latency in LATENCIES {
        let walked = Simulation::of(&[40_000], latency).walk();
        assert_eq!((walked.calls, walked.idle), (400, latency(0).saturating_sub(GAP)), "{walked:?}");
    }
}

#[test]
fn many_lists_of_all_lengths_are_always_under_way_and_little_waits() {
    check(&CAMPUSES);
    check(&CAMPUSES.iter().rev().copied().collect::<Vec<_>>());
    check(&[150; 60]);
    check(&[10; 300]);
}

#[test]
fn a_list_is_opened_while_there_are_pages_to_ask_for_until_it_is_known() {
    // Were the second one opened when all of the first is asked for, nothing could be asked for until it is answered.
    for latency in LATENCIES {
        let walked = Simulation::of(&[4000, 4000, 4000], latency).walk();
        let first = Simulation::of(&[4000], latency).walk();
        assert_eq!(walked.calls, 120);
        assert!(walked.idle <= first.idle, "{walked:?}");
    }
}

#[test]
fn a_glance_is_one_call_among_the_last_and_nobody_waits_for_it_alone() {
    for latency in LATENCIES {
        let walked = Simulation::of(&CAMPUSES, latency).glancing().walk();
        assert_eq!((walked.calls, walked.idle), (pages(&CAMPUSES) + 1, 0), "{walked:?}");
        let place = walked.order.iter().position(|list| *list == CAMPUSES.len());
        assert!(place.is_some_and(|place| place + IN_FLIGHT > walked.order.len()), "{walked:?}");
        // Its own answer, or one of those that were under way before it.
        let under_way = (0..walked.calls).map(|number| number * GAP + latency(number));
        assert_eq!(Some((walked.calls - 1) * GAP + walked.tail), under_way.max());
    }
}
