//! For every reference of the catalog: rows whose parent is missing, in quarantine, or in the table where a foreign key
//! was dropped. One finding for each parent, however many rows want it.

use super::{Body, Check, Mend, SETTLED, needs};
use crate::action::Action;
use crate::level::Weight;
use catalog::{Catalog, Column, Resource};
use std::collections::BTreeMap;
use warehouse::{literal, quoted};

/// The checks of a resource's references.
pub(super) fn of(catalog: &Catalog, child: &Resource) -> Vec<Check> {
    let references = child.columns.iter().filter_map(|column| {
        let parent = catalog.find(column.references.as_deref()?).ok()?;
        Some(check(child, column, parent))
    });
    references.collect()
}

fn check(child: &Resource, column: &Column, parent: &Resource) -> Check {
    let (table, stem) = (&child.table, column.name.trim_end_matches("_id"));
    let (key, above) = (&parent.key[0], &parent.table);
    let mut columns = needs(table, &[&column.name, "ingested_at"]);
    columns.extend(needs(above, &[key]));
    Check {
        name: format!("{table}_{stem}_fk"),
        alias: Some(format!("{table}_fk")),
        table: Some(table.clone()),
        about: format!("Each row of {table} has its row of {above}, and none waits for one in quarantine"),
        severity: column.orphans,
        weight: Weight::Share,
        needs: columns,
        wants_whole: Vec::new(),
        left: format!("{table}.{}", column.name),
        right: format!("{above}.{key}"),
        mend: mend(parent),
        also: BTreeMap::new(),
        body: Body::Groups(statement(child, column, parent)),
    }
}

/// Students can be fetched by their ids; of the rest the whole list is.
fn mend(parent: &Resource) -> Mend {
    if parent.lookup.is_some() {
        let target = Some(parent.table.clone());
        Mend { action: Action::BacklogAddUser, target, id: Some("parent_key") }
    } else {
        Mend::of_table(Action::RefetchParent, &parent.table)
    }
}

/// A row of the table that is in order has no subject; of the others, one group for each missing parent.
fn statement(child: &Resource, column: &Column, parent: &Resource) -> String {
    let (table, above, name) = (quoted(&child.table), quoted(&parent.table), quoted(&column.name));
    let (key, kind) = (quoted(&parent.key[0]), column.kind);
    let subject = |value: &str, found_in: &str| {
        format!(
            "jsonb_build_object('parent_table', {}, 'parent_key', {value}, 'found_in', {})",
            literal(&parent.table),
            literal(found_in)
        )
    };
    let dangling = subject(&format!("t.{name}"), &child.table);
    let waiting = subject(&format!("q.parent_key::{kind}"), "ops.quarantine");
    format!(
        "SELECT subject, count(*) AS left_value, NULL::bigint AS right_value, count(*) AS rows FROM (
             SELECT CASE WHEN p.{key} IS NULL THEN {dangling} END AS subject
             FROM {table} t LEFT JOIN {above} p ON p.{key} = t.{name}
             WHERE t.{name} IS NOT NULL AND t.ingested_at < {SETTLED}
             UNION ALL
             SELECT CASE WHEN p.{key} IS NULL THEN {waiting} END
             FROM ops.quarantine q LEFT JOIN {above} p ON p.{key}::text = q.parent_key
             WHERE q.table_name = {child} AND q.reason_kind = 'parent' AND q.parent_table = {parent}
                 AND q.row ->> {column} = q.parent_key AND q.first_seen < {SETTLED}) AS r
         GROUP BY subject",
        child = literal(&child.table),
        parent = literal(&parent.table),
        column = literal(&column.name),
    )
}
