//! All that the database holds of one person.

use crate::fault;
use crate::name::{literal, quoted};
use anyhow::{Context, Result};
use catalog::{Catalog, Column, Personal, Resource, Type};
use postgres::Client;
use serde_json::{Value, json};

/// Gives every row that is about a person, with its place: `{"place":"users","row":{…}}`. Whether a record of quarantine is
/// that could not be typed, `is_about` tells.
///
/// # Errors
/// When the connection is lost or a table is missing, and those of `give`.
pub fn held(
    client: &mut Client,
    catalog: &Catalog,
    person: i64,
    is_about: &dyn Fn(&Resource, &str) -> bool,
    give: &mut dyn FnMut(Value) -> Result<()>,
) -> Result<()> {
    for (table, conditions) in places(catalog) {
        let query = format!("SELECT to_jsonb(t)::text FROM {table} t WHERE {}", conditions.join(" OR "));
        let rows = client.query(&query, &[&person]).map_err(|error| fault::of(&error));
        for row in rows.with_context(|| table.clone())? {
            give_row(&table, row.get(0), give)?;
        }
    }
    let untyped =
        "SELECT table_name, record, to_jsonb(t)::text FROM ops.quarantine t WHERE record IS NOT NULL";
    let rows = client.query(untyped, &[]).map_err(|error| fault::of(&error)).context("ops.quarantine")?;
    for row in rows {
        let Ok(resource) = catalog.find(row.get(0)) else { continue };
        if is_about(resource, row.get(1)) {
            give_row("ops.quarantine", row.get(2), give)?;
        }
    }
    Ok(())
}

fn give_row(table: &str, row: &str, give: &mut dyn FnMut(Value) -> Result<()>) -> Result<()> {
    let row: Value = serde_json::from_str(row)?;
    give(json!({"place": table.trim_matches('"'), "row": row}))
}

/// The tables that may hold something, each with the conditions under which a row `t` of it is about person `$1`.
fn places(catalog: &Catalog) -> Vec<(String, Vec<String>)> {
    let is_number = |column: &&Column| column.personal == Personal::Identifies && column.kind == Type::Bigint;
    let mut places = Vec::new();
    let mut waiting = Vec::new();
    for resource in catalog.resources() {
        let label = literal(&resource.table);
        let owners = catalog.owners(resource);
        for column in &owners {
            let name = literal(&column.name);
            waiting.push(format!("(t.table_name = {label} AND t.row ->> {name} = $1::bigint::text)"));
        }
        let columns = owners.into_iter().chain(resource.columns.iter().filter(is_number));
        let conditions: Vec<_> = columns.map(|column| format!("t.{} = $1", quoted(&column.name))).collect();
        if !conditions.is_empty() {
            places.push((quoted(&resource.table), conditions));
        }
    }
    if let Some(people) = catalog.people() {
        let label = literal(&people.table);
        waiting.push(format!("(t.parent_table = {label} AND t.parent_key = $1::bigint::text)"));
        places.push(("ops.quarantine".to_owned(), waiting));
    }
    places.push(("ops.tombstones".to_owned(), vec!["t.user_id = $1".to_owned()]));
    places
}
