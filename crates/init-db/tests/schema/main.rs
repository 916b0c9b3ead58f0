//! A database is brought up to date with the catalog, on a real PostgreSQL.
//!
//! `cfg(test)` on the modules tells clippy that their helpers are tests too.

#[cfg(test)]
mod drift;
#[cfg(test)]
mod growth;
