//! Clients that are slow, many, huge or rude.

use crate::{Server, desk, rest, until};
use std::io::Write;
use std::time::Duration;

#[test]
fn a_head_that_drips_is_cut_off_and_keeps_nobody_waiting() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let mut dripping = server.connect();
    dripping.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    // Far more often than anything that counts silence would mind.
    let cut = (0..600).find(|_| {
        std::thread::sleep(Duration::from_millis(100));
        dripping.write_all(b"X: y\r\n").is_err()
    });
    assert!(cut.is_some(), "it could go on for ever");
    drop(server.get("/healthz").expect(200));
}

#[test]
fn a_body_that_drips_is_cut_off() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let said = server.say(
        "POST /health/check-now HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin-0123456789-0123456789-01234567890\r\n\
         Content-Length: 10\r\n\r\n12345",
    );
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("The body does not come"), "{said}");
}

#[test]
fn more_connections_than_there_are_seats_are_told_so_until_one_is_free() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let mut held: Vec<_> = (0..64).map(|_| server.connect()).collect();
    let mut refused = String::new();
    // They are seated in their turn.
    until("a refusal", || {
        refused = server.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        !refused.starts_with("HTTP/1.1 200 ")
    });
    assert!(
        refused.starts_with("HTTP/1.1 503 ")
            && refused.ends_with("\r\n\r\n{\"error\":\"Too many connections\"}\n"),
        "{refused}"
    );
    held.pop();
    until("a seat", || server.get("/healthz").code == 200);
    // Who says nothing loses the seat.
    until("all seats", || {
        let others: Vec<_> = (0..32).map(|_| server.connect()).collect();
        let is_free = server.get("/healthz").code == 200;
        drop(others);
        is_free
    });
}

#[test]
fn who_does_not_read_loses_the_seat() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(300);
    // Answers of some megabytes, more than any buffer on the way takes.
    let deaf: Vec<_> = (0..64)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    until("a seat", || server.get("/healthz").code == 200);
    drop(deaf);
}

#[test]
fn what_is_too_long_is_refused_by_its_name() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let admin = "Host: localhost\r\nConnection: close\r\nAuthorization: Bearer admin-0123456789-0123456789-01234567890\r\n";
    let check = "POST /health/check-now HTTP/1.1\r\n";
    let chunks = format!("2000\r\n{}\r\n", "x".repeat(0x2000)).repeat(9);
    let headers: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    for (what, text, code) in [
        ("a header", format!("GET / HTTP/1.1\r\n{admin}X: {}\r\n\r\n", "y".repeat(20_000)), 431),
        ("many headers", format!("GET / HTTP/1.1\r\n{admin}{headers}\r\n"), 431),
        ("a path", format!("GET /{} HTTP/1.1\r\n{admin}\r\n", "y".repeat(20_000)), 431),
        ("an announced body", format!("{check}{admin}Content-Length: 65537\r\n\r\n"), 413),
        (
            "a body in chunks",
            format!("{check}{admin}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"),
            413,
        ),
        ("nonsense", "\u{16}\u{3}\u{1} TLS?\r\n\r\n".to_owned(), 400),
        ("no host", "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), 400),
        (
            "two hosts",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                .to_owned(),
            400,
        ),
        (
            "a proxy's request",
            "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                .to_owned(),
            421,
        ),
    ] {
        let said = server.say(&text);
        assert!(said.starts_with(&format!("HTTP/1.1 {code} ")), "{what}: {said}");
    }
    drop(server.get("/healthz").expect(200));
}

#[test]
fn a_client_that_leaves_takes_nothing_with_it() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    for _ in 0..100 {
        let mut stream = server.connect();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    }
    until("readiness", || server.get("/readyz").code == 200);
    let mut last = server.connect();
    last.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(rest(&mut last).starts_with("HTTP/1.0 200 "));
}
