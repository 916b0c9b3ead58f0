//! Tests of the classes: four kinds of work share one book. Time is invented, nothing waits.

use super::tests::{ALL, Dice, hints, most_in, with_limits};
use super::*;

fn of(class: Class) -> Share {
    Share { class, host: 1.0, hour: class.hour_share(), by_class: true }
}

/// A process that makes calls: one after the other, as long as it has something to do.
struct Worker {
    class: Class,
    /// Calls it wants to make now, and when the first of them became due.
    wanted: u64,
    since: Micros,
    /// When it looks at the book next, and when it gets more to do.
    wakes: Micros,
    more: Micros,
    /// More to do comes after so many seconds, so many calls at once, at most.
    every: u64,
    at_once: u64,
    sent: Vec<Micros>,
    longest_wait: Micros,
}

impl Worker {
    fn new(class: Class, every: u64, at_once: u64) -> Self {
        Self {
            class,
            wanted: 0,
            since: 0,
            wakes: 0,
            more: 0,
            every: every * SECOND,
            at_once,
            sent: Vec::new(),
            longest_wait: 0,
        }
    }

    fn step(&mut self, book: &mut Book, now: Micros, dice: &mut Dice) {
        if self.more <= now {
            self.since = if self.wanted == 0 { now } else { self.since };
            self.wanted += 1 + dice.roll(self.at_once);
            self.more = now + self.every;
        }
        if self.wanted == 0 {
            self.wakes = self.more;
            return;
        }
        match book.claim(now, of(self.class)) {
            Decision::Go(_) => {
                self.sent.push(now + dice.roll(LATE));
                self.longest_wait = self.longest_wait.max(now - self.since);
                self.wanted -= 1;
                self.since = now;
                self.wakes = now + 1 + dice.roll(20_000);
            }
            Decision::Wait(due, _) => {
                let due = if self.more > now { due.min(self.more) } else { due };
                self.wakes = due.min(now + 15 * SECOND).max(now) + 1 + dice.roll(4_000);
            }
        }
    }
}

/// Lets workers work from `from` until `until`; who wakes first is first at the book.
fn work(book: &mut Book, workers: &mut [Worker], from: Micros, until: Micros, dice: &mut Dice) {
    workers.iter_mut().for_each(|worker| worker.wakes = worker.wakes.max(from));
    loop {
        let Some(worker) = workers.iter_mut().min_by_key(|worker| worker.wakes) else { return };
        if worker.wakes >= until {
            return;
        }
        let now = worker.wakes;
        worker.step(book, now, dice);
    }
}

fn all(workers: &[Worker]) -> Vec<Micros> {
    workers.iter().flat_map(|worker| worker.sent.iter().copied()).collect()
}

fn between(sent: &[Micros], from: Micros, until: Micros) -> usize {
    sent.iter().filter(|instant| (from..until).contains(*instant)).count()
}

const SEEDS: u64 = 24;

#[test]
fn four_kinds_of_work_keep_the_limits_use_them_up_and_none_stands_still() {
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let (per_second, per_hour) = [(2, 1200), (8, 1400), (8, 5000), (20, 10_000)][seed as usize % 4];
        let mut book = with_limits(per_second, per_hour);
        let per_poll = u64::from(per_hour) / 150;
        let mut workers = vec![Worker::new(Class::Live, 60, per_poll)];
        // Live work has been polling for a while when all others start at once.
        let start = HOUR;
        work(&mut book, &mut workers, 0, start, &mut dice);
        workers.push(Worker::new(Class::Hand, 7, 2 * per_poll));
        workers.push(Worker::new(Class::Backlog, 20, 4 * per_poll));
        workers.push(Worker::new(Class::Bulk, 1, 50));
        work(&mut book, &mut workers, start, start + 5 * HOUR, &mut dice);
        let sent = all(&workers);
        assert!(most_in(&sent, SECOND) <= per_second as usize, "seed {seed}");
        assert!(most_in(&sent, HOUR) <= per_hour as usize, "seed {seed}");
        for hour in 0..5 {
            let used = between(&sent, start + hour * HOUR, start + (hour + 1) * HOUR);
            assert!(
                used as f64 >= 0.95 * f64::from(per_hour),
                "seed {seed} hour {hour}: {used} of {per_hour}"
            );
        }
        for worker in &workers {
            let still = worker.sent.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap();
            assert!(still < 10 * MINUTE, "seed {seed} {}: {} s", worker.class, still / SECOND);
        }
        let wait = workers[0].longest_wait;
        assert!(wait < 5 * SECOND, "seed {seed}: a live call waited {} ms", wait / 1000);
    }
}

