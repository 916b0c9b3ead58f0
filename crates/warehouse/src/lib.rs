//! How rows reach PostgreSQL: connections, tables, loads. All SQL of the mirror is here.
//!
//! # Layout
//! - [`connect()`]: a connection, as the environment names it.
//! - [`schema`]: the tables as data, and what brings a database up to date.
//! - `fault`: what PostgreSQL says when it refuses, as errors of ours.
//! - `name`: names and texts as they stand in SQL.

mod connect;
mod fault;
mod name;
pub mod schema;

pub use connect::connect;
