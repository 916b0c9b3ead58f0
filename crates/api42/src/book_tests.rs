//! Tests of the arithmetic of the pace: time is invented, nothing waits.

use super::*;

pub(super) const ALL: Share = Share::of_host(1.0);
const HALF: Share = Share::of_host(0.5);
const QUARTER: Share = Share::of_host(0.25);

/// A small generator of its own, so that a failure can be repeated.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

pub(super) fn hints(limits: Option<(u32, u32)>, remaining: Option<u32>) -> Hints {
    let (per_second, per_hour) = limits.unzip();
    Hints { per_second, per_hour, remaining, ..Hints::default() }
}

pub(super) fn with_limits(per_second: u32, per_hour: u32) -> Book {
    let mut book = Book::new("boot");
    book.learn(Ticket(0), &hints(Some((per_second, per_hour)), None), 0);
    book
}

/// Lets calls go for a while; each wait is overslept by up to `oversleep`, and every fifth call is sent late, too, as when
/// a connection has to be made for it. Returns when they went.
fn run(
    book: &mut Book,
    from: Micros,
    until: Micros,
    share: Share,
    oversleep: u64,
    dice: &mut Dice,
) -> Vec<Micros> {
    let mut now = from;
    let mut sent = Vec::new();
    while now < until {
        match book.claim(now, share) {
            Decision::Go(_) => {
                let late = if dice.roll(5) == 0 { dice.roll(oversleep) } else { dice.roll(LATE) };
                sent.push(now + late);
                if late > LATE {
                    book.push_on(now + late, share);
                }
            }
            Decision::Wait(due, _) => now = due.max(now + 1) + dice.roll(oversleep),
        }
    }
    sent
}

pub(super) fn most_in(sent: &[Micros], window: Micros) -> usize {
    let mut sorted = sent.to_vec();
    sorted.sort_unstable();
    let end = |start: &Micros| sorted.partition_point(|instant| *instant < start + window);
    sorted.iter().enumerate().map(|(first, start)| end(start) - first).max().unwrap_or(0)
}

#[test]
fn no_sliding_second_ever_holds_more_than_the_limit() {
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let limit = [1, 2, 3, 8, 20][seed as usize % 5];
        let mut book = with_limits(limit, 1_000_000);
        let oversleep = 1 + dice.roll(120_000);
        let sent = run(&mut book, 5 * SECOND, 45 * SECOND, ALL, oversleep, &mut dice);
        assert!(most_in(&sent, SECOND) <= limit as usize, "seed {seed} limit {limit}");
    }
}

#[test]
fn an_ordinary_sleeper_gets_nearly_the_whole_limit() {
    for limit in [1_u32, 2, 8, 30] {
        let mut book = with_limits(limit, 1_000_000);
        let sent = run(&mut book, 0, 100 * SECOND, ALL, 3_000, &mut Dice(7));
        let rate = sent.len() as f64 / 100.0;
        assert!(rate >= 0.95 * f64::from(limit) && rate <= f64::from(limit), "{rate} of {limit}");
    }
}

#[test]
fn two_a_second_means_at_least_nineteen_in_ten() {
    let sent = run(&mut Book::new("boot"), 0, 100 * SECOND, ALL, 3_000, &mut Dice(1));
    assert!(sent.len() >= 190, "{}", sent.len());
}

#[test]
fn no_sliding_hour_ever_holds_more_than_the_limit() {
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let per_hour = 200 + dice.roll(1200) as u32;
        let mut book = with_limits(2, per_hour);
        let sent = run(&mut book, 0, 5 * HOUR, ALL, 1 + dice.roll(SECOND), &mut dice);
        assert!(most_in(&sent, HOUR) <= per_hour as usize, "seed {seed}");
        // Whole minutes are counted, so an hour is up to 61 of them.
        assert!(sent.len() as f64 >= 4.5 * f64::from(per_hour), "seed {seed}: {} of {per_hour}", sent.len());
    }
}

#[test]
fn two_hosts_with_half_the_limit_each_keep_it_together() {
    let (mut here, mut there) = (with_limits(2, 1200), with_limits(2, 1200));
    let mut sent = run(&mut here, 0, 2 * HOUR, HALF, 50_000, &mut Dice(3));
    sent.extend(run(&mut there, 300_000, 2 * HOUR, HALF, 50_000, &mut Dice(4)));
    assert!(most_in(&sent, SECOND) <= 2);
    assert!(most_in(&sent, HOUR) <= 1200);
}

