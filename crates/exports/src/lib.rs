//! How NDJSON lands on disk: whole or absent, with a manifest, resumable, fresh or not.
//!
//! # Layout
//! - [`Place`]: which folder an export lives in.
//! - [`Manifest`]: what an export says of itself.
//! - [`Snapshot`]: an export that is there, read with its checksum watched.
//! - [`Draft`]: an export that is being written.
//! - [`Walk`]: a draft that is written page by page, and goes on where it was after a kill; [`Trail`]: the same for a
//!   window of changes. `left`: what they leave for that.
//! - [`Fate`]: what becomes of a line when a place is rewritten without some; `sieve`: lines judged one by one.

mod draft;
mod left;
mod manifest;
mod place;
mod rewrite;
mod sieve;
mod snapshot;
mod trail;
mod walk;

pub use draft::{Draft, Facts};
pub use manifest::{Kind, Manifest, Scope, Window};
pub use place::Place;
pub use rewrite::{Fate, Rewritten};
pub use snapshot::Snapshot;
pub use trail::Trail;
pub use walk::{Effort, Page, Position, Walk};

#[cfg(test)]
mod rewrite_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trail_tests;
