//! What passes is tried again, what lasts is said at once, and no text of the other side drives a terminal.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod scripted;

use scripted::{Reply, Seen, Server};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use verdict::Verdict;

/// Answers the first request with `first` and all others with an empty list; checks that it took two.
fn check_passes(first: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(
        move |seen: &Seen| if seen.number == 1 { first() } else { Reply::json(200, r#"{"a": 1}"#) },
    );
    let client = server.client(state.path());
    let answer = client.get("/v2/cursus", &[]).unwrap();
    assert_eq!(answer.body.get(), r#"{"a": 1}"#);
    assert_eq!((client.tally().calls, client.tally().retries), (2, 1));
    server
}

/// Answers with `reply` always; returns the message and how often it was asked.
fn check_lasts(reply: Reply, verdict: Verdict) -> (String, usize) {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(move |_| reply.clone());
    let query = [("filter[login]".to_owned(), "MARK".to_owned())];
    let error = server.client(state.path()).get("/v2/x", &query).unwrap_err();
    assert_eq!(Verdict::of(&error), verdict, "{error:#}");
    let message = format!("{error:#}");
    assert!(!message.contains("MARK") && !message.contains("token-1"), "{message}");
    (message, server.reads().len())
}

#[test]
fn a_page_in_html_is_passing_even_with_status_200() {
    check_passes(|| Reply::html(200));
}

#[test]
fn an_error_of_the_server_is_passing() {
    check_passes(|| Reply::json(500, r#"{"error":"Internal"}"#));
}

#[test]
fn a_body_that_is_cut_is_passing() {
    check_passes(|| Reply::json(200, r#"[{"id":1},{"id":2}]"#).cut(7));
}

#[test]
fn json_that_is_none_is_passing() {
    check_passes(|| Reply::json(200, r#"[{"id":1},"#));
}

#[test]
fn a_forbidding_page_of_something_in_front_is_passing() {
    check_passes(|| Reply::html(403));
}

#[test]
fn a_connection_that_breaks_is_passing() {
    check_passes(|| Reply::json(200, "[]").cut(0));
}

#[test]
fn a_refusal_is_said_in_the_words_of_the_api() {
    let words = r#"{"error":"Filter Error","message":"Attributes campus_id doesn't exists."}"#;
    let (message, asked) = check_lasts(Reply::json(400, words), Verdict::Failed);
    assert_eq!(message, "GET /v2/x: 400: Filter Error: Attributes campus_id doesn't exists.");
    assert_eq!(asked, 1);
}

#[test]
fn what_is_missing_is_missing_in_json_and_in_html() {
    for reply in [Reply::json(404, "{}"), Reply::html(404)] {
        let (message, asked) = check_lasts(reply, Verdict::Failed);
        assert!(message.starts_with("GET /v2/x: 404: there is no such thing"), "{message}");
        assert_eq!(asked, 1);
    }
    let (message, _) = check_lasts(Reply::new(403, ""), Verdict::Failed);
    assert_eq!(message, "GET /v2/x: 403: this application may not read it");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_| Reply::json(200, "[]"));
    let reply = Reply::new(302, "").header("Location", &format!("{}/v2/x", elsewhere.root));
    let (message, _) = check_lasts(reply, Verdict::Failed);
    assert!(message.contains("not followed"), "{message}");
    assert!(elsewhere.reads().is_empty());
}

#[test]
fn an_answer_beyond_all_bounds_is_refused_however_small_it_travels() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&vec![b' '; 65 << 20]).unwrap();
    let reply =
        Reply { body: packed.finish().unwrap(), ..Reply::json(200, "").header("Content-Encoding", "gzip") };
    assert!(reply.body.len() < 1 << 20);
    let (message, asked) = check_lasts(reply, Verdict::Failed);
    assert!(message.contains("the answer is larger than 64 MiB"), "{message}");
    assert_eq!(asked, 1);
}

#[test]
fn after_five_tries_the_last_answer_is_named_and_harmless() {
    let (message, asked) = check_lasts(Reply::html(503), Verdict::Unreachable);
    assert_eq!(asked, 5);
    let end = "the last: status 503, `<!DOCTYPE html> <title>Just a [2Jmoment...</title>` instead of JSON";
    assert!(message.ends_with(end), "{message}");
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let state = tempfile::tempdir().unwrap();
    let mut settings = Server::start(|_| Reply::json(200, "[]")).settings(state.path());
    settings.root = "http://127.0.0.1:9".to_owned();
    let error = api42::Client::new(settings).unwrap().get("/v2/x", &[]).unwrap_err();
    assert_eq!(Verdict::of(&error), Verdict::Unreachable);
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| match seen.number {
        1 => Reply::json(200, "[]").late(Duration::from_secs(30)),
        _ => Reply::json(200, "[]"),
    });
    let mut settings = server.settings(state.path());
    settings.timeout = Duration::from_millis(700);
    let started = Instant::now();
    api42::Client::new(settings).unwrap().get("/v2/x", &[]).unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_answer_429_without_a_hint_is_waited_out_and_no_failure() {
    // More often than a failure would be forgiven.
    let server = check_throttled(2, Reply::throttled);
    let seen = server.reads();
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(990), "a second or two at first");
    assert!(seen[2].at - seen[1].at >= Duration::from_millis(1990), "twice as much then");
}

#[test]
fn retry_after_zero_is_no_hint() {
    let server = check_throttled(1, || Reply::throttled().header("Retry-After", "0"));
    let seen = server.reads();
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(990));
}

#[test]
fn retry_after_stops_all_clients_of_the_host() {
    let server = check_throttled(6, || Reply::throttled().header("Retry-After", "1"));
    for pair in server.reads()[..7].windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(990));
    }
}

/// Answers 429 `times` times; two clients share the pace.
fn check_throttled(times: usize, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    let state = tempfile::tempdir().unwrap();
    let server =
        Server::start(move |seen: &Seen| if seen.number <= times { reply() } else { Reply::json(200, "[]") });
    let (first, second) = (server.client(state.path()), server.client(state.path()));
    first.get("/v2/x", &[]).unwrap();
    second.get("/v2/x", &[]).unwrap();
    assert_eq!((first.tally().throttled as usize, first.tally().retries as usize), (times, times));
    assert_eq!(server.reads().len(), times + 2);
    server
}

#[test]
fn a_pause_that_is_too_long_is_busy_at_once() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::throttled().header("Retry-After", "600"));
    let mut settings = server.settings(state.path());
    settings.max_wait = Duration::from_secs(5);
    let client = api42::Client::new(settings).unwrap();
    let started = Instant::now();
    let error = client.get("/v2/x", &[]).unwrap_err();
    assert_eq!(Verdict::of(&error), Verdict::Busy);
    assert!(format!("{error:#}").contains("try again in 10 min"), "{error:#}");
    assert!(started.elapsed() < Duration::from_secs(3));
    // Another process on the same host does not even ask.
    assert_eq!(
        Verdict::of(&server.client_with(state.path(), 5).get("/v2/x", &[]).unwrap_err()),
        Verdict::Busy
    );
    assert_eq!(server.reads().len(), 1);
}

#[test]
fn an_hour_that_is_used_up_is_told_and_then_busy() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::json(200, "[]").header("X-Hourly-RateLimit-Remaining", "0"));
    let client = server.client_with(state.path(), 5);
    client.get("/v2/x", &[]).unwrap();
    let error = client.get("/v2/x", &[]).unwrap_err();
    assert_eq!(Verdict::of(&error).code(), 75);
    assert!(format!("{error:#}").contains("hour's quota"), "{error:#}");
    assert_eq!(server.reads().len(), 1);
}

#[test]
fn a_wait_is_announced_and_its_end_too() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(|seen: &Seen| match seen.number {
        1 => Reply::throttled().header("Retry-After", "3"),
        _ => Reply::json(200, "[]"),
    });
    let said = Arc::new(Mutex::new(Vec::new()));
    let mut settings = server.settings(state.path());
    let listener = Arc::clone(&said);
    settings.on_wait =
        Some(Arc::new(move |sentence: &str| listener.lock().unwrap().push(sentence.to_owned())));
    api42::Client::new(settings).unwrap().get("/v2/x", &[]).unwrap();
    assert_eq!(*said.lock().unwrap(), ["waiting 3 s: the API asked for a pause", ""]);
}
