//! For tests only: a mock of the API, a private PostgreSQL, and the real tools in a folder of their own.
//!
//! # Layout
//! - [`Database`]: a fresh database on a private server. [`Server`]: one that a test may do anything to.
//! - [`Mock`]: a running `mock-api42`.
//! - [`places_in_files`], [`Database::places_of`]: where words stand.
//! - [`Proxy`]: between a tool and either of them, and as bad as a network can be.
//! - [`Workdir`]: a folder to run tools in; what they print is in every failure's message.
//! - `markers`: what no tool may say, looked for in all that they say.

mod database;
mod golden;
mod markers;
mod mock;
mod proxy;
mod search;
mod server;
mod wait;
mod workdir;

pub use database::Database;
pub use golden::assert_golden;
pub use mock::Mock;
pub use proxy::{Mode, Proxy, Side};
pub use search::places_in_files;
pub use server::{Frozen, Server, Stop};
pub use wait::until;
pub use workdir::{Run, Workdir, tool};
