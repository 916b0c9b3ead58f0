//! job-monitor through a monitor-server: the same screens, and no answer that passes for an empty one.

mod wire;

use crate::Desk;
use crate::screens::{shown, stage};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use testkit::{Run, Workdir, assert_golden};

/// Shown to the server that a test starts, and nobody else.
const TOKEN: &str = "an-invented-token-of-32-characters";

/// A server that answers as a test wants it, one connection after the other.
struct Server {
    url: String,
    /// The heads of the requests, as they came.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `answer` makes the whole answer of the path that was asked for.
    fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&seen);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut head = String::new();
                let mut byte = [0];
                while !head.ends_with("\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(char::from(byte[0]));
                }
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                heads.lock().unwrap().push(head);
                // Who has heard enough may be gone.
                drop(connection.write_all(answer(&path).as_bytes()));
            }
        });
        Self { url, seen }
    }

    fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn http(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn json(body: &str) -> String {
    http("200 OK", "application/json", body)
}

/// A folder whose job-monitor knows this server, and no database.
fn beside(url: &str) -> Workdir {
    let mut workdir = Workdir::new();
    workdir.set("MONITOR_URL", url);
    workdir.set("MONITOR_TOKEN", TOKEN);
    workdir
}

/// A body that is kept as golden, with an instant for those that were replaced.
fn golden(name: &str) -> String {
    let path = format!("{}/jobs/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().replace("INSTANT", "2026-01-07T08:09:10.123Z")
}

/// Every command that reads, each of which may come with --json.
const COMMANDS: [&[&str]; 5] =
    [&["active"], &["watch", "--count", "1"], &["history"], &["summary"], &["status", "--id", "2"]];

/// A monitor-server of ours, which ends with the test.
struct Real {
    process: Child,
    url: String,
}

impl Real {
    fn start(desk: &Desk) -> Self {
        let mut command = desk.workdir.command("monitor-server");
        command.args(["--listen", "127.0.0.1:0"]).env("MONITOR_TOKEN", TOKEN);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn screens_bodies_and_exit_codes_are_those_of_the_database() {
    let desk = stage();
    // Due at another time than now, whenever that is.
    let schedule = "[[job]]\nname = 'live_sync'\ntype = 'live'\ncron = '0 0 1 1 *'\ngrace = 10\n";
    desk.workdir.write("schedules.toml", schedule);
    let server = Real::start(&desk);
    let far = beside(&server.url);
    let commands: [&[&str]; 11] = [
        &["active"],
        &["history"],
        &["history", "--job", "load_users", "--status", "lost", "--before", "5", "--limit", "2"],
        &["history", "--job", "it's none"],
        &["history", "--before", "99"],
        &["history", "--before", "1"],
        &["summary"],
        &["status", "--id", "1"],
        &["status", "--id", "2"],
        &["status", "--id", "3"],
        &["status", "--id", "99"],
    ];
    for command in commands {
        for form in [&[][..], &["--json"]] {
            let arguments = [command, form].concat();
            let (near, far) =
                (desk.workdir.run("job-monitor", &arguments), far.run("job-monitor", &arguments));
            assert_eq!((near.code, &near.stdout), (far.code, &far.stdout), "{arguments:?} {far:#?}");
            // What is wrong is the same; where, is not.
            let what = |run: &Run| run.stderr.rsplit(": ").next().unwrap().to_owned();
            assert_eq!(what(&near), what(&far), "{arguments:?}");
        }
    }
    desk.database.execute("DROP TABLE ops.job_executions");
    for command in COMMANDS {
        let run = far.run("job-monitor", command).expect(69);
        assert!(run.stdout.is_empty(), "{run:#?}");
        drop(run.complains(&["HTTP 503", "the database cannot be read"]));
    }
}

#[test]
fn what_runs_is_shown_as_ever() {
    let server = Server::start(|_| json(&golden("active.json")));
    let far = beside(&server.url);
    let shown = |arguments: &[&str]| far.run("job-monitor", arguments).expect(0).stdout;
    assert_eq!(shown(&["active", "--json"]), golden("active.json"));
    assert_golden("tests/jobs/golden/active.txt", &shown(&["active"]));
    assert_eq!(
        shown(&["watch", "--json", "--count", "2", "--interval", "1"]),
        golden("active.json").repeat(2)
    );
    let watched = shown(&["watch", "--count", "1"]);
    assert!(
        watched.starts_with("Active Jobs (updated ") && watched.ends_with(&golden("active.txt")),
        "{watched}"
    );
    let idle = Server::start(|_| json(r#"{"jobs":[]}"#));
    let run = beside(&idle.url).run("job-monitor", &["active"]).expect(0);
    assert_eq!(run.stdout, "No active jobs running\n");
}

#[test]
fn a_name_is_escaped_on_its_way() {
    let server = Server::start(|_| json(r#"{"jobs":[]}"#));
    drop(
        beside(&server.url).run("job-monitor", &["history", "--job", "a b&limit=1#é/?%2e\r\nX: y"]).expect(0),
    );
    let heads = server.heads();
    let line = heads[0].lines().next().unwrap();
    let name = "a%20b%26limit%3D1%23%C3%A9%2F%3F%252e%0D%0AX%3A%20y";
    assert_eq!(line, format!("GET /api/monitoring/jobs/history?limit=10&job_name={name} HTTP/1.1"));
}

#[test]
fn what_a_server_says_cannot_drive_a_terminal() {
    let evil = r"\u001b]52;c;eA==\u0007\u001b[2J\u202e\u009b";
    let job = golden("status.json").replace("fetch_users", evil).replace("too fast", evil);
    let one = job.clone();
    let server = Server::start(move |path| match path.rsplit('/').next() {
        Some("2") => json(&one),
        Some("summary") => {
            json(&golden("summary.json").replace("load_users", evil).replace("no heartbeat", evil))
        }
        _ => json(&format!("{{\"jobs\":[{}]}}", one.trim())),
    });
    let refusing = Server::start(move |_| {
        http(
            "500 Internal Server Error",
            "application/json",
            &format!(r#"{{"error":"{evil}\nsecond line"}}"#),
        )
    });
    for command in COMMANDS {
        let run = beside(&server.url).run("job-monitor", command);
        assert!(!run.stdout.is_empty() && run.stdout.contains(r"\u{1b}"), "{run:#?}");
        let refused = beside(&refusing.url).run("job-monitor", command).expect(69).complains(&[r"\u{1b}"]);
        for text in [run.stdout, refused.stderr] {
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}']), "{text}");
        }
    }
}

#[test]
fn runs_that_were_not_asked_for_are_refused() {
    let server = Server::start(|_| json(&golden("history.json")));
    let far = beside(&server.url);
    drop(far.run("job-monitor", &["history"]).expect(0));
    for wrong in [["--status", "running"], ["--job", "none"], ["--limit", "2"]] {
        let run = far.run("job-monitor", &[&["history"], wrong.as_slice()].concat()).expect(65);
        drop(run.complains(&["other runs than it was asked for"]));
    }
    let gone =
        Server::start(|_| http("404 Not Found", "application/json", r#"{"error":"Job not found: 9"}"#));
    let run = beside(&gone.url).run("job-monitor", &["history", "--before", "9"]).expect(2);
    drop(run.complains(&["there is no run 9 to go on from"]));
    let other = Server::start(|_| json(&golden("status.json")));
    drop(
        beside(&other.url)
            .run("job-monitor", &["status", "--id", "7"])
            .expect(65)
            .complains(&["gives run 2 instead"]),
    );
}

#[test]
fn a_watch_goes_on_while_the_server_is_away_and_shows_nothing_of_before() {
    let looks = Mutex::new(0);
    let server = Server::start(move |_| {
        let mut looks = looks.lock().unwrap();
        *looks += 1;
        if *looks == 2 {
            http("503 Service Unavailable", "text/html", "")
        } else {
            json(&golden("active.json"))
        }
    });
    let far = beside(&server.url);
    let run = far.run("job-monitor", &["watch", "--interval", "1", "--count", "3"]).expect(0);
    assert_eq!(run.stdout.matches("Active Jobs (updated ").count(), 2, "{run:#?}");
    drop(run.complains(&["HTTP 503; what runs is not known"]));
}

#[test]
fn the_status_of_this_host_is_never_that_of_another() {
    let server = Server::start(|_| json(&golden("summary.json")));
    let mut desk = Desk::new();
    desk.workdir.set("MONITOR_URL", &server.url);
    let status = desk.workdir.run("pipeline-status", &["--json"]).json();
    assert!(status["jobs"]["summary"]["live_sync"]["status"] == "never_run", "{status:#}");
    assert!(server.heads().is_empty());
    assert!(shown(&desk, &["summary"], 1).contains("nightly_sync"), "job-monitor itself asks the server");
}
