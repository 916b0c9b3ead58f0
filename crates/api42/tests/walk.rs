//! Walks over lists that rest, move, lie, and break; the course of one list is tested call by call in `src`.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod scripted;

use api42::{Client, List, Page, Resume};
use scripted::{Reply, Seen, Server};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use verdict::Verdict;

fn list(path: &str) -> List {
    List { path: path.to_owned(), ..List::default() }
}

fn ids(pages: &[Page]) -> HashSet<u64> {
    let texts = pages.iter().flat_map(|page| &page.records).map(|record| record.get());
    texts.map(|text| text[6..text.len() - 1].parse().unwrap()).collect()
}

fn walk(client: &Client, lists: &[&str]) -> Vec<Page> {
    client.walk(lists.iter().map(|path| list(path)).collect()).collect::<Result<_, _>>().unwrap()
}

fn given(pages: &[Page]) -> Vec<(usize, u32)> {
    pages.iter().map(|page| (page.list, page.number)).collect()
}

#[test]
fn lists_and_pages_come_in_order_with_exactly_the_calls_they_need() {
    let state = tempfile::tempdir().unwrap();
    let under_way = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let watched = Arc::clone(&under_way);
    let server = Server::start(move |seen: &Seen| {
        let now = watched.0.fetch_add(1, Ordering::SeqCst) + 1;
        watched.1.fetch_max(now, Ordering::SeqCst);
        // Later pages answer faster.
        thread::sleep(Duration::from_millis(80_u64.saturating_sub(10 * seen.page())));
        watched.0.fetch_sub(1, Ordering::SeqCst);
        let count = match seen.path.as_str() {
            "/v2/a" => 731,
            "/v2/b" => 0,
            _ => 200,
        };
        Reply::page(seen, &(1..=count).collect::<Vec<_>>())
    });
    let client = server.client(state.path());
    let pages = walk(&client, &["/v2/a", "/v2/b", "/v2/c"]);
    let mut expected: Vec<(usize, u32)> = (1..=8).map(|page| (0, page)).collect();
    expected.extend([(1, 1), (2, 1), (2, 2)]);
    assert_eq!(given(&pages), expected);
    assert_eq!(client.tally().calls, 11);
    assert_eq!(server.reads().len(), 11);
    let last: Vec<bool> = pages.iter().map(|page| page.last).collect();
    assert_eq!(last.iter().filter(|last| **last).count(), 3);
    assert!(last[7] && last[8] && last[10]);
    assert_eq!(pages.last().unwrap().announced, 931);
    assert_eq!(ids(&pages[..8]).len(), 731);
    let most = under_way.1.load(Ordering::SeqCst);
    assert!((2..=12).contains(&most), "{most} under way at once");
    assert!(server.reads().iter().all(|seen| seen.parameter("per_page") == "100"));
}

#[test]
fn a_list_that_moves_is_read_whole() {
    let state = tempfile::tempdir().unwrap();
    // Newest first, as the API sorts by default: what is new comes in front.
    let rows: Mutex<Vec<u64>> = Mutex::new((1..=1500).rev().collect());
    let server = Server::start(move |seen: &Seen| {
        let mut rows = rows.lock().unwrap();
        rows.remove(seen.number % 7);
        if seen.number.is_multiple_of(3) {
            rows.insert(0, 10_000 + seen.number as u64);
        }
        Reply::page(seen, &rows)
    });
    let pages = walk(&server.client(state.path()), &["/v2/a"]);
    let ids = ids(&pages);
    // Only rows at the very front left, one per call; nothing behind them did.
    assert!((1..=1400).all(|id| ids.contains(&id)), "{:?}", given(&pages));
    assert!(pages.len() > 15 && pages.last().unwrap().last);
}

#[test]
fn a_list_in_no_order_ends_when_all_have_come() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| {
        let mut rows: Vec<u64> = (0..250).collect();
        // The first three requests each see another order.
        if seen.number <= 3 {
            rows.rotate_right(40 * seen.page() as usize);
        }
        Reply::page(seen, &rows)
    });
    let pages = walk(&server.client(state.path()), &["/v2/projects_users"]);
    assert_eq!(ids(&pages).len(), 250);
    assert!(pages.len() > 3 && pages.last().unwrap().last);
}

#[test]
fn a_list_that_stays_short_fails_and_says_what_is_missing() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| {
        Reply::page(seen, &(0..120).collect::<Vec<_>>()).header("X-Total", "130")
    });
    let mut walk = server.client(state.path()).walk(vec![list("/v2/a"), list("/v2/b")]);
    let outcomes: Vec<_> = walk.by_ref().collect();
    let error = outcomes.last().unwrap().as_ref().unwrap_err();
    assert_eq!(Verdict::of(error), Verdict::Unreachable);
    let message = format!("{error:#}");
    assert_eq!(
        message,
        "GET /v2/a: the API announced 130 records and gave 120 in 4 readings; try again later"
    );
    assert!(outcomes.iter().flatten().all(|page| page.list == 0 && !page.last));
    assert!(walk.next().is_none());
}

