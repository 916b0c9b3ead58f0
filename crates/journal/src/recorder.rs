//! A thread that writes a run as it goes, with a heartbeat, and never makes the run wait for long.

use crate::clock::Stopwatch;
use crate::counts::Counts;
use crate::rate::Rate;
use crate::replay;
use crate::snapshot::{Ending, Snapshot, Status};
use crate::spool::Spool;
use crate::store::{self, Written};
use anyhow::Result;
use chrono::Utc;
use postgres::Client;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often it is looked whether there is anything to write.
const TICK: Duration = Duration::from_secs(1);
/// A heartbeat is written at least so often.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Progress is written at most so often.
const PROGRESS: Duration = Duration::from_secs(2);
/// While the database is away, it is looked for so often, and the spool gets a line so often.
const ABSENCE: Duration = Duration::from_secs(15);
/// How long a start waits for the database.
const PATIENCE_AT_START: Duration = Duration::from_secs(15);
/// How long an ending waits for it.
const PATIENCE_AT_END: Duration = Duration::from_secs(5);

/// What became of the start of a run.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is on record, in the row with this id.
    Recorded(i64),
    /// The database is away: it will be on record later.
    Spooled,
    /// Another run of the job is going on, elsewhere; who that is.
    Taken(String),
}

/// Where the end of a run was written.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// Into its row; what is conspicuous about it.
    Row(Option<String>),
    /// Into the spool, until the database is back.
    Spool,
    /// Nowhere: neither could be written.
    Nowhere,
}

/// Writes one run, from its start to its end.
#[derive(Debug)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
    orders: Sender<Order>,
    spool: Spool,
}

#[derive(Debug)]
struct State {
    snapshot: Snapshot,
    watch: Stopwatch,
    rate: Rate,
}

enum Order {
    Open(Sender<Opened>),
    Finish(Box<Snapshot>, Sender<Kept>),
}

impl Recorder {
    /// Starts the thread. `application` is what the database sees as the name of the connection.
    #[must_use]
    pub fn new(application: &'static str, snapshot: Snapshot, spool: Spool) -> Self {
        let (orders, received) = channel();
        let state = State { snapshot, watch: Stopwatch::start(), rate: Rate::default() };
        let state = Arc::new(Mutex::new(state));
        let scribe = Scribe {
            application,
            state: Arc::clone(&state),
            spool: spool.clone(),
            client: None,
            written: None,
            spooled: None,
            sought: None,
            errors: 0,
            said: false,
        };
        std::thread::spawn(move || scribe.serve(&received));
        Self { state, orders, spool }
    }

    /// Puts the start on record, and closes earlier runs of the job that are gone.
    #[must_use]
    pub fn open(&self) -> Opened {
        let (reply, answer) = channel();
        let sent = self.orders.send(Order::Open(reply));
        let opened = sent.ok().and_then(|()| answer.recv_timeout(PATIENCE_AT_START).ok());
        opened.unwrap_or_else(|| {
            log::warn!("the database does not answer; the run is kept in {}", self.spool.path().display());
            let snapshot = {
                let mut state = lock(&self.state);
                // The wait is none of the command's time.
                state.watch = Stopwatch::start();
                state.snapshot.metadata.insert("bookkeeping_errors".to_owned(), 1.into());
                state.stamp()
            };
            self.keep(&snapshot);
            Opened::Spooled
        })
    }

    /// Says how far the run is.
    pub fn progress(&self, counts: Counts) {
        lock(&self.state).progress(counts);
    }

    /// Puts the end on record: in the database when it answers in time, else in the spool.
    #[must_use]
    pub fn finish(self, status: Status, ending: Ending) -> Kept {
        let snapshot = {
            let mut state = lock(&self.state);
            state.snapshot.status = status;
            state.snapshot.ending = ending;
            state.snapshot.rate = None;
            state.stamp()
        };
        let (reply, answer) = channel();
        let sent = self.orders.send(Order::Finish(Box::new(snapshot.clone()), reply));
        let kept = sent.ok().and_then(|()| answer.recv_timeout(PATIENCE_AT_END).ok());
        kept.unwrap_or_else(|| self.keep(&snapshot))
    }

    fn keep(&self, snapshot: &Snapshot) -> Kept {
        match self.spool.append(snapshot) {
            Ok(()) => Kept::Spool,
            Err(error) => {
                log::error!("a run cannot be recorded anywhere: {error:#}");
                Kept::Nowhere
            }
        }
    }
}

impl State {
    fn progress(&mut self, counts: Counts) {
        self.snapshot.rate = self.rate.sample(self.watch.seconds(), counts.processed());
        self.snapshot.counts = counts;
    }

    /// The run as it is now, newer than any before.
    fn stamp(&mut self) -> Snapshot {
        self.snapshot.seq += 1;
        self.snapshot.elapsed = self.watch.seconds();
        self.snapshot.at = Utc::now();
        self.snapshot.clone()
    }
}

/// The thread's own: the connection, and what it has written when.
struct Scribe {
    application: &'static str,
    state: Arc<Mutex<State>>,
    spool: Spool,
    client: Option<Client>,
    written: Option<(Instant, Counts)>,
    spooled: Option<Instant>,
    sought: Option<Instant>,
    errors: u64,
    /// Whether it was said that the database is away.
    said: bool,
}

