//! Somebody who is told of alerts: a server on loopback that takes what is posted.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

/// Takes messages, and answers with a status that may be changed.
pub(crate) struct Receiver {
    pub(crate) url: String,
    status: Arc<AtomicU16>,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook/secret-path", listener.local_addr().unwrap());
        let (status, taken) = (Arc::new(AtomicU16::new(200)), Arc::new(Mutex::new(Vec::new())));
        let (answer, book) = (Arc::clone(&status), Arc::clone(&taken));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                take(stream.unwrap(), answer.load(Ordering::SeqCst), &book);
            }
        });
        Self { url, status, taken }
    }

    /// Answers with this status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What was posted, whatever was answered, since this was asked last.
    pub(crate) fn taken(&self) -> Vec<Value> {
        std::mem::take(&mut *self.taken.lock().unwrap())
    }
}

fn take(stream: TcpStream, status: u16, book: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    let mut first = true;
    while reader.read_line(&mut line).unwrap() > 2 {
        assert!(!first || line.starts_with("POST /hook/secret-path "), "{line}");
        first = false;
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        assert!(!lower.starts_with("content-type:") || lower.contains("application/json"), "{line}");
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    book.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    drop(reader.into_inner().write_all(head.as_bytes()));
}
