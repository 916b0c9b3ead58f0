//! A proxy that misbehaves on demand, in front of PostgreSQL or of the mock, and counts how often it did.

mod commits;
mod link;
mod stream;

use crate::{Database, Mock};
use link::Link;
use postgres::config::Host;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Duration;
use stream::Upstream;

/// What becomes of connections: of new ones, and of those that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything passes.
    Pass,
    /// Whoever connects is reset at once, and nothing of it reaches the server. Open connections stay.
    Refuse,
    /// A connection is reset when so many bytes of answers have passed.
    Reset {
        /// Bytes of answers.
        after: u64,
    },
    /// Nothing passes and nobody is told: connections are taken and stay open. What came meanwhile passes later.
    BlackHole,
    /// The same for one direction, once so many bytes of a connection have passed in it.
    Cut {
        /// Who is not heard any more.
        of: Side,
        /// Bytes that still pass.
        after: u64,
    },
    /// Each piece comes so much later.
    Delay(Duration),
    /// Answers come byte by byte, with this pause between two.
    Drip(Duration),
    /// A client's `COMMIT` waits here, and passes when something else is said.
    HoldCommit,
    /// A client's `COMMIT` never reaches the server: the connection is reset.
    LoseCommit,
    /// A client's `COMMIT` is done, and the connection is reset before the client hears of it.
    LoseCommitAnswer,
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Whoever connected.
    Client,
    /// PostgreSQL or the mock.
    Server,
}

/// A running proxy; it ends, and all its connections with it, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    url: String,
    desk: Arc<Desk>,
}

/// What all connections of a proxy share.
#[derive(Debug)]
struct Desk {
    upstream: Upstream,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// How often the mode may still strike; then everything passes.
    left: u64,
    struck: u64,
    links: Vec<Weak<Link>>,
    is_over: bool,
}

impl Proxy {
    /// A proxy in front of a mock. Its URL is what `API_ROOT` is to be.
    #[must_use]
    pub fn before_mock(mock: &Mock) -> Self {
        let address = mock.url().trim_start_matches("http://").parse().expect("an address and a port");
        Self::start(Upstream::Tcp(address), |port| format!("http://127.0.0.1:{port}"))
    }

    /// A proxy in front of a database. Its URL is what `DATABASE_URL` is to be.
    #[must_use]
    pub fn before_database(database: &Database) -> Self {
        let config: postgres::Config = database.url().parse().expect("a URL");
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let upstream = match config.get_hosts().first().expect("a host") {
            Host::Tcp(name) => Upstream::named(name, port),
            Host::Unix(folder) => Upstream::Unix(Path::new(folder).join(format!(".s.PGSQL.{port}"))),
        };
        let user = config.get_user().expect("a user").to_owned();
        let password = config.get_password().map(|password| String::from_utf8_lossy(password).into_owned());
        let password = password.map(|password| format!(":{password}")).unwrap_or_default();
        let name = config.get_dbname().expect("a database").to_owned();
        Self::start(upstream, |port| {
            format!("postgresql://{user}{password}@127.0.0.1:{port}/{name}?sslmode=disable")
        })
    }

    fn start(upstream: Upstream, url: impl Fn(u16) -> String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let state = State { mode: Mode::Pass, left: 0, struck: 0, links: Vec::new(), is_over: false };
        let desk = Arc::new(Desk { upstream, state: Mutex::new(state), changed: Condvar::new() });
        let served = Arc::clone(&desk);
        std::thread::spawn(move || serve(&served, &listener));
        Self { address, url: url(address.port()), desk }
    }

    /// Where it is: a root of the API, or the URL of a database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Misbehaves like this from now on, and counts anew.
    pub fn set(&self, mode: Mode) {
        self.turn(mode, u64::MAX);
    }

    /// Misbehaves like this once, counting anew; then everything passes. For what ends a connection, not for what waits.
    pub fn once(&self, mode: Mode) {
        self.turn(mode, 1);
    }

    /// How often it has misbehaved since it was told to. Never more often than it did: what nobody met does not count.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.desk.state().struck
    }

    fn turn(&self, mode: Mode, left: u64) {
        let mut state = self.desk.state();
        state.mode = mode;
        state.left = left;
        state.struck = 0;
        drop(state);
        self.desk.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.desk.state();
        state.is_over = true;
        let links = std::mem::take(&mut state.links);
        drop(state);
        self.desk.changed.notify_all();
        links.iter().filter_map(Weak::upgrade).for_each(|link| link.reset());
        // Wakes the thread that accepts; it sees that all is over.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(desk: &Arc<Desk>, listener: &TcpListener) {
    for client in listener.incoming() {
        if desk.is_over() {
            return;
        }
        let desk = Arc::clone(desk);
        // A client that is gone again is no reason to end.
        drop(client.map(|client| std::thread::spawn(move || link::take(&desk, client))));
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the proxy panics")
    }

    fn is_over(&self) -> bool {
        self.state().is_over
    }

    fn mode(&self) -> Mode {
        self.state().mode
    }

    /// Counts that `mode` struck; false when it is in force no more.
    fn strike(&self, mode: Mode) -> bool {
        let mut state = self.state();
        if state.mode != mode || state.is_over {
            return false;
        }
        state.struck += 1;
        state.left -= 1;
        if state.left == 0 {
            state.mode = Mode::Pass;
        }
        true
    }

    /// Waits until a mode is over.
    fn outwait(&self, mode: Mode) {
        let state = self.state();
        drop(self.changed.wait_while(state, |state| state.mode == mode && !state.is_over));
    }

    fn register(&self, link: &Arc<Link>) {
        let mut state = self.state();
        state.links.retain(|link| link.strong_count() > 0);
        state.links.push(Arc::downgrade(link));
    }
}
