//! A tiny HTTP server that answers as a test tells it to, and remembers what it was asked.
#![allow(dead_code)] // each test file uses its own part

use api42::{Client, Secret, Settings};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// How many requests of the same kind (token or not) came before it, plus one.
    pub(crate) number: usize,
    pub(crate) path: String,
    /// Not decoded.
    pub(crate) query: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    pub(crate) at: Instant,
}

/// An answer, and what goes wrong with it.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
    /// Send only so many bytes of the body, then hang up.
    pub(crate) cut: Option<usize>,
}

/// What a test says about `/oauth/token` and about everything else.
pub(crate) struct Script {
    pub(crate) token: Box<dyn Fn(&Seen) -> Reply + Send + Sync>,
    pub(crate) read: Box<dyn Fn(&Seen) -> Reply + Send + Sync>,
}

/// The running server; it ends with the test process.
pub(crate) struct Server {
    pub(crate) root: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Seen {
    pub(crate) fn page(&self) -> u64 {
        self.parameter("page").parse().unwrap()
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn is_token(&self) -> bool {
        self.path == "/oauth/token"
    }
}

impl Reply {
    /// JSON, with limits so high that nothing waits.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::new(status, body)
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Secondly-RateLimit-Limit", "500")
            .header("X-Hourly-RateLimit-Limit", "100000")
    }

    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.as_bytes().to_vec(), delay: Duration::ZERO, cut: None }
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::new(status, "<!DOCTYPE html>\n<title>Just a \u{1b}[2Jmoment...</title>")
            .header("Content-Type", "text/html")
    }

    pub(crate) fn throttled() -> Self {
        Self::new(429, "429 Too Many Requests (Spam Rate Limit Exceeded)")
            .header("Content-Type", "text/plain")
    }

    pub(crate) fn token(text: &str) -> Self {
        let body = format!(
            r#"{{"access_token":"{text}","token_type":"Bearer","expires_in":7200,"scope":"public"}}"#
        );
        Self::json(200, &body)
    }

    pub(crate) fn invalid_client() -> Self {
        Self::json(401, r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#)
            .header("WWW-Authenticate", r#"Bearer realm="42 API", error="invalid_client""#)
    }

    pub(crate) fn invalid_token() -> Self {
        Self::json(401, "MARK this body is never looked at")
            .header("WWW-Authenticate", r#"Bearer realm="42 API", error="invalid_token""#)
    }

    /// The page that a request asks for, of a list of these ids.
    pub(crate) fn page(seen: &Seen, ids: &[u64]) -> Self {
        Self::page_without_total(seen, ids).header("X-Total", &ids.len().to_string())
    }

    pub(crate) fn page_without_total(seen: &Seen, ids: &[u64]) -> Self {
        let begin = (seen.page() as usize - 1) * 100;
        let records: Vec<String> =
            ids.iter().skip(begin).take(100).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        Self::json(200, &format!("[{}]", records.join(",")))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn late(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(crate) fn cut(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }
}

impl Server {
    /// Gives out `token-1` for ever, and answers the rest as told.
    pub(crate) fn start(read: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_token(|_| Reply::token("token-1"), read)
    }

    pub(crate) fn with_token(
        token: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
        read: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Script { token: Box::new(token), read: Box::new(read) });
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                thread::spawn(move || serve(stream.unwrap(), &script, &log));
            }
        });
        Self { root, seen }
    }

    /// All requests but those for a token, in the order of their arrival.
    pub(crate) fn reads(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| !seen.is_token()).cloned().collect()
    }

    pub(crate) fn token_calls(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.is_token()).cloned().collect()
    }

    pub(crate) fn settings(&self, state: &Path) -> Settings {
        let secret = Secret::new("s-MARK".to_owned());
        Settings::new(&self.root, "u-s4t2ud-test", secret, state.to_owned())
    }

    /// A client that waits for quota only so long.
    pub(crate) fn client_with(&self, state: &Path, max_wait_seconds: u64) -> Client {
        let mut settings = self.settings(state);
        settings.max_wait = Duration::from_secs(max_wait_seconds);
        Client::new(settings).unwrap()
    }

    pub(crate) fn client(&self, state: &Path) -> Client {
        Client::new(self.settings(state)).unwrap()
    }
}

fn serve(stream: TcpStream, script: &Script, log: &Mutex<Vec<Seen>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(mut seen) = read_request(&mut reader) {
        {
            let mut log = log.lock().unwrap();
            seen.number = 1 + log.iter().filter(|other| other.is_token() == seen.is_token()).count();
            log.push(seen.clone());
        }
        let reply = if seen.is_token() { (script.token)(&seen) } else { (script.read)(&seen) };
        thread::sleep(reply.delay);
        if write_reply(&mut stream, &reply).is_err() || reply.cut.is_some() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let at = Instant::now();
    let target = line.split(' ').nth(1)?.to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Seen { number: 0, path: path.to_owned(), query: query.to_owned(), headers, body, at })
}

fn write_reply(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())])
}
