//! HTTP/1.1 at the level of bytes: an API that misbehaves cannot be built on a server that does not.

mod connection;
mod request;
mod response;

pub(crate) use connection::serve;
pub(crate) use request::Request;
pub(crate) use response::seal;
