//! Who may ask, by which name, with which token.

use crate::{ADMIN, READER, Server, described, desk};
use serde_json::Value;
use testkit::Workdir;

/// Whether an operation has this answer.
fn has(operation: &Value, code: &str) -> bool {
    operation["responses"].get(code).is_some()
}

#[test]
fn no_route_that_is_described_as_closed_is_open() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let wrong = format!("Bearer {READER}x");
    let mut closed = 0;
    for (method, path, operation) in described() {
        let (none, guess) =
            (server.ask(&method, &path, &[]), server.ask(&method, &path, &[("Authorization", &wrong)]));
        if !has(&operation, "401") {
            assert_eq!((none.code, guess.code), (200, 200), "{path}");
            continue;
        }
        closed += 1;
        for answer in [none, guess] {
            let answer = answer.expect(401);
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert_eq!(answer.body, "{\"error\":\"Could not validate credentials\"}\n");
        }
    }
    assert_eq!(closed, 16);
}

#[test]
fn a_reader_reads_and_an_admin_does_everything() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    for (method, path, operation) in described() {
        let as_reader = server.ask(&method, &path, &[("Authorization", &format!("Bearer {READER}"))]);
        if has(&operation, "403") {
            assert_eq!(as_reader.expect(403).error(), "Not enough permissions", "{path}");
        } else {
            assert!(![401, 403].contains(&as_reader.code), "{path}: {as_reader:?}");
        }
        let as_admin = server.ask(&method, &path, &[("Authorization", &format!("Bearer {ADMIN}"))]);
        assert!(![401, 403].contains(&as_admin.code), "{path}: {as_admin:?}");
    }
}

#[test]
fn without_tokens_everything_is_open_but_what_does_something() {
    let (_database, mut workdir) = desk();
    for name in ["MONITOR_TOKEN", "MONITOR_ADMIN_TOKEN"] {
        workdir.set(name, "");
    }
    let server = Server::start(&workdir, &[]);
    for (method, path, operation) in described() {
        let answer = server.ask(&method, &path, &[]);
        let wanted = has(&operation, "409");
        assert_eq!([401, 403].contains(&answer.code), wanted, "{path}: {answer:?}");
    }
    let refused = server.ask("POST", "/health/check-now", &[]).expect(403);
    assert_eq!(refused.error(), "Set MONITOR_ADMIN_TOKEN to allow this");
}

#[test]
fn one_token_alone_closes_what_it_is_not_for() {
    let (_database, mut workdir) = desk();
    workdir.set("MONITOR_TOKEN", "");
    let server = Server::start(&workdir, &[]);
    drop(server.ask("GET", "/api/monitoring/jobs/active", &[]).expect(401));
    drop(server.get("/api/monitoring/jobs/active").expect(200));
    workdir.set("MONITOR_TOKEN", READER);
    workdir.set("MONITOR_ADMIN_TOKEN", "");
    let server = Server::start(&workdir, &[]);
    let reader = [("Authorization", &*format!("Bearer {READER}"))];
    drop(server.ask("GET", "/api/monitoring/jobs/active", &reader).expect(200));
    drop(server.ask("GET", "/health/status", &reader).expect(403));
    drop(server.get("/health/status").expect(401));
}

#[test]
fn a_token_is_taken_from_one_header_and_from_nowhere_else() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let path = "/api/monitoring/jobs/active";
    for header in [format!("bearer {READER}"), format!("BEARER {READER}"), format!("Bearer   {READER}")] {
        drop(server.ask("GET", path, &[("Authorization", &header)]).expect(200));
    }
    for header in [
        READER.to_owned(),
        format!("Basic {READER}"),
        "Bearer".to_owned(),
        format!("Bearer {READER} {READER}"),
    ] {
        drop(server.ask("GET", path, &[("Authorization", &header)]).expect(401));
    }
    let right = format!("Bearer {READER}");
    drop(server.ask("GET", path, &[("Authorization", &right), ("Authorization", &right)]).expect(401));
    drop(server.ask("GET", path, &[("Cookie", &format!("token={READER}"))]).expect(401));
    for query in ["access_token", "token", "MONITOR_TOKEN"] {
        drop(server.ask("GET", &format!("{path}?{query}={READER}"), &[]).expect(401));
    }
}

