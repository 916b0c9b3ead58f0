//! When a request is really on its way: a connection may have to be made first, and the machine may be busy.

use std::fmt;
use std::sync::Arc;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// What is called each time that something was handed to the network, by the thread that did it.
#[derive(Clone)]
pub(crate) struct OnSent(Arc<dyn Fn() + Send + Sync>);

impl OnSent {
    pub(crate) fn new(listener: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }
}

impl fmt::Debug for OnSent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnSent")
    }
}

impl<In: Transport> Connector<In> for OnSent {
    type Out = Telling<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Telling { inner, on_sent: self.clone() }))
    }
}

/// A connection that tells when it has sent something.
#[derive(Debug)]
pub(crate) struct Telling<T> {
    inner: T,
    on_sent: OnSent,
}

impl<T: Transport> Transport for Telling<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    /// What is encrypted is sent when the handshake is over.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)?;
        (self.on_sent.0)();
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use ureq::Timeout;
    use ureq::unversioned::transport::LazyBuffers;

    /// A connection that is made while it is first sent to, or never.
    #[derive(Debug)]
    struct Slow {
        buffers: LazyBuffers,
        told: Arc<AtomicUsize>,
        is_reachable: bool,
    }

    impl Transport for Slow {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
            assert_eq!(self.told.load(Ordering::Relaxed), 0, "told before it was sent");
            if self.is_reachable { Ok(()) } else { Err(Error::ConnectionFailed) }
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    fn told(is_reachable: bool) -> usize {
        let told = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&told);
        let on_sent = OnSent::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let inner = Slow { buffers: LazyBuffers::new(64, 64), told: Arc::clone(&told), is_reachable };
        let timeout = NextTimeout {
            after: Duration::from_secs(1).into(),
            reason: Timeout::Global,
            ..NextTimeout::default()
        };
        let sent = Telling { inner, on_sent }.transmit_output(1, timeout);
        assert_eq!(sent.is_ok(), is_reachable);
        told.load(Ordering::Relaxed)
    }

    #[test]
    fn what_is_sent_is_told_afterwards_and_what_is_not_is_not() {
        assert_eq!((told(true), told(false)), (1, 0));
    }
}