#[test]
fn an_error_comes_after_the_pages_before_it() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| match seen.page() {
        3 => Reply::json(422, r#"{"error":"Page Error"}"#),
        1 => Reply::page(seen, &(0..500).collect::<Vec<_>>()).late(Duration::from_millis(150)),
        _ => Reply::page(seen, &(0..500).collect::<Vec<_>>()),
    });
    let outcomes: Vec<_> = server.client(state.path()).walk(vec![list("/v2/a")]).collect();
    assert_eq!(outcomes.len(), 3);
    assert!(outcomes[0].is_ok() && outcomes[1].is_ok());
    let error = outcomes[2].as_ref().unwrap_err();
    assert_eq!(format!("{error:#}"), "GET /v2/a: page 3: 422: Page Error");
}

#[test]
fn a_page_that_is_no_list_is_tried_again_and_then_named() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| match seen.number {
        1 => Reply::json(200, "{}"),
        _ => Reply::page(seen, &[1]),
    });
    assert_eq!(walk(&server.client(state.path()), &["/v2/a"]).len(), 1);
    let server = Server::start(|_| Reply::json(200, r#"{"MARK":1}"#));
    let error = server.client(state.path()).walk(vec![list("/v2/a")]).next().unwrap().unwrap_err();
    assert_eq!(Verdict::of(&error), Verdict::Unreachable);
    let message = format!("{error:#}");
    assert!(
        message.ends_with("status 200, an object where a list was due") && !message.contains("MARK"),
        "{message}"
    );
}

#[test]
fn a_stumble_in_the_middle_costs_one_call_and_nothing_else() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| {
        let reply = Reply::page(seen, &(0..600).collect::<Vec<_>>());
        match seen.number {
            2 => Reply::html(200),
            4 => reply.cut(50),
            5 => Reply::throttled().header("Retry-After", "1"),
            _ => reply,
        }
    });
    let client = server.client(state.path());
    let pages = walk(&client, &["/v2/a"]);
    assert_eq!(given(&pages), (1..=6).map(|page| (0, page)).collect::<Vec<_>>());
    assert_eq!(ids(&pages).len(), 600);
    assert_eq!((client.tally().calls, client.tally().retries, client.tally().throttled), (9, 3, 1));
}

#[test]
fn without_a_total_the_walk_ends_at_the_first_short_page() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| Reply::page_without_total(seen, &(0..230).collect::<Vec<_>>()));
    let pages = walk(&server.client(state.path()), &["/v2/a"]);
    assert_eq!(given(&pages), [(0, 1), (0, 2), (0, 3)]);
    assert_eq!(server.reads().len(), 3);
    assert!(pages[2].last && pages[2].total.is_none());
}

#[test]
fn an_interrupted_walk_goes_on() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| Reply::page(seen, &(0..450).collect::<Vec<_>>()));
    let resume = Resume { next_page: 4, total: Some(450), ids: (0..300).collect() };
    let lists = vec![List { resume: Some(resume), ..list("/v2/a") }];
    let pages: Vec<Page> = server.client(state.path()).walk(lists).collect::<Result<_, _>>().unwrap();
    assert_eq!(given(&pages), [(0, 4), (0, 5)]);
    assert_eq!(server.reads().len(), 2);
    assert!(pages[1].last);
}

#[test]
fn a_list_that_is_glanced_at_gives_its_first_page_and_its_total_and_is_not_announced() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| {
        let count = if seen.path == "/v2/all" { 900 } else { 250 };
        Reply::page(seen, &(0..count).collect::<Vec<_>>())
    });
    let lists = vec![list("/v2/a"), list("/v2/b"), List { is_glance: true, ..list("/v2/all") }];
    let pages: Vec<Page> = server.client(state.path()).walk(lists).collect::<Result<_, _>>().unwrap();
    assert_eq!(given(&pages), [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3), (2, 1)]);
    assert_eq!(server.reads().len(), 7);
    let glance = pages.last().unwrap();
    assert_eq!(
        (glance.last, glance.total, glance.records.len(), glance.announced),
        (true, Some(900), 100, 500)
    );
}

#[test]
fn a_walk_that_is_dropped_stops_calling() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| {
        Reply::page(seen, &(0..100_000).collect::<Vec<_>>()).late(Duration::from_millis(20))
    });
    let client = server.client(state.path());
    let mut walk = client.walk(vec![list("/v2/a")]);
    walk.next().unwrap().unwrap();
    walk.next().unwrap().unwrap();
    drop(walk);
    thread::sleep(Duration::from_millis(300));
    let called = server.reads().len();
    assert!(called <= 2 + 3 * 12, "{called}");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(server.reads().len(), called);
}

#[test]
fn a_reader_that_pauses_is_not_run_away_from() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| Reply::page(seen, &(0..100_000).collect::<Vec<_>>()));
    let mut walk = server.client(state.path()).walk(vec![list("/v2/a")]);
    walk.next().unwrap().unwrap();
    thread::sleep(Duration::from_millis(1200));
    assert_eq!(server.reads().len(), 1 + 12 + 1, "one more ahead than can be under way");
}