impl Scribe {
    fn serve(mut self, orders: &Receiver<Order>) {
        loop {
            match orders.recv_timeout(TICK) {
                Ok(Order::Open(reply)) => drop(reply.send(self.open())),
                Ok(Order::Finish(snapshot, reply)) => {
                    drop(reply.send(self.finish(&snapshot)));
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.beat(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn open(&mut self) -> Opened {
        let opened = self.seek().and_then(|()| {
            let snapshot = lock(&self.state).stamp();
            let identity = &snapshot.identity;
            for lost in store::reap(self.client()?, Some((&identity.job, &identity.lease)))? {
                log::info!("run {} of {} was lost", lost.id, lost.job);
            }
            match store::write(self.client()?, &snapshot, 0.0)? {
                Written::Taken => {
                    let holder = store::holder(self.client()?, &identity.job)?;
                    Ok(Opened::Taken(holder.unwrap_or_else(|| "a run that has just ended".to_owned())))
                }
                Written::Row(id) => {
                    self.written = Some((Instant::now(), snapshot.counts));
                    Ok(Opened::Recorded(id))
                }
                Written::Older => Ok(Opened::Spooled),
            }
        });
        opened.unwrap_or_else(|error| {
            self.lose(&error);
            self.keep();
            Opened::Spooled
        })
    }

    /// Writes what is new, or that the run is still there.
    fn beat(&mut self) {
        let counts = lock(&self.state).snapshot.counts.clone();
        let due = self.written.as_ref().is_none_or(|(when, written)| {
            when.elapsed() >= HEARTBEAT || (when.elapsed() >= PROGRESS && counts != *written)
        });
        if !due || (self.client.is_none() && self.sought.is_some_and(|when| when.elapsed() < ABSENCE)) {
            return;
        }
        if let Err(error) = self.seek().and_then(|()| self.write()) {
            self.lose(&error);
            if self.spooled.is_none_or(|when| when.elapsed() >= ABSENCE) {
                self.keep();
            }
        }
    }

    fn write(&mut self) -> Result<()> {
        let mut snapshot = lock(&self.state).stamp();
        if store::write(self.client()?, &snapshot, 0.0)? == Written::Taken {
            let job = &snapshot.identity.job;
            log::warn!("nothing was heard of this run of {job} for too long, and another one has started");
            snapshot.status = Status::Lost;
            store::write(self.client()?, &snapshot, 0.0)?;
        }
        self.written = Some((Instant::now(), snapshot.counts));
        self.said = false;
        Ok(())
    }

    fn finish(&mut self, snapshot: &Snapshot) -> Kept {
        let had_connection = self.client.is_some();
        let mut ended = self.end(snapshot);
        if ended.is_err() && had_connection {
            // The server may have been started anew since the last heartbeat.
            self.client = None;
            ended = self.end(snapshot);
        }
        ended.map(Kept::Row).unwrap_or_else(|error| {
            self.lose(&error);
            let kept = self.spool.append(snapshot);
            kept.map_or_else(
                |error| {
                    log::error!("a run cannot be recorded anywhere: {error:#}");
                    Kept::Nowhere
                },
                |()| Kept::Spool,
            )
        })
    }

    fn end(&mut self, snapshot: &Snapshot) -> Result<Option<String>> {
        self.seek()?;
        store::write(self.client()?, snapshot, 0.0)?;
        // The row is right already; what is said about it is not worth a spool.
        Ok(store::settle(self.client()?, snapshot).unwrap_or_else(|error| {
            log::warn!("{error:#}");
            None
        }))
    }

    /// Makes sure of a connection; a new one brings what was spooled.
    fn seek(&mut self) -> Result<()> {
        if self.client.is_none() {
            self.sought = Some(Instant::now());
            let mut client = store::connect(self.application)?;
            // What waits can wait on; this run comes first.
            match replay::catch_up(&mut client, &self.spool) {
                Ok(replayed) if replayed.runs > 0 => {
                    log::info!("{} runs that were kept here are in the database now", replayed.runs);
                }
                Ok(_) => {}
                Err(error) => log::info!("{}: {error:#}", self.spool.path().display()),
            }
            self.client = Some(client);
        }
        Ok(())
    }

    fn client(&mut self) -> Result<&mut Client> {
        self.client.as_mut().ok_or_else(|| anyhow::anyhow!("no connection"))
    }

    /// Counts an error, and says it once while it lasts.
    fn lose(&mut self, error: &anyhow::Error) {
        self.errors += 1;
        lock(&self.state).snapshot.metadata.insert("bookkeeping_errors".to_owned(), self.errors.into());
        let place = self.spool.path().display();
        self.client = None;
        if self.said {
            log::info!("still kept in {place}: {error:#}");
        } else {
            log::warn!("the run goes on, and is kept in {place}: {error:#}");
        }
        self.said = true;
    }

    fn keep(&mut self) {
        self.spooled = Some(Instant::now());
        let snapshot = lock(&self.state).stamp();
        if let Err(error) = self.spool.append(&snapshot) {
            log::error!("a run cannot be recorded anywhere: {error:#}");
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Plain values: whoever panicked left them whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