#[test]
fn who_guesses_is_held_up_and_who_knows_is_not() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let guess =
            |n: usize| server.ask("GET", "/metrics", &[("Authorization", &format!("Bearer guess-{n}"))]).code;
        let guesses: Vec<_> = (0..24).map(|n| scope.spawn(move || guess(n))).collect();
        let known = scope.spawn(|| server.get("/api/monitoring/jobs/active").code);
        assert_eq!(known.join().unwrap(), 200);
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    assert!(codes.iter().all(|code| [401, 429].contains(code)), "{codes:?}");
    assert!(codes.contains(&401) && codes.contains(&429), "{codes:?}");
}

#[test]
fn a_name_of_somebody_else_is_refused_before_anything_else() {
    let (_database, mut workdir) = desk();
    workdir.set("MONITOR_HOSTS", "from-the-environment.example,other.example");
    for (arguments, name) in [(&[][..], "other.example:443"), (&["--host", "given.example"], "Given.Example")]
    {
        let server = Server::start(&workdir, arguments);
        for (method, path, _) in described() {
            let answer = server.ask(&method, &path, &[("Host", "evil.example")]).expect(421);
            assert_eq!(answer.error(), "This server is not called that; start it with --host NAME");
        }
        drop(server.ask("GET", "/nowhere", &[("Host", "evil.example")]).expect(421));
        for host in [name, "localhost:1", "127.0.0.1", "[::1]:8042"] {
            drop(server.ask("GET", "/healthz", &[("Host", host)]).expect(200));
        }
    }
}

#[test]
fn what_would_let_everybody_in_is_refused_at_the_start() {
    let mut workdir = Workdir::new();
    let refused = |workdir: &Workdir, arguments: &[&str], words: &[&str]| {
        let run = workdir.run("monitor-server", arguments).expect(78).complains(words);
        assert!(run.stdout.is_empty() && !run.stderr.contains("0123456789"), "{run:#?}");
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.7:0"] {
        refused(&workdir, &["--listen", address], &["is not loopback: set MONITOR_TOKEN"]);
    }
    workdir.set("MONITOR_ADMIN_TOKEN", ADMIN);
    refused(&workdir, &["--listen", "0.0.0.0:0"], &["is not loopback: set MONITOR_TOKEN"]);
    workdir.set("MONITOR_TOKEN", "0123456789012345678901234567890");
    refused(&workdir, &[], &["MONITOR_TOKEN has fewer than 32 characters", "openssl rand -hex 32"]);
    workdir.set("MONITOR_TOKEN", "0123456789 0123456789 0123456789 0123456789");
    refused(&workdir, &[], &["MONITOR_TOKEN has characters that no header can carry"]);
    workdir.set("MONITOR_TOKEN", ADMIN);
    refused(&workdir, &[], &["are the same: every reader would be an admin"]);
}

#[test]
fn no_token_is_ever_shown() {
    let (_database, mut workdir) = desk();
    workdir.set("RUST_LOG", "trace");
    let help = workdir.run("monitor-server", &["--help"]).expect(0);
    let server = Server::start(&workdir, &[]);
    for token in [READER, ADMIN] {
        drop(server.ask(
            "GET",
            &format!("/api/monitoring/status?token={token}"),
            &[("Authorization", &format!("Bearer {token}"))],
        ));
        drop(server.ask("GET", "/metrics", &[("Authorization", &format!("Bearer {token}x"))]));
    }
    let (_, said) = server.end("TERM");
    assert!(said.contains("GET /api/monitoring/status 200"), "{said}");
    for text in [help.stdout, said] {
        assert!(!text.contains("0123456789"), "{text}");
    }
}
