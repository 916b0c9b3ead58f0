//! How the 42 API is spoken: token, shared pace, walking, retrying. Knows no table and no file of exports.
//!
//! [`Client::get`] makes one call, [`Client::walk`] reads whole lists, [`Client::follow`] what changed in them. All
//! processes of a host draw from one pace and use one token; both are kept in [`Settings::state_dir`]. [`HostState`]
//! shows them, and calls nothing.

mod book;
mod budget;
mod calls;
mod chance;
mod class;
mod client;
mod clock;
mod course;
mod crew;
mod follow;
mod follow_steps;
mod hints;
mod host;
mod line;
mod listing;
mod pace;
mod plain;
mod plan;
mod refusal;
mod renewal;
mod secret;
mod sent;
mod settings;
mod state;
mod tally;
mod token;
mod walk;
mod wire;

pub use budget::Budget;
pub use calls::{Answers, Calls};
pub use class::Class;
pub use client::{Answer, Client};
pub use follow::{Changes, Feed, Follow};
pub use host::HostState;
pub use listing::id;
pub use secret::Secret;
pub use settings::{DEFAULT_ROOT, Settings, WaitListener};
pub use tally::Tally;
pub use token::{Renewal, TokenKind, TokenState};
pub use walk::{List, Page, Resume, Walk};