#[test]
fn live_work_that_never_ends_comes_first_and_lets_the_others_move() {
    let mut dice = Dice(3);
    let mut book = with_limits(2, 1200);
    let mut workers = [
        Worker::new(Class::Live, 1, 20),
        Worker::new(Class::Hand, 1, 20),
        Worker::new(Class::Backlog, 1, 20),
        Worker::new(Class::Bulk, 1, 20),
    ];
    work(&mut book, &mut workers, 0, 4 * HOUR, &mut dice);
    let sent = all(&workers);
    assert!(most_in(&sent, SECOND) <= 2 && most_in(&sent, HOUR) <= 1200);
    let count = |class: Class| workers[class.index()].sent.len();
    assert!(count(Class::Live) * 10 > sent.len() * 8, "{} of {}", count(Class::Live), sent.len());
    for class in [Class::Hand, Class::Backlog, Class::Bulk] {
        for hour in 0..4 {
            let moved = between(&workers[class.index()].sent, hour * HOUR, (hour + 1) * HOUR);
            assert!(moved >= 5, "{class}: {moved} in hour {hour}");
        }
    }
}

#[test]
fn bulk_work_at_full_speed_leaves_live_work_its_whole_hour() {
    let mut dice = Dice(5);
    let mut book = with_limits(8, 1200);
    // Live work has been polling for a while, eight calls a minute and more, when everything else starts at once.
    let mut workers = [Worker::new(Class::Live, 60, 11)];
    work(&mut book, &mut workers, 0, 20 * MINUTE, &mut dice);
    let [live] = workers;
    let others = [Class::Bulk, Class::Backlog, Class::Hand].map(|class| Worker::new(class, 1, 100));
    let mut workers: Vec<_> = std::iter::once(live).chain(others).collect();
    work(&mut book, &mut workers, 20 * MINUTE, 3 * HOUR, &mut dice);
    assert!(most_in(&all(&workers), HOUR) <= 1200);
    let wait = workers[0].longest_wait;
    assert!(wait < 5 * SECOND, "a live call waited {} ms", wait / 1000);
}

#[test]
fn live_work_that_begins_after_all_others_is_not_made_to_wait() {
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let (per_second, per_hour) = [(2, 1200), (8, 1400), (8, 5000)][seed as usize % 3];
        let start = [1, 10][seed as usize % 2] * MINUTE;
        let mut book = with_limits(per_second, per_hour);
        let mut workers: Vec<_> =
            [Class::Bulk, Class::Backlog, Class::Hand].map(|class| Worker::new(class, 1, 100)).into();
        work(&mut book, &mut workers, 0, start, &mut dice);
        let mut live = Worker::new(Class::Live, 60, u64::from(per_hour) / 150);
        live.more = start;
        workers.push(live);
        work(&mut book, &mut workers, start, start + HOUR, &mut dice);
        let wait = workers[3].longest_wait;
        assert!(wait < 5 * SECOND, "seed {seed}: a live call waited {} s", wait / SECOND);
        let used = between(&all(&workers), 0, HOUR);
        assert!(used as f64 >= 0.95 * f64::from(per_hour), "seed {seed}: {used} of {per_hour}");
    }
}

#[test]
fn alone_each_class_fills_the_hour_up_to_its_share() {
    for class in Class::ALL {
        let mut workers = [Worker::new(class, 1, 100)];
        work(&mut with_limits(2, 1200), &mut workers, 0, HOUR, &mut Dice(9));
        let used = workers[0].sent.len() as f64 / 1200.0;
        // A call each two minutes goes beyond it.
        assert!(used > class.hour_share() - 0.01 && used < class.hour_share() + 0.03, "{class}: {used}");
    }
}

#[test]
fn a_call_of_live_work_that_waits_is_let_go_first() {
    let (live, bulk) = (of(Class::Live), of(Class::Bulk));
    let mut book = Book::new("boot");
    assert!(matches!(book.claim(SECOND, bulk), Decision::Go(_)));
    let due = 1_512_500;
    assert_eq!(book.claim(SECOND, bulk), Decision::Wait(due, Why::Gap));
    assert_eq!(book.claim(SECOND, live), Decision::Wait(due, Why::Gap));
    assert!(matches!(book.claim(due, bulk), Decision::Wait(until, Why::Gap) if until < due + SECOND / 10));
    assert!(matches!(book.claim(due + 1_000, live), Decision::Go(_)));
    assert!(matches!(book.claim(book.next, bulk), Decision::Go(_)), "nobody live waits any more");
}

