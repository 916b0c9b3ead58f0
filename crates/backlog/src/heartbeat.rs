//! Leases are lengthened while work goes on.

use crate::settings::Settings;
use crate::store;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

/// Beats three times a lease until it is dropped.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    pub(crate) fn start(settings: &Settings) -> Self {
        let (stop, stopped) = channel();
        let settings = settings.clone();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(settings.lease / 3) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = store::open(&settings).renew() {
                    // Should it stay so, the leases run out and others do the work too, which does no harm.
                    log::warn!("leases could not be renewed: {error:#}");
                }
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop = None;
        drop(self.thread.take().map(JoinHandle::join));
    }
}