#[test]
fn a_slot_that_is_taken_late_pushes_the_next_one_on() {
    let mut book = Book::new("boot");
    assert_eq!(book.claim(SECOND, ALL), Decision::Go(Ticket(1)));
    // Nobody knows since when the first slot was there.
    assert_eq!(book.claim(SECOND, ALL), Decision::Wait(1_512_500, Why::Gap));
    // A little late keeps the rhythm, what is more pushes it on.
    assert_eq!(book.claim(1_516_000, ALL), Decision::Go(Ticket(2)));
    assert_eq!(book.claim(1_516_000, ALL), Decision::Wait(2_030_000, Why::Gap));
    assert_eq!(book.claim(2_100_000, ALL), Decision::Go(Ticket(3)));
    assert_eq!(book.claim(2_100_000, ALL), Decision::Wait(2_612_500, Why::Gap));
    // Claimed in time, sent 80 ms later.
    book.push_on(2_180_000, ALL);
    assert_eq!(book.claim(2_200_000, ALL), Decision::Wait(2_692_500, Why::Gap));
}

#[test]
fn a_host_that_is_told_to_slow_down_spaces_its_calls_for_an_hour() {
    let mut book = Book::new("boot");
    book.hear(Heard::Throttled, SECOND);
    book.hear(Heard::Throttled, SECOND);
    assert_eq!(book.gap(ALL), 527_500);
    (0..100).for_each(|_| book.hear(Heard::Throttled, MINUTE));
    assert_eq!(book.gap(ALL), 567_500);
    book.forget(HOUR + 4 * MINUTE);
    assert_eq!(book.gap(ALL), 517_500);
}

#[test]
fn limits_are_those_that_the_api_announces() {
    let mut book = Book::new("boot");
    assert_eq!(book.gap(ALL), 517_500);
    book.learn(Ticket(1), &hints(Some((8, 1400)), None), SECOND);
    assert_eq!((book.gap(ALL), book.reach(SECOND, ALL)), (129_375, 1400));
    assert_eq!((book.gap(QUARTER), book.reach(SECOND, QUARTER)), (517_500, 350));
    book.learn(Ticket(2), &hints(Some((0, 0)), None), SECOND);
    assert_eq!((book.gap(ALL), book.reach(SECOND, ALL)), (129_375, 1400));
    book.learn(Ticket(3), &hints(Some((1, 600)), None), SECOND);
    assert_eq!((book.gap(ALL), book.reach(SECOND, ALL)), (1_035_000, 600));
}

/// A book that let `count` calls go in its first minute.
fn after(count: u64) -> Book {
    let mut book = with_limits(1000, 1200);
    for call in 0..count {
        assert!(matches!(book.claim(SECOND + call * 10_000, ALL), Decision::Go(_)));
    }
    book
}

#[test]
fn an_hour_that_is_used_up_is_waited_for() {
    let mut book = after(1200);
    assert_eq!(book.claim(30 * SECOND, ALL), Decision::Wait(HOUR + MINUTE + SECOND, Why::Hour));
    assert!(matches!(book.claim(HOUR + MINUTE + SECOND, ALL), Decision::Go(_)));
}

#[test]
fn a_header_that_knows_of_more_is_believed() {
    // The API counts by the clock hour, and a new one began.
    let mut book = after(1200);
    book.learn(Ticket(1200), &hints(None, Some(1199)), 30 * SECOND);
    assert!(matches!(book.claim(31 * SECOND, ALL), Decision::Go(_)));
    // One was sent since, and four may have been on their way past the one that was answered.
    assert_eq!(book.allowed(31 * SECOND, ALL), 1194);
}

#[test]
fn a_call_that_overtakes_another_does_not_lend_its_place() {
    let mut book = with_limits(2, 20);
    book.calls = 20;
    book.minutes.push_back((0, 20));
    let now = 30 * SECOND;
    // The twentieth arrived before the nineteenth.
    book.learn(Ticket(20), &hints(None, Some(1)), now);
    assert!(matches!(book.claim(now, ALL), Decision::Wait(_, Why::Hour)));
}

#[test]
fn calls_of_somebody_else_are_left_room_for_an_hour() {
    let mut book = after(100);
    let now = 30 * SECOND;
    book.learn(Ticket(100), &hints(None, Some(300)), now);
    assert_eq!(book.allowed(now, ALL), 300);
    book.calls = 101;
    book.learn(Ticket(101), &hints(None, Some(0)), now);
    assert_eq!(book.claim(now, ALL), Decision::Wait(now + HOUR, Why::Hour));
    assert_eq!(
        book.allowed(now + HOUR, ALL),
        1100,
        "the header is an hour old, our own calls are not forgotten yet"
    );
}

