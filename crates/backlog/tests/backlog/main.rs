//! The backlog on both stores: what it keeps, what it never loses, and how it is drained by tools that fail.
//!
//! `cfg(test)` on the modules tells clippy that their helpers are tests too.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod variables;
