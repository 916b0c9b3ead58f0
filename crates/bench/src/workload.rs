//! What is loaded: a table, how many rows, and how many of them differ the second time.

use crate::generate::Kind;
use anyhow::{Context, Result};
use catalog::{Catalog, Resource};
use std::path::{Path, PathBuf};

/// A table that is filled, loaded again as it is, and loaded with what changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// As it is called in the tables.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) world: World,
    pub(crate) rows: u64,
    /// Of a thousand rows, those that differ in the second snapshot or are new there.
    pub(crate) changed: u64,
}

/// Which tables there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// Tables with a primary key and nothing else.
    Plain,
    /// The tables of the mirror, with their foreign keys, indexes and checks.
    Real,
}

const STUDENTS: u64 = 40_341;
const MILLION: u64 = 1_000_000;

/// The workloads of the table, none of them larger than so many rows.
pub(crate) fn usual(most: Option<u64>) -> Vec<Workload> {
    let capped = |rows: u64| most.map_or(rows, |most| rows.min(most));
    [
        ("users", Kind::Users, World::Plain, STUDENTS, 44),
        ("rows", Kind::Rows, World::Plain, MILLION, 12),
        ("real users", Kind::Users, World::Real, STUDENTS, 44),
        ("real projects_users", Kind::Enrolments, World::Real, MILLION, 12),
    ]
    .map(|(name, kind, world, rows, changed)| Workload { name, kind, world, rows: capped(rows), changed })
    .to_vec()
}

/// Flat rows, ten times as many from one to the next.
pub(crate) fn growing(most: Option<u64>) -> Vec<Workload> {
    let sizes = [10_000, 100_000, MILLION, 10 * MILLION];
    let sizes = sizes.into_iter().filter(|rows| *rows <= most.unwrap_or(10 * MILLION));
    let workload =
        |rows| Workload { name: "growth", kind: Kind::Rows, world: World::Plain, rows, changed: 12 };
    sizes.map(workload).collect()
}

impl Workload {
    pub(crate) fn resource(&self) -> Result<Resource> {
        Ok(self.world.catalog()?.find(self.kind.table())?.clone())
    }

    /// What has to be in other tables first.
    pub(crate) fn parents(&self) -> Vec<Workload> {
        let parent = |kind, rows| Workload { name: "", kind, rows, changed: 0, ..*self };
        match (self.world, self.kind) {
            (World::Real, Kind::Users) => vec![parent(Kind::Campuses, crate::generate::CAMPUSES)],
            (World::Real, Kind::Enrolments) => vec![
                parent(Kind::Campuses, crate::generate::CAMPUSES),
                parent(Kind::Projects, crate::generate::PROJECTS),
                parent(Kind::Users, crate::generate::STUDENTS),
            ],
            _ => Vec::new(),
        }
    }
}

impl World {
    pub(crate) const fn database(self) -> &'static str {
        match self {
            Self::Plain => "bench_plain",
            Self::Real => "bench_real",
        }
    }

    /// What `CATALOG_DIR` is to be.
    pub(crate) fn folder(self) -> PathBuf {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
        match self {
            Self::Plain => crates.join("catalog"),
            Self::Real => crates.join("../catalog/resources"),
        }
    }

    fn catalog(self) -> Result<Catalog> {
        Catalog::from_folder(&self.folder()).with_context(|| format!("{self:?}"))
    }
}
