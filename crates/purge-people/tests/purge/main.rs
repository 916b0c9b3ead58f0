//! Erasing people, on a real PostgreSQL and real files.
//!
//! - `desk`: a mirror with three students, of whom everything is everywhere.
//! - `places`: where they are erased from, and what stays.
//! - `due`: whose time has come.
//! - `commands`: what people type.
//! - `trouble`: kills, rivals, full disks.
//!
//! `cfg(test)` on the modules tells clippy that their helpers are tests too.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod due;
#[cfg(test)]
mod places;
#[cfg(test)]
mod trouble;
