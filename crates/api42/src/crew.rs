//! The threads that make the calls of a walk.

use crate::client::Client;
use crate::clock::Stop;
use crate::course::Ask;
use crate::listing::{Listing, records};
use crate::pace::locked;
use anyhow::{Context, anyhow, ensure};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use verdict::{Judge, Verdict};

/// The threads that make the calls.
pub(crate) struct Crew {
    client: Client,
    most: usize,
    jobs: Sender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    done: Sender<Done>,
    results: Receiver<Done>,
    threads: usize,
    under_way: usize,
    stop: Stop,
}

pub(crate) struct Job {
    pub(crate) list: usize,
    pub(crate) ask: Ask,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
}

pub(crate) struct Done {
    pub(crate) list: usize,
    pub(crate) ask: Ask,
    pub(crate) answer: anyhow::Result<Listing>,
}

impl Crew {
    /// A crew of at most so many threads; none is started before there is work.
    pub(crate) fn new(client: Client, most: usize) -> Self {
        let (jobs, queue) = channel();
        let (done, results) = channel();
        let queue = Arc::new(Mutex::new(queue));
        Self { client, most, jobs, queue, done, results, threads: 0, under_way: 0, stop: Stop::default() }
    }

    /// Hands a job over, to a thread of its own while there are fewer than allowed.
    pub(crate) fn send(&mut self, job: Job) -> anyhow::Result<()> {
        self.jobs.send(job).map_err(|_| anyhow!("the threads of the walk are gone"))?;
        self.under_way += 1;
        if self.threads < self.most {
            let (client, queue, done) = (self.client.clone(), Arc::clone(&self.queue), self.done.clone());
            let stop = self.stop.clone();
            let thread = thread::Builder::new().name("api42".to_owned());
            thread
                .spawn(move || work(&client, &queue, &done, &stop))
                .context("starting a thread")
                .verdict(Verdict::Io)?;
            self.threads += 1;
        }
        Ok(())
    }

    /// Waits for the next job that is done.
    pub(crate) fn receive(&mut self) -> anyhow::Result<Done> {
        ensure!(self.under_way > 0, "the walk waits for a page that nobody asked for");
        let done = self.results.recv().context("the threads of the walk are gone")?;
        self.under_way -= 1;
        Ok(done)
    }

    /// Jobs handed over whose outcome has not been received.
    pub(crate) const fn under_way(&self) -> usize {
        self.under_way
    }

    /// Makes the threads end as soon as they can; what they still bring is of no use.
    pub(crate) fn stop(&self) {
        self.stop.set();
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What one thread does until the walk is dropped.
fn work(client: &Client, queue: &Mutex<Receiver<Job>>, done: &Sender<Done>, stop: &Stop) {
    loop {
        let received = locked(queue).recv();
        let Ok(job) = received else { return };
        if stop.is_set() {
            return;
        }
        // A thread that died silently would leave the reader waiting for ever.
        let outcome = catch_unwind(AssertUnwindSafe(|| read(client, &job, stop)));
        let answer = outcome.unwrap_or_else(|_| Err(anyhow!("a thread of the walk panicked")));
        if done.send(Done { list: job.list, ask: job.ask, answer }).is_err() {
            return;
        }
    }
}

fn read(client: &Client, job: &Job, stop: &Stop) -> anyhow::Result<Listing> {
    let (records, exchange) = client
        .read(&job.path, &job.query, records, stop)
        .with_context(|| format!("page {}", job.ask.page))?;
    let hints = exchange.hints;
    Ok(Listing { records, total: hints.total, per_page: hints.per_page, date: hints.date })
}
