//! The server as it runs: real requests, a real PostgreSQL, the real tools.
//!
//! - `answers`: every route, and what it says. `access`: who may ask, by which name, with which token.
//! - `clients`: those that are slow, many, huge or rude. `outages`: the database away, slow, back.
//! - `real`: what the other tools really say. `tools`: what comes of one that fails, hangs or talks nonsense.
//! - `ending`: start and end.
//! - `numbers`: the page, held against everything. `page`: the page in bad times. `browser`: what loads it.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod access;
mod answers;
mod browser;
mod clients;
mod ending;
mod numbers;
mod outages;
mod page;
mod real;
mod tools;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testkit::{Database, Workdir, until};
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// Tokens of somebody who may read, and of one who may do everything.
const READER: &str = "reader-0123456789-0123456789-0123456789";
const ADMIN: &str = "admin-0123456789-0123456789-01234567890";

/// A server that runs, and ends with the test.
struct Server {
    child: Child,
    url: String,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    code: u16,
    headers: HeaderMap,
    body: String,
}

/// A database with tables, and a folder with both tokens.
fn desk() -> (Database, Workdir) {
    let database = Database::create();
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", &database.url());
    drop(workdir.run("init-db", &[]).expect(0));
    workdir.set("MONITOR_TOKEN", READER);
    workdir.set("MONITOR_ADMIN_TOKEN", ADMIN);
    (database, workdir)
}

impl Server {
    fn start(workdir: &Workdir, arguments: &[&str]) -> Self {
        Self::of(workdir.command("monitor-server").args(arguments))
    }

    /// Starts it, and waits until it says its address.
    fn of(command: &mut Command) -> Self {
        command
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self { child, url: url.trim().to_owned() }
    }

    /// Asks as an admin.
    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("Authorization", &format!("Bearer {ADMIN}"))])
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let response = agent.run(request.body(()).unwrap());
        let (parts, mut body) =
            response.unwrap_or_else(|error| panic!("{method} {path}: {error}")).into_parts();
        Answer { code: parts.status.as_u16(), headers: parts.headers, body: body.read_to_string().unwrap() }
    }

    /// A connection of its own, to be rude with.
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Says this, and reads until the server has had enough.
    fn say(&self, text: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        rest(&mut stream)
    }

    /// Sends a signal, and gives the exit code as a shell sees it, and what was said.
    fn end(mut self, signal: &str) -> (i32, String) {
        send(&self.child, signal);
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        let code =
            status.code().or_else(|| std::os::unix::process::ExitStatusExt::signal(&status).map(|n| 128 + n));
        (code.unwrap(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Answer {
    /// Checks the code.
    fn expect(self, code: u16) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:#?}")).to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// What it says is wrong.
    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {self:#?}")).to_owned()
    }
}

/// All that is still to come; a connection that was torn down has nothing more.
fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
}

/// The description of all routes.
fn described() -> Vec<(String, String, Value)> {
    let described: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            routes.push((
                method.to_uppercase(),
                path.replace("{id}", "1").replace("{name}", "text.js"),
                operation.clone(),
            ));
        }
    }
    assert!(routes.len() > 20);
    routes
}
