//! Tests of what the book tells those who look: time is invented, nothing waits.

use super::tests::{ALL, with_limits};
use super::*;
use crate::calls::{Answers, Calls};

/// Lets one call go at an instant.
fn call(book: &mut Book, at: Micros) {
    assert!(matches!(book.claim(at, ALL), Decision::Go(_)), "no call went at {at}");
}

#[test]
fn calls_are_told_by_minute_and_exactly_for_the_last_sixty_seconds() {
    let mut book = with_limits(1000, 100_000);
    let start = 600 * MINUTE;
    for second in 0..90 {
        call(&mut book, start + second * SECOND);
    }
    let calls = book.calls(start + 89 * SECOND);
    assert_eq!((calls.last_minute, calls.by_minute[58], calls.by_minute[59]), (60, 60, 30));
    let calls = book.calls(start + 60 * MINUTE - 1);
    assert_eq!((calls.last_minute, calls.by_minute[0], calls.by_minute[1]), (0, 60, 30));
    let calls = book.calls(start + 60 * MINUTE);
    assert_eq!((calls.by_minute[0], calls.by_minute.iter().sum::<u32>()), (30, 30));
    assert_eq!(book.calls(start + 3 * HOUR), Calls::default());
    assert_eq!(
        Book::new("boot").calls(30 * SECOND),
        Calls::default(),
        "a host that was up for less than an hour"
    );
}

#[test]
fn answers_are_counted_by_kind_for_an_hour() {
    let mut book = Book::new("boot");
    let now = 600 * MINUTE;
    for (heard, times) in Heard::ALL.into_iter().zip(1..) {
        (0..times).for_each(|_| book.hear(heard, now));
    }
    book.hear(Heard::Ok, now + MINUTE);
    let answers = |at| book.calls(at).answers;
    assert_eq!(answers(now + MINUTE), Answers { ok: 2, unauthorized: 2, throttled: 3, failed: 4 });
    assert_eq!(answers(now + HOUR), Answers { ok: 1, ..Answers::default() });
    assert_eq!(answers(now + HOUR + MINUTE), Answers::default());
}

#[test]
fn a_busy_book_stays_small_and_reads_back_the_same() {
    let mut book = with_limits(2, 7200);
    let mut now = 0;
    while now < 3 * HOUR {
        now += SECOND / 2;
        if matches!(book.claim(now, ALL), Decision::Go(_)) {
            book.hear(Heard::Ok, now);
        }
    }
    let bytes = book.write(now).unwrap();
    assert!(bytes.len() < 6000, "{} bytes are written for each call", bytes.len());
    let read = Book::read(&bytes, "boot", now).unwrap();
    assert_eq!(read.calls(now), book.calls(now));
    assert!(read.calls(now).answers.ok > 3500);
}

#[test]
fn a_book_of_an_older_release_tells_what_it_knows() {
    let old = r#"{"boot":"boot","written":1000000,"per_second":2,"per_hour":1200,"next":0,"hold_until":0,
        "calls":700,"minutes":[[9,700]],"reading":null,"strikes":0,"struck":0}"#;
    assert!(Book::is_one(old.as_bytes()) && !Book::is_one(&old.as_bytes()[..80]));
    let calls = Book::read(old.as_bytes(), "boot", 10 * MINUTE).unwrap().calls(10 * MINUTE);
    assert_eq!((calls.by_minute[58], calls.answers), (700, Answers::default()));
}
