//! A mock started for one test, and ended with it.

#![allow(dead_code, reason = "each test uses its part of it")]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use ureq::Agent;

/// A running mock; its stdin closes when this is dropped, and that ends it.
pub(crate) struct Mock {
    child: Child,
    pub(crate) url: String,
    pub(crate) agent: Agent,
    token: String,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    pub(crate) fn ids(&self) -> Vec<i64> {
        self.json().as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    }
}

impl Mock {
    /// A small world without limits, and whatever other options.
    pub(crate) fn start(options: &[&str]) -> Self {
        let small: &[&str] = if options.contains(&"--students") { &[] } else { &["--students", "150"] };
        Self::limited(&[&["--per-second", "100000", "--per-hour", "1000000"], small, options].concat())
    }

    /// As the options say, with the default limits.
    pub(crate) fn limited(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mock-api42"))
            .args(["--listen", "127.0.0.1:0", "--until-stdin-closes"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().to_owned();
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(20)));
        let mut mock = Self { child, url, agent: config.build().into(), token: String::new() };
        mock.token = mock.fresh_token();
        mock
    }

    pub(crate) fn fresh_token(&self) -> String {
        let form = "grant_type=client_credentials&client_id=u-s4t2ud-mock&client_secret=s-s4t2ud-mock";
        let answer = self.post_form("/oauth/token", form);
        answer.json()["access_token"].as_str().unwrap_or("").to_owned()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.try_get(path, headers).unwrap()
    }

    /// The answer, or how it broke.
    pub(crate) fn try_get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        let mut request = self.agent.get(self.address(path)).header("User-Agent", "mock tests");
        if !headers.iter().any(|(name, _)| *name == "Authorization") {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.call())
    }

    /// With a token, but without any other header; as bytes, head included.
    pub(crate) fn raw(&self, path: &str, headers: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let token = &self.token;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn post_form(&self, path: &str, form: &str) -> Answer {
        let request =
            self.agent.post(self.address(path)).header("Content-Type", "application/x-www-form-urlencoded");
        read(request.send(form)).unwrap()
    }

    pub(crate) fn post_json(&self, path: &str, body: &str) -> Answer {
        let request = self.agent.post(self.address(path)).header("Content-Type", "application/json");
        let answer = read(request.send(body)).unwrap();
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
        answer
    }

    pub(crate) fn switch(&self, switches: &str) {
        self.post_json("/_mock/switch", switches);
    }

    pub(crate) fn faults(&self, faults: &str) {
        self.post_json("/_mock/faults", "[]");
        self.post_json("/_mock/faults", faults);
    }

    pub(crate) fn stats(&self) -> Value {
        self.get("/_mock/stats").json()
    }

    /// Every row of a list.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let text = self.get(&format!("/_mock/all{path}")).text;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The rows of every page of a list, in the order of the pages.
    pub(crate) fn walk(&self, path: &str) -> Vec<Value> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let pages = (1..).map(|page| self.get(&format!("{path}{mark}per_page=100&page={page}")).json());
        let pages = pages.map(|page| page.as_array().unwrap().clone()).take_while(|page| !page.is_empty());
        pages.flatten().collect()
    }

    fn address(&self, path: &str) -> String {
        let encoded = path.replace('[', "%5B").replace(']', "%5D").replace("alumni?", "alumni%3F");
        format!("{}{encoded}", self.url)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let ended = self.child.wait().map(|status| status.code());
        // Not while another failure is being told.
        if !std::thread::panicking() {
            assert_eq!(ended.unwrap(), Some(0), "the mock has to end with its stdin");
        }
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let answer = answer.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let body = answer
        .into_body()
        .into_with_config()
        .limit(1 << 30)
        .read_to_vec()
        .map_err(|error| error.to_string())?;
    Ok(Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() })
}
