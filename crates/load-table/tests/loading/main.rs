//! The loading contract, on a real PostgreSQL.
//!
//! `cfg(test)` on the modules tells clippy that their helpers are tests too.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod csv;
#[cfg(test)]
mod erased;
#[cfg(test)]
mod growing;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod orphans;
#[cfg(test)]
mod prune;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rivals;
#[cfg(test)]
mod room;
#[cfg(test)]
mod short_ways;
#[cfg(test)]
mod size;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod unchanged;
#[cfg(test)]
mod values;
#[cfg(test)]
mod written;
