//! One connection through the proxy: two threads, one for each direction.

use super::commits::Commits;
use super::stream::Stream;
use super::{Desk, Mode, Side};
use socket2::SockRef;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What PostgreSQL answers to a `COMMIT`, in one piece.
const DONE: &[u8] = b"COMMIT\0";

/// A client and its server.
#[derive(Debug)]
pub(super) struct Link {
    client: Stream,
    server: Stream,
    /// Whether a `COMMIT` has passed whose answer is to be lost.
    is_committing: AtomicBool,
    is_reset: AtomicBool,
}

/// Serves a connection to its end.
pub(super) fn take(desk: &Arc<Desk>, client: TcpStream) {
    drop(client.set_nodelay(true));
    match desk.mode() {
        Mode::Refuse if desk.strike(Mode::Refuse) => return break_off(&client),
        Mode::BlackHole if desk.strike(Mode::BlackHole) => desk.outwait(Mode::BlackHole),
        _ => {}
    }
    let Ok(server) = desk.upstream.connect() else { return break_off(&client) };
    let (is_committing, is_reset) = (AtomicBool::new(false), AtomicBool::new(false));
    let link = Arc::new(Link { client: Stream::Tcp(client), server, is_committing, is_reset });
    desk.register(&link);
    let (answers, desk_of_answers) = (Arc::clone(&link), Arc::clone(desk));
    std::thread::spawn(move || answers.forward(&desk_of_answers, Side::Server));
    link.forward(desk, Side::Client);
}

/// Makes the end of a connection a reset: to be followed by closing it.
fn break_off(client: &TcpStream) {
    drop(SockRef::from(client).set_linger(Some(Duration::ZERO)));
}

/// What is to be done with the rest of a connection.
enum Next {
    GoOn,
    Reset,
}

impl Link {
    /// Ends the connection: the client sees a reset, the server an end. It is closed when both threads have left it.
    pub(super) fn reset(&self) {
        self.is_reset.store(true, Ordering::Relaxed);
        if let Stream::Tcp(client) = &self.client {
            break_off(client);
        }
        // Wakes who reads, and says nothing to the other side.
        self.client.shutdown(Shutdown::Read);
        self.server.shutdown(Shutdown::Both);
    }

    fn forward(&self, desk: &Desk, side: Side) {
        let (from, to) = match side {
            Side::Client => (&self.client, &self.server),
            Side::Server => (&self.server, &self.client),
        };
        let (mut buffer, mut passed, mut commits) = (vec![0; 1 << 16], 0, Commits::default());
        loop {
            let count = from.read(&mut buffer).unwrap_or(0);
            if self.is_reset.load(Ordering::Relaxed) {
                return;
            }
            if count == 0 {
                return to.shutdown(Shutdown::Write);
            }
            let piece = &buffer[..count];
            let ends_commit = side == Side::Client && commits.end_in(piece);
            match self.pass(desk, side, piece, passed, ends_commit) {
                Ok(Next::GoOn) => passed += count as u64,
                Ok(Next::Reset) | Err(_) => return self.reset(),
            }
        }
    }

    /// Lets a piece pass, or does to it what the mode says.
    fn pass(
        &self,
        desk: &Desk,
        side: Side,
        piece: &[u8],
        passed: u64,
        ends_commit: bool,
    ) -> io::Result<Next> {
        let to = if side == Side::Client { &self.server } else { &self.client };
        if side == Side::Server && self.is_committing.load(Ordering::Relaxed) {
            // What comes before is an answer to something else that the client did not wait for.
            let is_done = piece.windows(DONE.len()).any(|bytes| bytes == DONE);
            return Ok(if is_done { Next::Reset } else { Next::GoOn });
        }
        // How much of the piece still passes before a limit in bytes.
        let before = |limit: u64| piece.len().min(usize::try_from(limit.saturating_sub(passed)).unwrap_or(0));
        match desk.mode() {
            mode @ Mode::Reset { after }
                if side == Side::Server && before(after) < piece.len() && desk.strike(mode) =>
            {
                to.write(&piece[..before(after)])?;
                return Ok(Next::Reset);
            }
            mode @ Mode::Cut { of, after } if side == of && before(after) < piece.len() => {
                to.write(&piece[..before(after)])?;
                hold(desk, mode);
                to.write(&piece[before(after)..])?;
            }
            mode @ Mode::BlackHole => {
                hold(desk, mode);
                to.write(piece)?;
            }
            mode @ Mode::HoldCommit if ends_commit => {
                hold(desk, mode);
                to.write(piece)?;
            }
            mode @ Mode::LoseCommit if ends_commit && desk.strike(mode) => return Ok(Next::Reset),
            mode @ Mode::LoseCommitAnswer if ends_commit && desk.strike(mode) => {
                self.is_committing.store(true, Ordering::Relaxed);
                to.write(piece)?;
            }
            mode @ Mode::Delay(pause) => {
                desk.strike(mode);
                std::thread::sleep(pause);
                to.write(piece)?;
            }
            mode @ Mode::Drip(pause) if side == Side::Server && desk.strike(mode) => {
                drip(desk, mode, to, piece, pause)?;
            }
            _ => to.write(piece)?,
        }
        Ok(Next::GoOn)
    }
}

/// Holds up what comes as long as the mode lasts.
fn hold(desk: &Desk, mode: Mode) {
    if desk.strike(mode) {
        desk.outwait(mode);
    }
}

/// Byte by byte as long as the mode lasts, the rest at once.
fn drip(desk: &Desk, mode: Mode, to: &Stream, piece: &[u8], pause: Duration) -> io::Result<()> {
    for (index, byte) in piece.iter().enumerate() {
        if desk.mode() != mode || desk.is_over() {
            return to.write(&piece[index..]);
        }
        to.write(std::slice::from_ref(byte))?;
        std::thread::sleep(pause);
    }
    Ok(())
}
