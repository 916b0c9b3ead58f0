//! How rows reach PostgreSQL: connections, tables, loads. All SQL of the mirror is here.
//!
//! # Layout
//! - [`connect()`]: a connection, as the environment names it.
//! - [`schema`]: the tables as data, and what brings a database up to date.
//! - [`load()`]: records into a table, by the loading contract; [`watermark`], [`missing`].
//! - [`erase`]: people who are forgotten, and the tombstones that keep it so.
//! - `input`, `convert`, `copy`: records as they are written, as typed rows, as PostgreSQL takes them; `jsonb`. [`rehearse`]:
//!   the same without a database.
//! - [`write_keys`]: the keys of an export, to be compared with a table.
//! - `fault`: what PostgreSQL says when it refuses, as errors of ours; [`commit()`]: when it may not have heard.
//! - `name`: names and texts as they stand in SQL.

mod commit;
mod connect;
mod convert;
mod copy;
pub mod erase;
mod fault;
mod input;
mod jsonb;
mod keys;
mod load;
mod name;
mod rehearsal;
pub mod schema;

pub use commit::commit;
pub use connect::connect;
pub use fault::of as fault;
pub use input::{Form, Source};
pub use keys::{Keys, key_columns, write_keys};
pub use load::{Ending, Limits, Load, Summary, load, missing, rewind, watermark};
pub use name::{literal, quoted};
pub use rehearsal::{Rehearsal, rehearse};
