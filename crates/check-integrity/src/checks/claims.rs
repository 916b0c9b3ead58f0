//! The claims that the files of the catalog make.

use super::{Body, Check, Mend, SETTLED};
use crate::action::Action;
use crate::level::Weight;
use catalog::{Catalog, Claim, Resource};
use std::collections::BTreeSet;

/// The checks of a resource's claims.
pub(super) fn of(catalog: &Catalog, resource: &Resource, cursus: u64) -> Vec<Check> {
    resource.claims.iter().map(|claim| check(catalog, resource, claim, cursus)).collect()
}

fn check(catalog: &Catalog, resource: &Resource, claim: &Claim, cursus: u64) -> Check {
    let split =
        |need: &String| need.split_once('.').map(|(table, column)| (table.to_owned(), column.to_owned()));
    let needs: Vec<_> = claim.needs.iter().filter_map(split).collect();
    let tables: BTreeSet<&String> = needs.iter().map(|(table, _)| table).collect();
    // Of two tables, one may simply not be there yet.
    let wants_whole = tables.iter().filter(|_| tables.len() > 1).map(|table| (*table).clone()).collect();
    let sql = claim.sql.replace("{cursus}", &cursus.to_string()).replace("{settled}", SETTLED);
    Check {
        name: claim.name.clone(),
        alias: None,
        table: Some(resource.table.clone()),
        about: claim.about.clone(),
        severity: claim.severity,
        weight: Weight::Share,
        needs,
        wants_whole,
        left: claim.left.clone(),
        right: claim.right.clone(),
        mend: mend(catalog, resource, claim),
        also: claim.also.clone(),
        body: Body::Units(sql),
    }
}

fn mend(catalog: &Catalog, resource: &Resource, claim: &Claim) -> Mend {
    let of_user = |action, table: &str| Mend { action, target: Some(table.to_owned()), id: Some("user_id") };
    match claim.mend {
        catalog::Mend::ReloadExport => Mend::of_table(Action::ReloadExport, &resource.table),
        catalog::Mend::RefetchRows => of_user(Action::RefetchRows, &resource.table),
        catalog::Mend::BacklogAddUser => {
            let people = catalog.resources().iter().find(|resource| resource.lookup.is_some());
            of_user(Action::BacklogAddUser, people.map_or("", |people| &people.table))
        }
    }
}
