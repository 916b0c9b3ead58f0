//! The page as a browser shows it: Chromium without a screen, and what it came to.

use crate::Server;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use testkit::Workdir;

/// Nothing that speaks to anybody else, asks, or needs a screen.
const QUIETLY: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dump-dom",
];

/// What is asked again and again.
const STATUS: &str = "GET /api/monitoring/status ";

/// An element, and the text right behind its start.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: BTreeMap<String, String>,
    pub(crate) text: String,
}

/// A page that was loaded, and that went on for a while.
pub(crate) struct Page {
    pub(crate) source: String,
    elements: Vec<Element>,
}

impl Page {
    /// Loads it, and lets so many milliseconds of the browser's clock go by. That clock stands still while an answer is
    /// waited for, so a busy machine changes nothing.
    pub(crate) fn load(workdir: &Workdir, url: &str, milliseconds: u32) -> Self {
        let mut browser = Command::new("timeout");
        let profile = format!("--user-data-dir={}", workdir.path("browser").display());
        browser.args(["120", "chromium"]).args(QUIETLY).arg(profile);
        let output = browser.arg(format!("--virtual-time-budget={milliseconds}")).arg(url).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "scripts/need.sh chromium chromium brings it: {said}");
        let source = String::from_utf8(output.stdout).unwrap();
        let elements = elements(&source);
        assert!(elements.len() > 100, "no page came: {source}\n{said}");
        Self { source, elements }
    }

    /// Every element with these attributes.
    pub(crate) fn all(&self, marks: &[(&str, &str)]) -> Vec<&Element> {
        let is_marked =
            |element: &&Element| marks.iter().all(|(name, value)| element.get(name) == Some(value));
        self.elements.iter().filter(is_marked).collect()
    }

    /// The only one.
    pub(crate) fn one(&self, marks: &[(&str, &str)]) -> &Element {
        match self.all(marks)[..] {
            [element] => element,
            ref found => panic!("{marks:?}: {found:#?}\n{self:?}"),
        }
    }

    /// The value that is shown; none where it is not known.
    pub(crate) fn value(&self, marks: &[(&str, &str)]) -> Option<&str> {
        self.one(marks).get("data-value")
    }

    /// What the badge says, and whether the page takes it for fresh.
    pub(crate) fn badge(&self) -> (&str, &str) {
        let bodies: Vec<_> = self.elements.iter().filter(|element| element.name == "body").collect();
        (self.one(&[("id", "badge")]).get("data-level").unwrap(), bodies[0].get("data-state").unwrap())
    }

    /// The sentence beside the badge.
    pub(crate) fn sentence(&self) -> &str {
        &self.one(&[("id", "sentence")]).text
    }

    pub(crate) fn elements(&self) -> &[Element] {
        &self.elements
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)
    }
}

impl Element {
    pub(crate) fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(String::as_str)
    }

    /// All that it could say or do.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The elements of what a browser wrote: it quotes every value, and escapes what would end one.
fn elements(source: &str) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut rest = source;
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").unwrap().1;
            continue;
        }
        let (name, mut tag) = after.split_at(after.find([' ', '>']).unwrap());
        let mut attributes = BTreeMap::new();
        while let Some(attribute) = tag.strip_prefix(' ') {
            let (key, value) = attribute.split_once("=\"").unwrap();
            let (value, after) = value.split_once('"').unwrap();
            attributes.insert(key.to_owned(), unescaped(value));
            tag = after;
        }
        // Of an end, or a doctype, nothing is wanted.
        let text = tag.split_once('>').unwrap().1;
        rest = text;
        if name.starts_with(|first: char| first.is_ascii_lowercase()) {
            let text = unescaped(text.split('<').next().unwrap_or_default());
            elements.push(Element { name: name.to_owned(), attributes, text });
        }
    }
    elements
}

fn unescaped(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&nbsp;", "\u{a0}"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (escape, sign)| text.replace(escape, sign))
}

/// What becomes of a question for the status: by how many came before it.
pub(crate) type Fate = fn(usize) -> Answered;

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    ByTheServer,
    With503,
    NotAtAll,
}

/// Stands between a browser and a server, and lets the server fail. Gives its own address.
pub(crate) fn between(server: &Server, fate: Fate) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let address = server.url.trim_start_matches("http://").to_owned();
    let asked = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (address, asked) = (address.clone(), Arc::clone(&asked));
            thread::spawn(move || drop(pass(stream, &address, &asked, fate)));
        }
    });
    url
}

/// One question on one connection.
fn pass(mut browser: TcpStream, address: &str, asked: &AtomicUsize, fate: Fate) -> std::io::Result<()> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.ends_with(b"\r\n\r\n") {
        match browser.read(&mut buffer)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    let head = String::from_utf8_lossy(&head).replace("keep-alive", "close");
    let answered =
        if head.starts_with(STATUS) { fate(asked.fetch_add(1, SeqCst)) } else { Answered::ByTheServer };
    match answered {
        Answered::NotAtAll => Ok(()),
        Answered::With503 => {
            let body = r#"{"error":"it cannot be measured"}"#;
            let length = body.len();
            write!(
                browser,
                "HTTP/1.1 503 Service Unavailable\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
        }
        Answered::ByTheServer => {
            let mut server = TcpStream::connect(address)?;
            server.write_all(head.as_bytes())?;
            std::io::copy(&mut server, &mut browser).map(drop)
        }
    }
}
