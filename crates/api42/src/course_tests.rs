//! Tests of the reading of one list: the list is invented, and moves when a test says so.

use super::*;
use serde_json::value::RawValue;

/// The answer of the API to a page, as of now.
fn listing(ids: &[u64], page: u32, total: Option<u64>) -> Listing {
    let begin = ((u64::from(page) - 1) * PAGE_SIZE) as usize;
    let records = ids.iter().skip(begin).take(PAGE_SIZE as usize);
    let records = records.map(|id| RawValue::from_string(format!(r#"{{"id":{id}}}"#)).unwrap());
    Listing { records: records.collect(), total, per_page: None, date: None }
}

#[derive(Default)]
struct Reading {
    /// Pages in the order in which they were asked for.
    asked: Vec<u32>,
    given: Vec<u32>,
    ids: HashSet<u64>,
    failed: bool,
}

/// Reads a list to its end, one call at a time; `list` is told the number of the call and returns the list as of then.
fn read(mut course: Course, mut list: impl FnMut(usize) -> Vec<u64>, counted: bool) -> Reading {
    let mut reading = Reading::default();
    loop {
        assert!(reading.asked.len() < 200, "{:?}", reading.asked);
        match course.step() {
            Step::Give { number, listing, last } => {
                reading.given.push(number);
                reading.ids.extend(listing.records.iter().filter_map(|record| id(record)));
                if last {
                    return reading;
                }
            }
            Step::Wait => {
                let ask = course.wanted().expect("something is wanted while waiting");
                assert!(course.is_urgent(ask));
                course.asked(ask);
                reading.asked.push(ask.page);
                let now = list(reading.asked.len());
                let total = counted.then_some(now.len() as u64);
                course.arrive(ask, Ok(listing(&now, ask.page, total)));
            }
            Step::Fail(error) => {
                assert_eq!(Verdict::of(&error), Verdict::Unreachable);
                reading.failed = true;
                return reading;
            }
        }
    }
}

fn fresh() -> Course {
    Course::new(1, None, HashSet::new())
}

fn descending(count: u64) -> Vec<u64> {
    (1..=count).rev().collect()
}

#[test]
fn a_list_at_rest_costs_its_pages_and_no_more() {
    for (count, calls) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (1000, 10), (1001, 11)] {
        let reading = read(fresh(), |_| descending(count), true);
        assert_eq!(reading.asked.len(), calls, "{count}");
        assert_eq!(reading.ids.len() as u64, count);
    }
}

#[test]
fn without_a_total_the_first_short_page_is_the_end() {
    for (count, calls) in [(0, 1), (99, 1), (100, 2), (101, 2), (200, 3)] {
        let reading = read(fresh(), |_| descending(count), false);
        assert_eq!(reading.asked.len(), calls, "{count}");
        assert_eq!(reading.ids.len() as u64, count);
    }
}

#[test]
fn a_list_without_pages_is_read_once_or_twice_and_never_for_ever() {
    for (count, calls) in [(250, 1), (100, 2)] {
        let mut course = fresh();
        let mut asked = 0;
        loop {
            match course.step() {
                Step::Wait => {
                    let ask = course.wanted().unwrap();
                    course.asked(ask);
                    asked += 1;
                    let records =
                        (0..count).map(|id| RawValue::from_string(format!(r#"{{"id":{id}}}"#)).unwrap());
                    let listing =
                        Listing { records: records.collect(), total: None, per_page: None, date: None };
                    course.arrive(ask, Ok(listing));
                }
                Step::Give { last: true, .. } => break,
                Step::Give { .. } => {}
                Step::Fail(error) => panic!("{error:#}"),
            }
        }
        assert_eq!(asked, calls);
    }
}

#[test]
fn a_list_that_grows_gives_its_new_pages_too() {
    // Sorted by id ascending: what is new comes last.
    let reading = read(fresh(), |call| (1..=if call < 2 { 150 } else { 250 }).collect(), true);
    assert_eq!(reading.given, [1, 2, 3]);
    assert_eq!(reading.ids.len(), 250);
}

#[test]
fn rows_that_slip_over_a_boundary_are_read_again() {
    // 42 rows of the first page leave before the second is read, so 42 of the second slip onto the first.
    let mut rows: Vec<u64> = (0..300).collect();
    let reading = read(
        fresh(),
        |call| {
            if call == 2 {
                rows.drain(10..52);
            }
            rows.clone()
        },
        true,
    );
    assert_eq!(reading.asked, [1, 2, 1, 3]);
    assert_eq!(
        reading.given,
        [1, 1, 2, 3],
        "what is read again comes first, so that a kill in between loses nothing"
    );
    assert!((52..300).all(|id| reading.ids.contains(&id)));
}

#[test]
fn a_fall_by_pages_reads_as_many_pages_again() {
    assert_eq!(mend(8, 1, 100), Mend::Reread(vec![7]));
    assert_eq!(mend(8, 100, 100), Mend::Reread(vec![7]));
    assert_eq!(mend(8, 101, 100), Mend::Reread(vec![6, 7]));
    assert_eq!(mend(8, 700, 100), Mend::Reread((1..8).collect()));
    assert_eq!(mend(8, 701, 100), Mend::Restart);
    assert_eq!(mend(1, 1, 100), Mend::Restart);
    assert_eq!(mend(8, u64::MAX, 100), Mend::Restart);
}

#[test]
fn no_row_that_stays_is_lost_however_rows_leave() {
    for seed in 0..200_u64 {
        let mut state = seed;
        let mut roll = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut rows = descending(950);
        let reading = read(
            fresh(),
            |_| {
                for _ in 0..roll(4) {
                    rows.remove(roll(rows.len() as u64) as usize);
                }
                rows.clone()
            },
            true,
        );
        assert!(rows.iter().all(|id| reading.ids.contains(id)), "seed {seed}");
    }
}

#[test]
fn a_list_in_no_order_is_read_again_until_nothing_is_missing() {
    let mut call_of_round = 0;
    let reading = read(
        fresh(),
        |call| {
            call_of_round = call;
            let mut rows = descending(250);
            // The second page of the first reading shows rows of the first one.
            if call == 2 {
                rows.rotate_right(30);
            }
            rows
        },
        true,
    );
    assert_eq!(reading.given, [1, 2, 3, 1, 2], "the second reading ends as soon as all are there");
    assert_eq!(reading.ids.len(), 250);
}

#[test]
fn records_that_never_come_are_a_failure_after_three_readings() {
    let mut course = fresh();
    let mut given = 0;
    let error = loop {
        match course.step() {
            Step::Wait => {
                let ask = course.wanted().unwrap();
                course.asked(ask);
                course.arrive(ask, Ok(listing(&descending(120), ask.page, Some(130))));
            }
            Step::Give { last, .. } => {
                assert!(!last);
                given += 1;
            }
            Step::Fail(error) => break error,
        }
    };
    assert_eq!(given, 8);
    let message = format!("{error:#}");
    assert_eq!(message, "the API announced 130 records and gave 120 in 4 readings; try again later");
}

#[test]
fn an_announced_total_beyond_all_reason_ends_at_the_empty_page() {
    let mut course = fresh();
    let mut asked = 0;
    loop {
        match course.step() {
            Step::Wait => {
                let ask = course.wanted().unwrap();
                course.asked(ask);
                asked += 1;
                course.arrive(ask, Ok(listing(&descending(120), ask.page, Some(u64::MAX))));
            }
            Step::Give { .. } => {}
            Step::Fail(_) => break,
        }
    }
    assert_eq!(asked, 12);
}

#[test]
fn an_interrupted_reading_goes_on_where_it_was() {
    let stored: HashSet<u64> = (0..200).collect();
    let reading = read(Course::new(3, Some(450), stored.clone()), |_| (0..450).collect(), true);
    assert_eq!(reading.asked, [3, 4, 5]);
    // 50 of the stored rows left meanwhile.
    let reading = read(Course::new(3, Some(450), stored.clone()), |_| (50..450).collect(), true);
    assert_eq!(reading.asked, [3, 2, 4]);
    assert!((200..450).all(|id| reading.ids.contains(&id)));
    // More left than the stored pages hold.
    let reading = read(Course::new(3, Some(450), stored), |_| (250..450).collect(), true);
    assert_eq!(reading.asked, [3, 1, 2]);
    assert_eq!(reading.ids.len(), 200);
}

#[test]
fn an_interrupted_reading_that_lacked_records_finds_them() {
    // The stored pages miss ten rows that the totals do not tell of: as many came as left.
    let stored: HashSet<u64> = (10..200).collect();
    let reading = read(Course::new(3, Some(250), stored), |_| (0..250).collect(), true);
    assert_eq!(reading.asked, [3, 1]);
}

#[test]
fn a_list_that_gives_less_per_page_is_walked_by_its_own_size() {
    let mut course = fresh();
    let mut ids = HashSet::new();
    let mut asked = 0;
    loop {
        match course.step() {
            Step::Wait => {
                let ask = course.wanted().unwrap();
                course.asked(ask);
                asked += 1;
                let begin = u64::from(ask.page - 1) * 30;
                let records = (begin..(begin + 30).min(70))
                    .map(|id| RawValue::from_string(format!(r#"{{"id":{id}}}"#)));
                let records = records.map(Result::unwrap).collect();
                course.arrive(ask, Ok(Listing { records, total: Some(70), per_page: Some(30), date: None }));
            }
            Step::Give { listing, last, .. } => {
                ids.extend(listing.records.iter().filter_map(|record| id(record)));
                if last {
                    break;
                }
            }
            Step::Fail(error) => panic!("{error:#}"),
        }
    }
    assert_eq!((asked, ids.len()), (3, 70));
}

#[test]
fn an_id_is_an_unsigned_integer_at_the_top() {
    let id_of = |text: &str| id(&RawValue::from_string(text.to_owned()).unwrap());
    assert_eq!(id_of(r#"{"user":{"id":1},"id":18446744073709551615}"#), Some(u64::MAX));
    for text in [
        r#"{"id":-1}"#,
        r#"{"id":"7"}"#,
        r#"{"id":null}"#,
        r#"{"user":{"id":1}}"#,
        "7",
        "null",
        r#"{"id":1.5}"#,
    ] {
        assert_eq!(id_of(text), None, "{text}");
    }
}

#[test]
fn records_without_an_id_count_as_records() {
    let mut course = fresh();
    let ask = course.wanted().unwrap();
    course.asked(ask);
    let records = (0..3).map(|_| RawValue::from_string("{}".to_owned()).unwrap()).collect();
    course.arrive(ask, Ok(Listing { records, total: Some(3), per_page: None, date: None }));
    assert!(matches!(course.step(), Step::Give { last: true, .. }));
}

#[test]
fn answers_of_an_earlier_reading_are_dropped() {
    let mut course = fresh();
    let first = course.wanted().unwrap();
    course.asked(first);
    course.arrive(first, Ok(listing(&descending(150), 1, Some(250))));
    let second = course.wanted().unwrap();
    course.asked(second);
    let third = course.wanted().unwrap();
    course.asked(third);
    assert!(matches!(course.step(), Step::Give { number: 1, .. }));
    course.arrive(second, Ok(listing(&[], 2, Some(250))));
    assert!(
        matches!(course.step(), Step::Give { number: 2, last: false, .. }),
        "an empty page ends the reading"
    );
    course.arrive(third, Ok(listing(&descending(150), 3, Some(250))));
    assert_eq!(course.waiting(), 0);
}
