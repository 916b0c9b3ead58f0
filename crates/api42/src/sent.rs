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
