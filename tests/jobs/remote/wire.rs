//! What may come instead of an answer, and who is shown a token.

use super::{COMMANDS, Server, TOKEN, beside, http, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::Duration;
use testkit::Workdir;

#[test]
fn no_answer_of_a_server_passes_for_an_empty_one() {
    let page = "<!DOCTYPE html><title>No active jobs running</title>";
    let cases = [
        (
            http("401 Unauthorized", "application/json", r#"{"error":"who are you"}"#),
            77,
            "refuses MONITOR_TOKEN",
        ),
        (http("403 Forbidden", "text/html", page), 77, "refuses MONITOR_TOKEN"),
        (
            http("500 Internal Server Error", "application/json", r#"{"error":"Failed"}"#),
            69,
            "HTTP 500: Failed;",
        ),
        (http("502 Bad Gateway", "text/html", page), 69, "HTTP 502"),
        (http("503 Service Unavailable", "application/json", r#"{"jobs":[]}"#), 69, "HTTP 503"),
        (http("429 Too Many Requests", "text/plain", "slow down"), 75, "HTTP 429"),
        (http("400 Bad Request", "application/json", r#"{"error":"Invalid"}"#), 65, "HTTP 400: Invalid"),
        (http("404 Not Found", "text/html", page), 65, "MONITOR_URL has to name a monitor-server"),
        (
            http("404 Not Found", "application/json", r#"{"error":"no such page"}"#),
            65,
            "MONITOR_URL has to name",
        ),
        (http("204 No Content", "application/json", ""), 65, "HTTP 204"),
        (http("200 OK", "text/html", page), 65, "not that of a monitor-server"),
        (json(""), 65, "not that of a monitor-server"),
        (json("{}"), 65, "missing field"),
        (json("null"), 65, "not that of a monitor-server"),
        (json(r#"{"error":"no database"}"#), 65, "missing field"),
        (json(r#"{"jobs":null,"summary":null}"#), 65, "not that of a monitor-server"),
        (json(r#"{"jobs":[{}],"summary":{"a":{}}}"#), 65, "missing field"),
        (json(r#"{"jobs":["#), 65, "not that of a monitor-server"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"jobs\":[]}".to_owned(), 69, "GET http"),
        ("220 mail.example.org ESMTP\r\n".to_owned(), 65, "no HTTP"),
        ("\u{0}\u{1}\u{2}\r\n\r\n".to_owned(), 65, "no HTTP"),
        (String::new(), 69, "GET http"),
    ];
    for (answer, code, word) in cases {
        let (told, raw) = (answer.clone(), answer);
        let server = Server::start(move |_| raw.clone());
        let far = beside(&server.url);
        for command in COMMANDS {
            for form in [&[][..], &["--json"]] {
                let run = far.run("job-monitor", &[command, form].concat());
                assert!(run.code == code && run.stdout.is_empty(), "{told:?}: {run:#?}");
                assert!(!run.stderr.contains(TOKEN), "{run:#?}");
                drop(run.complains(&["job-monitor: GET http://127.0.0.1:", "/api/monitoring/jobs/", word]));
            }
        }
    }
}

#[test]
fn a_server_that_is_away_or_says_nothing_is_waited_for_and_not_for_ever() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("http://{closed}"), "https://nobody.invalid".to_owned()] {
        for command in COMMANDS {
            let run = beside(&url).run("job-monitor", command).expect(69);
            assert!(run.stdout.is_empty(), "{run:#?}");
            drop(run.complains(&["GET http"]));
        }
    }
    let silent = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(60));
        String::new()
    });
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let drop_by_drop = format!("http://{}", slow.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut connection, _) = slow.accept().unwrap();
        drop(connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"));
        while connection.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    let waits = [silent.url.clone(), drop_by_drop]
        .map(|url| std::thread::spawn(move || beside(&url).run("job-monitor", &["active"])));
    for wait in waits {
        let run = wait.join().unwrap().expect(69);
        assert!(run.stdout.is_empty(), "{run:#?}");
        drop(run.complains(&["no answer within 15 s"]));
    }
}

#[test]
fn a_token_is_shown_to_nobody_else() {
    let elsewhere = Server::start(|_| json(r#"{"jobs":[]}"#));
    let other = elsewhere.url.clone();
    let leads_away = Server::start(move |_| {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: {other}/api/monitoring/jobs/active\r\nContent-Length: 0\r\n\r\n"
        )
    });
    let mut far = beside(&leads_away.url);
    drop(far.run("job-monitor", &["active"]).expect(65).complains(&["HTTP 302", "leads elsewhere"]));
    assert!(elsewhere.heads().is_empty());
    for url in [
        "http://status.example.org",
        "status.example.org",
        "https://user:invented@status.example.org",
        "\u{e9}",
    ] {
        far.set("MONITOR_URL", url);
        let run = far.run("job-monitor", &["active"]).expect(78).complains(&["MONITOR_URL has to"]);
        assert!(!run.stderr.contains("invented"), "{run:#?}");
    }
    far.set("MONITOR_URL", &elsewhere.url);
    for token in ["two words", "line\nfeed", "\u{e9}"] {
        far.set("MONITOR_TOKEN", token);
        let run = far.run("job-monitor", &["active"]).expect(78).complains(&["MONITOR_TOKEN has to be"]);
        assert!(!run.stderr.contains(token), "{run:#?}");
    }
    assert!(elsewhere.heads().is_empty());
    far.set("MONITOR_TOKEN", "");
    drop(far.run("job-monitor", &["active"]).expect(0));
    assert!(!elsewhere.heads()[0].to_lowercase().contains("authorization"), "{:?}", elsewhere.heads());
    far.set("RUST_LOG", "trace");
    far.set("MONITOR_TOKEN", TOKEN);
    assert!(!far.run("job-monitor", &["active"]).expect(0).stderr.contains(TOKEN));
}

/// A server whose certificate is signed by a root of its own, until it is dropped.
struct Encrypted {
    process: Child,
    url: String,
}

impl Encrypted {
    /// What it answers is in files below the folder.
    fn start(workdir: &Workdir) -> Self {
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        let root = format!("openssl req -x509 {key} -days 2 -subj /CN=house -keyout ca.key -out ca.pem");
        let wish = format!("openssl req {key} -subj /CN=localhost -keyout key.pem -out wish.pem");
        let sign = "openssl x509 -req -days 2 -in wish.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem \
            -extfile <(echo subjectAltName=DNS:localhost; echo basicConstraints=CA:FALSE)";
        drop(workdir.shell(&format!("{root} && {wish} && {sign}")).expect(0));
        let mut command = workdir.command("/usr/bin/env");
        command.args([
            "openssl",
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-cert",
            "cert.pem",
            "-key",
            "key.pem",
            "-HTTP",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut ports =
            lines.filter_map(|line| Some(line.unwrap().strip_prefix("ACCEPT 127.0.0.1:")?.to_owned()));
        let url = format!("https://localhost:{}", ports.next().expect("openssl says its port"));
        Self { process, url }
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_house_may_vouch_for_its_own_server_and_nobody_else_is_believed() {
    let mut far = beside("");
    far.write("api/monitoring/jobs/active", &json(r#"{"jobs":[]}"#));
    let server = Encrypted::start(&far);
    far.set("MONITOR_URL", &server.url);
    let run = far.run("job-monitor", &["active"]).expect(69);
    assert!(run.stdout.is_empty(), "{run:#?}");
    drop(run.complains(&["invalid peer certificate"]));
    far.set("SSL_CERT_FILE", &far.path("ca.pem").display().to_string());
    assert_eq!(far.run("job-monitor", &["active"]).expect(0).stdout, "No active jobs running\n");
    far.set("MONITOR_URL", &server.url.replace("localhost", "127.0.0.1"));
    drop(far.run("job-monitor", &["active"]).expect(69).complains(&["certificate not valid for name"]));
}