#[test]
fn the_share_of_other_hosts_is_not_mistaken_for_strangers() {
    let mut book = after(100);
    let now = 30 * SECOND;
    // Half of 1200 is ours. The others used all of theirs: 500 are left for us.
    book.learn(Ticket(100), &hints(None, Some(500)), now);
    assert_eq!(book.allowed(now, HALF), 500);
    // They used nothing: no more than our half for all that.
    book.calls = 101;
    book.learn(Ticket(101), &hints(None, Some(1099)), now);
    assert_eq!(book.allowed(now, HALF), 500);
    // Somebody used 200 more than the others' half.
    book.calls = 102;
    book.learn(Ticket(102), &hints(None, Some(300)), now);
    assert_eq!(book.allowed(now, HALF), 300);
}

#[test]
fn bulk_work_leaves_a_share_of_the_hour_to_live_work() {
    let bulk = Share { class: Class::Bulk, hour: 0.75, ..ALL };
    let mut book = after(900);
    let now = 30 * SECOND;
    assert_eq!(book.gap(bulk), book.gap(ALL), "calls a second are not affected");
    for remaining in [None, Some(300)] {
        book.learn(Ticket(900), &hints(None, remaining), now);
        assert!(matches!(book.claim(now, bulk), Decision::Wait(_, Why::Kept)));
        assert_eq!(book.allowed(now, ALL), 300);
    }
}

#[test]
fn answers_out_of_order_do_not_turn_the_count_back() {
    let mut book = after(10);
    let now = 30 * SECOND;
    book.learn(Ticket(9), &hints(None, Some(1191)), now);
    book.learn(Ticket(3), &hints(None, Some(1197)), now);
    assert_eq!(book.allowed(now, ALL), 1190);
    book.learn(Ticket(10), &hints(None, None), now);
    assert_eq!(book.allowed(now, ALL), 1190);
}

#[test]
fn a_pause_is_for_everybody_and_as_long_as_the_api_says() {
    let mut book = after(1);
    book.throttle(Ticket(1), Some(7 * SECOND), 10 * SECOND, 0.5);
    assert_eq!(book.claim(11 * SECOND, ALL), Decision::Wait(17 * SECOND, Why::Hold));
    assert!(matches!(book.claim(17 * SECOND, ALL), Decision::Go(_)));
    book.throttle(Ticket(2), Some(1_000_000 * SECOND), 20 * SECOND, 0.5);
    assert_eq!(book.claim(21 * SECOND, ALL), Decision::Wait(20 * SECOND + LONGEST_HOLD, Why::Hold));
}

#[test]
fn a_guessed_pause_grows_with_each_burst_not_with_each_answer() {
    let mut book = after(4);
    let mut now = 10 * SECOND;
    for call in 1..=4 {
        book.throttle(Ticket(call), None, now, 0.5);
    }
    assert_eq!(book.hold_until, now + SECOND * 3 / 2);
    for seconds in [3, 6, 12] {
        now = book.hold_until + SECOND;
        let Decision::Go(ticket) = book.claim(now, ALL) else { panic!("still held") };
        book.throttle(ticket, Some(0), now, 0.5);
        assert_eq!(book.hold_until, now + seconds * SECOND);
    }
    now = book.hold_until + SECOND;
    let Decision::Go(ticket) = book.claim(now, ALL) else { panic!("still held") };
    book.succeed(ticket);
    book.throttle(Ticket(ticket.0 + 1), None, now, 0.0);
    assert_eq!(book.hold_until, now + SECOND, "a success in between starts over");
    assert_eq!(guess(u32::MAX, 1.0), 60 * SECOND);
}

#[test]
fn a_book_that_is_not_ours_is_no_book() {
    let mut book = after(3);
    let bytes = book.write(100 * SECOND).unwrap();
    assert_eq!(Book::read(&bytes, "boot", 101 * SECOND).unwrap().calls, 3);
    assert!(Book::read(&bytes, "another boot", 101 * SECOND).is_none());
    assert!(Book::read(&bytes, "boot", 99 * SECOND).is_none(), "written in the future");
    assert!(Book::read(&bytes[..bytes.len() - 1], "boot", 101 * SECOND).is_none());
    assert!(Book::read(b"", "boot", 101 * SECOND).is_none());
    book.next = 9 * HOUR;
    let bytes = book.write(100 * SECOND).unwrap();
    assert!(Book::read(&bytes, "boot", 101 * SECOND).is_none(), "a slot in hours cannot be right");
}

#[test]
fn an_answer_to_a_call_of_a_lost_book_does_not_hide_the_calls_of_this_one() {
    let mut book = with_limits(1000, 1200);
    book.learn(Ticket(5000), &hints(None, Some(1190)), SECOND);
    let sent = run(&mut book, SECOND, HOUR / 2, ALL, 1000, &mut Dice(1));
    assert!(sent.len() <= 1200, "{}", sent.len());
}
