//! The loading contract, on a real PostgreSQL.

mod accounts;
mod csv;
mod growing;
mod kills;
mod mirror;
mod orphans;
mod prune;
mod refusals;
mod rivals;
mod size;
mod tls;
mod unchanged;
mod values;
