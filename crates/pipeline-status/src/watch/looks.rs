//! The thread that looks.

use super::{Event, Look};
use crate::measure::Gauge;
use crate::since::Since;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Looks, one after the other, with a pause between.
pub(super) struct Looks {
    wishes: Sender<()>,
}

impl Looks {
    pub(super) fn start(mut gauge: Gauge, interval: Duration, events: Sender<Event>) -> Self {
        let (wishes, wished) = channel();
        thread::spawn(move || {
            let mut since: Option<Since> = None;
            loop {
                let measured = gauge.look(since.as_ref().map(Since::mark));
                if let Ok(database) = measured.database.get() {
                    match &mut since {
                        Some(since) => since.take(database),
                        None => since = Some(Since::new(database.now)),
                    }
                }
                let look = Look { measured, since: since.clone(), at: Instant::now() };
                if events.send(Event::Looked(Box::new(look))).is_err() {
                    return;
                }
                // Several wishes during one look are one.
                if wished.recv_timeout(interval).is_ok() {
                    while wished.try_recv().is_ok() {}
                }
            }
        });
        Self { wishes }
    }

    /// Ends the pause.
    pub(super) fn now(&self) {
        self.wishes.send(()).unwrap_or_default();
    }
}
