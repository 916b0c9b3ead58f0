//! Who waits for whom. Locks are taken in the order of the catalog, so that no two loads ever wait for each other.

use super::attempt::Attempt;
use crate::name::literal;
use anyhow::Result;
use catalog::{Catalog, Resource};

/// What taking the locks is called where it fails.
pub(crate) const WAITING: &str = "waiting for other loads of the same tables";

/// Takes the locks of a load, held until its transaction ends: its own table for itself alone, the tables it refers to
/// shared, and, since a pruned row takes others with it, the tables below it for itself alone when it may prune.
pub(super) fn take(attempt: &mut Attempt<'_>, prunes: bool) -> Result<()> {
    let (catalog, own) = (attempt.load.catalog, attempt.load.resource);
    let below = if prunes { below(catalog, own) } else { Vec::new() };
    attempt.run(WAITING, &statements(catalog, own, &below))
}

/// The same as SQL, for any transaction that writes a table and those `below` it.
pub(crate) fn statements(catalog: &Catalog, own: &Resource, below: &[&Resource]) -> String {
    let above = above(catalog, own);
    let mut statements = String::new();
    for resource in catalog.resources() {
        let is_in = |group: &[&Resource]| group.iter().any(|other| other.table == resource.table);
        let function = match () {
            () if resource.table == own.table || is_in(below) => "pg_advisory_xact_lock",
            () if is_in(&above) => "pg_advisory_xact_lock_shared",
            () => continue,
        };
        statements.push_str(&format!("SELECT {function}(42, hashtext({}));\n", literal(&resource.table)));
    }
    statements
}

/// The tables that a table refers to, near and far, in the order of the catalog.
fn above<'a>(catalog: &'a Catalog, resource: &Resource) -> Vec<&'a Resource> {
    let mut found: Vec<&str> = Vec::new();
    // Parents come first in the catalog, so one pass from its end finds every ancestor.
    for candidate in catalog.resources().iter().rev() {
        let referred = |from: &Resource| {
            from.columns.iter().any(|column| column.references.as_deref() == Some(&candidate.table))
        };
        let far =
            catalog.resources().iter().any(|other| found.contains(&other.table.as_str()) && referred(other));
        if far || referred(resource) {
            found.push(&candidate.table);
        }
    }
    catalog.resources().iter().filter(|other| found.contains(&other.table.as_str())).collect()
}

/// The tables that refer to a table, near and far, in the order of the catalog.
pub(crate) fn below<'a>(catalog: &'a Catalog, resource: &Resource) -> Vec<&'a Resource> {
    let mut found: Vec<&Resource> = Vec::new();
    for candidate in catalog.resources() {
        let refers = candidate
            .columns
            .iter()
            .filter_map(|column| column.references.as_deref())
            .any(|target| target == resource.table || found.iter().any(|other| other.table == target));
        if refers {
            found.push(candidate);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(resources: &[&Resource]) -> Vec<String> {
        resources.iter().map(|resource| resource.table.clone()).collect()
    }

    #[test]
    fn relatives_are_found_near_and_far() {
        let catalog = Catalog::load().unwrap();
        let find = |name| catalog.find(name).unwrap();
        assert_eq!(tables(&above(&catalog, find("projects_users"))), ["campuses", "projects", "users"]);
        assert_eq!(tables(&above(&catalog, find("campuses"))), Vec::<String>::new());
        let below_users = ["cursus_users", "projects_users", "achievements_users", "coalitions_users"];
        assert_eq!(tables(&below(&catalog, find("users"))), below_users);
        assert!(tables(&below(&catalog, find("campuses"))).contains(&"coalitions_users".to_owned()));
    }
}
