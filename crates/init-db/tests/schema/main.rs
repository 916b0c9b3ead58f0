//! A database is brought up to date with the catalog, on a real PostgreSQL.

mod drift;
mod growth;
