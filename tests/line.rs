//! The line as a whole, with the real tools, the mock and a real PostgreSQL.
//!
//! - `nightly`: the nightly script; both ends equal, calls counted, the second run writes nothing.
//! - `following`: the live script, which follows what changed.
//! - `backlog`: the backlog, drained by the real tools.
//! - `pipes`: what people type into a shell.
//! - `kills`: SIGKILL anywhere, then again.
//! - `answers`: the API at its worst.
//! - `pruning`: what leaves, and what only seems to.
//! - `erasure`: ten days ahead, who is due is gone everywhere.
//! - `backups`: dumps that are proven, and the way back.
//! - `scripts`: the private server, the quickstart, `.env`.
//! - `live`: following what changed, and looking up whose it is.
//! - `hazards`: lists that move while they are read; what pages lose, and ours does not.
//! - `tokens`: tokens and secrets that end.
//! - `growing`: a fourteenth resource is one file.
//! - `house`: walls, names and manuals.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod answers;
mod backlog;
mod backups;
mod erasure;
mod following;
mod growing;
mod hazards;
mod house;
mod kills;
mod live;
mod nightly;
mod pipes;
mod pruning;
mod scripts;
mod tokens;
