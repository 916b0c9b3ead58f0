//! Tests of following: the list is invented, and moves while it is read.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// What the real API may be like.
#[derive(Clone, Copy, Debug)]
struct Habits {
    ends_included: bool,
    says_total: bool,
    sorts: Sorts,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sorts {
    Right,
    Refused,
    /// It takes the order and does not keep to it.
    Wrong,
    /// It takes the order and gives ids rising.
    ById,
}

/// A list whose rows have times in microseconds, finer than they are shown.
struct Moving {
    habits: Habits,
    /// Id → microseconds.
    rows: BTreeMap<u64, i64>,
    now: i64,
    calls: u64,
}

impl Moving {
    fn new(habits: Habits, times: impl IntoIterator<Item = i64>) -> Self {
        let rows: BTreeMap<u64, i64> = (10..).zip(times).collect();
        let now = rows.values().max().copied().unwrap_or(0) + 1_000_000;
        Self { habits, rows, now, calls: 0 }
    }

    /// A number that is the same in each run.
    fn chance(&self, salt: u64) -> u64 {
        (self.calls + 1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(salt.wrapping_mul(0xD1B5_4A32_D192_ED03))
            >> 20
    }

    /// Some rows change now.
    fn move_on(&mut self, count: u64) {
        let ids: Vec<u64> = self.rows.keys().copied().collect();
        for turn in 0..count {
            self.now += 700;
            let id = ids[(self.chance(turn) % ids.len() as u64) as usize];
            self.rows.insert(id, self.now);
        }
    }

    fn answer(&mut self, ask: &Ask) -> Heard {
        self.calls += 1;
        if ask.order != Order::Any && self.habits.sorts == Sorts::Refused {
            return Heard::Unsortable(anyhow!("400: Sort Error"));
        }
        let within = |value: i64, (low, high): (i64, i64)| {
            if self.habits.ends_included {
                low <= value && value <= high
            } else {
                low < value && value < high
            }
        };
        let fits = |(id, time): &(u64, i64)| {
            within(*time, (ask.time.0 * 1000, ask.time.1 * 1000))
                && ask.ids.is_none_or(|(low, high)| within(*id as i64, (low as i64, high as i64)))
        };
        let mut found: Vec<(u64, i64)> =
            self.rows.iter().map(|(id, time)| (*id, *time)).filter(fits).collect();
        match ask.order {
            Order::ById if self.habits.sorts == Sorts::Right => {}
            _ if self.habits.sorts == Sorts::ById => {}
            Order::ByTime if self.habits.sorts == Sorts::Right => {
                found.sort_by_key(|(id, time)| (*time, *id))
            }
            _ => found.sort_by_key(|(id, _)| self.chance(*id)),
        }
        let total = self.habits.says_total.then_some(found.len() as u64);
        let records = found.iter().take(100).map(|(id, time)| {
            let text = format!(r#"{{"id":{id},"updated_at":"{}","micros":{time}}}"#, instant(time / 1000));
            RawValue::from_string(text).unwrap()
        });
        let date = DateTime::from_timestamp(self.now / 1_000_000, 0);
        Heard::Page(Listing { records: records.collect(), total, per_page: None, date })
    }
}

const START: i64 = 1_800_000_000_000;

fn since(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

/// Follows a list, whose rows move after each call; gives the ids and times that came.
fn follow(moving: &mut Moving, documented: bool, moves: u64) -> BTreeSet<(u64, i64)> {
    let mut seen = BTreeSet::new();
    let mut steps = Steps::new("updated_at", since(START), None, documented, None).unwrap();
    while let Some(ask) = steps.ask() {
        let heard = moving.answer(&ask);
        let cursor_before = steps.cursor().unwrap();
        for record in steps.hear(heard).unwrap() {
            let record: serde_json::Value = serde_json::from_str(record.get()).unwrap();
            seen.insert((record["id"].as_u64().unwrap(), record["micros"].as_i64().unwrap()));
        }
        assert!(moving.calls < 2_000, "it does not end: {:?}", steps.way);
        // As if killed, wherever something was got; what a cursor does not hold costs calls, and no row.
        let cursor = steps.cursor().unwrap();
        if cursor != cursor_before {
            steps = Steps::new("updated_at", since(START), None, documented, Some(&cursor)).unwrap();
        }
        moving.move_on(moves);
    }
    seen
}

fn all_habits() -> Vec<Habits> {
    let mut habits = Vec::new();
    for ends_included in [true, false] {
        for says_total in [true, false] {
            for sorts in [Sorts::Right, Sorts::Refused, Sorts::Wrong, Sorts::ById] {
                habits.push(Habits { ends_included, says_total, sorts });
            }
        }
    }
    habits
}

/// Checks that nothing is lost whatever the API is like; returns the most calls that a sorted list took.
fn check_nothing_is_lost(times: &[i64], moves: u64) -> u64 {
    let mut most = 0;
    for habits in all_habits() {
        for documented in [true, false] {
            if documented && habits.sorts == Sorts::ById {
                continue;
            }
            let mut moving = Moving::new(habits, times.iter().copied());
            let begun = moving.now;
            let wanted: BTreeSet<_> =
                moving.rows.clone().into_iter().filter(|row| row.1 >= START * 1000).collect();
            let seen = follow(&mut moving, documented, moves);
            for (id, time) in wanted {
                // A row that moved meanwhile is seen as it was, or as it became.
                let is_seen =
                    seen.contains(&(id, time)) || seen.range((id, begun)..=(id, i64::MAX)).next().is_some();
                assert!(is_seen, "{id} of {time} is lost: {habits:?}, documented {documented}");
            }
            if habits.sorts == Sorts::Right && habits.says_total {
                most = most.max(moving.calls);
            }
        }
    }
    most
}

#[test]
fn what_fits_a_page_costs_one_call_whatever_the_list_is_like() {
    for habits in all_habits().into_iter().filter(|habits| habits.sorts != Sorts::Refused) {
        for count in [0, 1, 99] {
            let mut moving = Moving::new(habits, (0..count).map(|row| START * 1000 + row));
            assert_eq!(follow(&mut moving, true, 0).len(), count as usize);
            assert_eq!(moving.calls, 1, "{habits:?}");
        }
    }
    let mut moving = Moving::new(
        Habits { ends_included: true, says_total: true, sorts: Sorts::Refused },
        [START * 1000; 100],
    );
    assert_eq!(
        (follow(&mut moving, false, 0).len(), moving.calls),
        (100, 1),
        "an undocumented sort is not tried"
    );
}

#[test]
fn a_long_gap_is_caught_up_while_the_list_moves() {
    // Not in the order of the ids.
    let times: Vec<i64> = (0..3_000).map(|row| START * 1000 + row * 7 % 3_000 * 61_000_007).collect();
    assert!(check_nothing_is_lost(&times, 5) <= 35);
}

#[test]
fn more_than_a_page_within_one_instant_is_walked_by_id() {
    // 450 rows at one microsecond, 150 spread over one millisecond, and the milliseconds beside them.
    let mut times = vec![START * 1000 + 5_000; 450];
    times.extend((0..150).map(|row| START * 1000 + 6_000 + row * 6));
    times.extend([4_000, 4_999, 5_001, 5_999, 7_000, 7_001, 8_000, 9_000].map(|more| START * 1000 + more));
    times.extend((0..120).map(|row| START * 1000 + 10_000 + row));
    check_nothing_is_lost(&times, 0);
    check_nothing_is_lost(&times, 3);
}

#[test]
fn an_order_by_id_is_not_taken_for_the_one_by_time() {
    // A hundred rows that rise by chance, the last of them far ahead, and rows behind it that changed before it.
    let mut times: Vec<i64> = (0..99).map(|row| START * 1000 + row * 1_000_000).collect();
    times.extend((0..200).map(|row| START * 1000 + 900_000_000 - row * 1_000_000));
    // A hundred of one instant before others that changed earlier.
    let mut instant = vec![START * 1000 + 500_000_000; 100];
    instant.extend((0..50).map(|row| START * 1000 + row * 1_000_000));
    for times in [times, instant] {
        let habits = Habits { ends_included: true, says_total: true, sorts: Sorts::ById };
        let mut moving = Moving::new(habits, times.iter().copied());
        assert_eq!(follow(&mut moving, false, 0).len(), times.len());
    }
}

#[test]
fn a_total_below_what_is_there_is_not_believed() {
    let mut moving = Moving::new(
        Habits { ends_included: true, says_total: true, sorts: Sorts::Right },
        (0..250).map(|row| START * 1000 + row * 1_000_000),
    );
    let mut steps = Steps::new("updated_at", since(START), None, true, None).unwrap();
    let mut seen = BTreeSet::new();
    while let Some(ask) = steps.ask() {
        let Heard::Page(listing) = moving.answer(&ask) else { panic!("it sorts") };
        let listing = Listing { total: Some(30), ..listing };
        seen.extend(steps.hear(Heard::Page(listing)).unwrap().iter().filter_map(|record| id(record)));
    }
    assert_eq!(seen.len(), 250);
}

#[test]
fn the_first_instant_belongs_to_the_window() {
    check_nothing_is_lost(&[START * 1000 - 5_000, START * 1000, START * 1000 + 1], 0);
    check_nothing_is_lost(&[START * 1000; 300], 0);
}

#[test]
fn a_window_with_an_end_holds_the_end_and_little_more() {
    for habits in all_habits() {
        let mut moving = Moving::new(habits, (0..2_000).map(|row| (START + row) * 1000));
        let until = since(START + 1_000);
        let mut steps = Steps::new("updated_at", since(START), Some(until), true, None).unwrap();
        let mut seen = BTreeSet::new();
        while let Some(ask) = steps.ask() {
            assert!(ask.time.1 <= START + 1_003, "{ask:?}");
            let heard = moving.answer(&ask);
            seen.extend(steps.hear(heard).unwrap().iter().filter_map(|record| id(record)));
            assert!(moving.calls < 1_000);
        }
        assert!((10..=1_010).all(|id| seen.contains(&id)), "{habits:?}: {}", seen.len());
    }
}

#[test]
fn an_api_that_ignores_the_range_is_refused() {
    let mut steps = Steps::new("updated_at", since(START), None, true, None).unwrap();
    let text = format!(r#"{{"id":1,"updated_at":"{}"}}"#, instant(START - 1_000));
    let records = vec![RawValue::from_string(text).unwrap()];
    let listing = Listing { records, total: Some(500), per_page: None, date: None };
    let error = steps.hear(Heard::Page(listing)).unwrap_err();
    assert!(error.to_string().contains("outside of range[updated_at]"));
}

#[test]
fn rows_that_are_announced_and_never_given_end_with_an_error() {
    for documented in [true, false] {
        let mut steps = Steps::new("updated_at", since(START), None, documented, None).unwrap();
        let mut answers = 0;
        let error = loop {
            let listing = Listing { records: Vec::new(), total: Some(7), per_page: None, date: None };
            answers += 1;
            assert!(answers < 10);
            if let Err(error) = steps.hear(Heard::Page(listing)) {
                break error;
            }
        };
        assert_eq!(Verdict::of(&error), Verdict::Unreachable);
    }
}

#[test]
fn a_cursor_is_read_back_and_a_wrong_one_refused() {
    let mut steps = Steps::new("updated_at", since(START), None, true, None).unwrap();
    steps.way = Way::Tie { low: START, after: 7 };
    let cursor = steps.cursor().unwrap();
    assert_eq!(cursor, r#"{"tie":{"low":1800000000000,"after":7}}"#);
    let again = Steps::new("updated_at", since(START), None, true, Some(&cursor)).unwrap();
    assert_eq!(again.ask(), steps.ask());
    assert!(Steps::new("updated_at", since(START), None, true, Some("x")).is_err());
}
