//! A running `mock-api42`.

use crate::workdir::{Workdir, tool};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Limits that nobody meets, for tests of something else.
const UNLIMITED: [&str; 4] = ["--per-second", "1000", "--per-hour", "1000000"];

/// A mock of the API, which ends with the test, however that ends.
#[derive(Debug)]
pub struct Mock {
    url: String,
    child: Child,
}

impl Mock {
    /// Starts a mock with limits that nobody meets; `arguments` prevail.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        Self::run(Command::new(tool("mock-api42")), arguments)
    }

    /// The same in the environment of a folder, its clock included.
    #[must_use]
    pub fn start_in(workdir: &Workdir, arguments: &[&str]) -> Self {
        Self::run(workdir.command("mock-api42"), arguments)
    }

    fn run(mut command: Command, arguments: &[&str]) -> Self {
        for pair in UNLIMITED.chunks(2).filter(|pair| !arguments.contains(&pair[0])) {
            command.args(pair);
        }
        command.args(["--listen", "127.0.0.1:0", "--until-stdin-closes"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("mock-api42 runs");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("mock-api42 says its address");
        assert!(url.starts_with("http://"), "mock-api42 {arguments:?} did not start");
        Self { url: url.trim().to_owned(), child }
    }

    /// What `API_ROOT` is to be.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it has counted: calls, by_path, throttled, limit_violations, max_in_any_second, …
    #[must_use]
    pub fn stats(&self) -> Value {
        serde_json::from_str(&self.get("/_mock/stats")).expect("JSON")
    }

    /// One number of [`Mock::stats`].
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        let stats = self.stats();
        stats[name].as_u64().unwrap_or_else(|| panic!("the mock counts no {name}: {stats}"))
    }

    /// The most calls in any so many seconds.
    #[must_use]
    pub fn most_in(&self, seconds: u32) -> u64 {
        let stats = self.get(&format!("/_mock/stats?window={seconds}"));
        let stats: Value = serde_json::from_str(&stats).expect("JSON");
        stats["most_in_window"].as_u64().expect("a number")
    }

    /// How many moved since the world began: updates, silent, departures, …
    #[must_use]
    pub fn moved(&self) -> Value {
        serde_json::from_str(&self.get("/_mock/moved")).expect("JSON")
    }

    /// Starts counting anew.
    pub fn forget(&self) {
        self.post("/_mock/stats/reset", "");
    }

    /// Every record of a list, whatever its paging: the mock's own world.
    #[must_use]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let mut records = Vec::new();
        self.each(path, &mut |record| records.push(record));
        records
    }

    /// Gives every record of a list, one by one, for lists that are too long to be held.
    pub fn each(&self, path: &str, give: &mut dyn FnMut(Value)) {
        let url = self.address(&format!("/_mock/all{path}"));
        let response = ureq::get(&url).call().unwrap_or_else(|error| panic!("GET {url}: {error}"));
        for line in BufReader::new(response.into_body().into_reader()).lines() {
            let line = line.unwrap_or_else(|error| panic!("GET {url}: {error}"));
            give(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}")));
        }
    }

    /// One page of a list, as anybody gets it who asks with a token.
    #[must_use]
    pub fn page(&self, path: &str) -> Vec<Value> {
        let form = "grant_type=client_credentials&client_id=u-s4t2ud-mock&client_secret=s-s4t2ud-mock";
        let grant: Value = serde_json::from_str(&self.post("/oauth/token", form)).expect("JSON");
        let token = format!("Bearer {}", grant["access_token"].as_str().expect("a token"));
        let url = self.address(path);
        let request = ureq::get(&url).header("Authorization", token);
        let response = request.call().unwrap_or_else(|error| panic!("GET {url}: {error}"));
        response.into_body().read_json().unwrap_or_else(|error| panic!("GET {url}: {error}"))
    }

    /// Lets the world move; says what moved.
    pub fn moves(&self, what: &str) -> Value {
        serde_json::from_str(&self.post("/_mock/move", what)).expect("JSON")
    }

    /// Adds faults, as a JSON array; an empty one takes all away.
    pub fn faults(&self, faults: &str) {
        self.post("/_mock/faults", faults);
    }

    /// Turns switches, as a JSON object.
    pub fn switch(&self, switches: &str) {
        self.post("/_mock/switch", switches);
    }

    /// Lets every token that was handed out expire now.
    pub fn expire_tokens(&self) {
        self.post("/_mock/expire-tokens", "");
    }

    fn address(&self, path: &str) -> String {
        let encoded = path.replace("?]", "%3F]").replace('[', "%5B").replace(']', "%5D");
        format!("{}{encoded}", self.url)
    }

    fn get(&self, path: &str) -> String {
        let url = self.address(path);
        let response = ureq::get(&url).call().unwrap_or_else(|error| panic!("GET {url}: {error}"));
        let mut body = response.into_body();
        let text = body.with_config().limit(u64::MAX).read_to_string();
        text.unwrap_or_else(|error| panic!("GET {url}: {error}"))
    }

    fn post(&self, path: &str, body: &str) -> String {
        let url = format!("{}{path}", self.url);
        let response =
            ureq::post(&url).send(body).unwrap_or_else(|error| panic!("POST {url} {body}: {error}"));
        response.into_body().read_to_string().expect("text")
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // Its input ends with the child handle; waiting keeps no zombie.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