#[test]
fn a_killed_process_is_waited_for_no_longer_than_a_moment() {
    let (live, bulk) = (of(Class::Live), of(Class::Bulk));
    let mut book = Book::new("boot");
    assert!(matches!(book.claim(SECOND, bulk), Decision::Go(_)));
    assert!(matches!(book.claim(SECOND, live), Decision::Wait(..)));
    // It never comes back.
    let sent = run_one(&mut book, 1_517_500, bulk);
    assert!(sent <= 1_517_500 + SECOND / 2, "{sent}");
}

/// When a single waiting call goes.
fn run_one(book: &mut Book, from: Micros, share: Share) -> Micros {
    let mut now = from;
    loop {
        match book.claim(now, share) {
            Decision::Go(_) => return now,
            Decision::Wait(due, _) => now = due.max(now + 1),
        }
    }
}

#[test]
fn the_eighth_slot_is_for_the_others() {
    let (live, bulk) = (of(Class::Live), of(Class::Bulk));
    let mut book = Book::new("boot");
    let mut now = SECOND;
    let mut order = Vec::new();
    while order.len() < 24 {
        for share in [live, bulk] {
            if matches!(book.claim(now, share), Decision::Go(_)) {
                order.push(share.class);
            }
        }
        now += 5_000;
    }
    let bulk: Vec<_> =
        order.iter().enumerate().filter(|(_, class)| **class == Class::Bulk).map(|(turn, _)| turn).collect();
    assert_eq!(bulk, [8, 16], "{order:?}");
}

#[test]
fn who_is_left_out_for_a_minute_gets_one_call_unless_a_person_said_otherwise() {
    let mut book = with_limits(1000, 1200);
    for call in 0..1000 {
        assert!(matches!(book.claim(SECOND + call * 10_000, of(Class::Live)), Decision::Go(_)));
    }
    let now = 5 * MINUTE;
    let bulk = of(Class::Bulk);
    // Live work made a thousand calls lately: what a share of its own allows is not lessened by that.
    assert!(
        book.reach(now, bulk) == 1200 - 36
            && book.reach(now + SECOND, Share { by_class: false, ..bulk }) == 960
    );
    assert!(matches!(book.claim(now, Share { by_class: false, ..bulk }), Decision::Wait(_, Why::Kept)));
    assert!(matches!(book.claim(now, bulk), Decision::Go(_)));
    assert_eq!(book.claim(now + SECOND, bulk), Decision::Wait(now + 2 * MINUTE, Why::Kept));
    // But not when the hour is used up.
    while matches!(book.claim(book.next.max(now), ALL), Decision::Go(_)) {}
    assert!(matches!(book.claim(now + 2 * MINUTE, bulk), Decision::Wait(due, Why::Hour) if due > HOUR));
}

#[test]
fn a_book_of_an_older_release_is_read_and_its_calls_count() {
    let old = r#"{"boot":"boot","written":1000000,"per_second":2,"per_hour":1200,"next":0,"hold_until":0,
        "calls":700,"minutes":[[0,700]],"reading":null,"strikes":0,"struck":0}"#;
    let mut book = Book::read(old.as_bytes(), "boot", 2 * SECOND).unwrap();
    let budget = book.budget(2 * SECOND, ALL);
    assert_eq!((budget.used, budget.remaining), (700, 500));
    assert!(budget.by_class.iter().all(|(_, calls)| *calls == 0));
    assert!(matches!(book.claim(2 * SECOND, of(Class::Bulk)), Decision::Go(_)));
    assert_eq!(book.budget(2 * SECOND, ALL).by_class[Class::Bulk.index()], (Class::Bulk, 1));
}

#[test]
fn a_budget_says_what_was_used_by_whom_and_when_it_comes_back() {
    let mut book = with_limits(1000, 1400);
    for (class, calls) in [(Class::Live, 3), (Class::Hand, 2), (Class::Bulk, 5)] {
        for _ in 0..calls {
            assert!(matches!(book.claim(book.next.max(SECOND), of(class)), Decision::Go(_)));
        }
    }
    let now = 2 * SECOND;
    book.learn(Ticket(8), &hints(None, Some(1000)), now);
    let half = book.budget(now, Share::of_host(0.5));
    assert_eq!((half.per_second, half.per_hour, half.host, half.used), (1000, 1400, 700, 10));
    assert_eq!(half.by_class.map(|(_, calls)| calls), [3, 2, 0, 5]);
    assert_eq!((half.remaining, half.remaining_by_header), (690, Some(998)));
    assert!(half.held_until.is_none() && half.oldest_leaves.is_some() && half.waiting.is_empty());
    book.throttle(Ticket(10), Some(7 * SECOND), clock::now(), 0.0);
    assert!(book.budget(clock::now(), ALL).held_until.is_some());
    assert!(book.budget(3 * HOUR, ALL).oldest_leaves.is_none());
}
