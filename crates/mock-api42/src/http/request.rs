//! Requests, read with a limit on their size and on the time they may take.

use std::io::{self, Read};
use std::net::TcpStream;

const LONGEST_HEAD: usize = 64 * 1024;
const LONGEST_BODY: usize = 1024 * 1024;
const MOST_HEADERS: usize = 96;

/// A request, whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As sent, without the query.
    pub(crate) path: String,
    /// As sent, without the question mark.
    pub(crate) query: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The client wants to go on over the same connection.
    pub(crate) keep_alive: bool,
}

impl Request {
    /// The first header of that name, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What came instead of a request.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The client is gone, or silent for too long.
    Gone,
    /// The client deserves this status.
    Status(u16),
}

/// The requests of a connection, one after the other.
#[derive(Debug)]
pub(crate) struct Requests {
    stream: TcpStream,
    /// Read, but not used yet.
    buffer: Vec<u8>,
}

impl Requests {
    /// The stream has to have a read timeout.
    pub(crate) fn of(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) fn next(&mut self) -> Result<Request, Broken> {
        let (mut request, head) = loop {
            if let Some(parsed) = parse_head(&self.buffer)? {
                break parsed;
            }
            if self.buffer.len() > LONGEST_HEAD {
                return Err(Broken::Status(431));
            }
            self.more()?;
        };
        if request.header("transfer-encoding").is_some() {
            return Err(Broken::Status(411));
        }
        let length = match request.header("content-length").map(str::parse::<usize>) {
            None => 0,
            Some(Ok(length)) if length <= LONGEST_BODY => length,
            Some(Ok(_)) => return Err(Broken::Status(413)),
            Some(Err(_)) => return Err(Broken::Status(400)),
        };
        while self.buffer.len() < head + length {
            self.more()?;
        }
        request.body = self.buffer[head..head + length].to_vec();
        self.buffer.drain(..head + length);
        Ok(request)
    }

    fn more(&mut self) -> Result<(), Broken> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err(Broken::Gone),
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(_) => Err(Broken::Gone),
        }
    }
}

/// The request and the length of its head, once the head is complete.
fn parse_head(bytes: &[u8]) -> Result<Option<(Request, usize)>, Broken> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Broken::Status(400)),
    };
    let target = parsed.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers: Vec<(String, String)> =
        parsed.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect();
    let mut request = Request {
        method: parsed.method.unwrap_or("GET").to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
        keep_alive: parsed.version == Some(1),
    };
    if let Some(wish) = request.header("connection") {
        request.keep_alive = if request.keep_alive {
            !wish.eq_ignore_ascii_case("close")
        } else {
            wish.eq_ignore_ascii_case("keep-alive")
        };
    }
    Ok(Some((request, length)))
}
