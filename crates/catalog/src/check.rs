//! What has to hold within a file of the catalog and between the files.

use crate::claim;
use crate::resource::{Column, Field, Resource, Source, Type};
use anyhow::{Result, bail, ensure};
use std::collections::HashSet;

/// A loader notes in one 64-bit mask which columns a record lacks.
const MOST_COLUMNS: usize = 63;

/// Checks each resource, then their names, references and order.
pub(crate) fn all(resources: &[Resource]) -> Result<()> {
    names_are_unique(resources)?;
    for resource in resources {
        names_are_legal(resource)?;
        columns_fit(resource)?;
        live_fits(resource)?;
        pointers_are_legal(resource)?;
        for target in resource.needs() {
            ensure!(
                resources.iter().any(|other| other.table == target),
                "catalog {}: refers to the table `{target}`, which no file describes",
                resource.file
            );
        }
    }
    claim::fit(resources)?;
    no_cycle(resources)?;
    people_fit(resources)?;
    for (place, resource) in resources.iter().enumerate() {
        parents_come_first(resource, &resources[..place])?;
        references_fit(resource, &resources[..place])?;
        stamps_fit(resource, &resources[..place])?;
    }
    Ok(())
}

fn names_are_unique(resources: &[Resource]) -> Result<()> {
    let mut numbers = HashSet::new();
    let mut names = HashSet::new();
    for resource in resources {
        ensure!(numbers.insert(&resource.file[..2]), "catalog {}: the number is taken", resource.file);
        let aliases = HashSet::from([&resource.name, &resource.table]);
        for name in aliases {
            ensure!(names.insert(name), "catalog {}: the name `{name}` is taken", resource.file);
        }
    }
    Ok(())
}

fn names_are_legal(resource: &Resource) -> Result<()> {
    let columns = resource.columns.iter().map(|column| &column.name);
    for name in columns.chain([&resource.table, &resource.name]) {
        let mut bytes = name.bytes();
        let legal = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && name.len() <= 50;
        ensure!(legal, "catalog {}: `{name}` is no name: a-z, then a-z, 0-9, _, 50 at most", resource.file);
    }
    Ok(())
}

fn columns_fit(resource: &Resource) -> Result<()> {
    let file = &resource.file;
    let mut seen = HashSet::from(["ingested_at"]);
    for column in &resource.columns {
        ensure!(
            seen.insert(&column.name),
            "catalog {file}: the column `{}` is there twice, or ours",
            column.name
        );
        // PostgreSQL cuts names at 63 bytes: two constraints of one table would become one.
        let longest = format!("{}_{}_check", resource.table, column.name).len();
        ensure!(longest <= 63, "catalog {file}: `{}`: table and column together are too long", column.name);
        let enumerates = !column.one_of.is_empty();
        ensure!(
            !enumerates || column.kind == Type::Text,
            "catalog {file}: `{}`: one_of is for text",
            column.name
        );
    }
    ensure!(resource.columns.len() <= MOST_COLUMNS, "catalog {file}: more than {MOST_COLUMNS} columns");
    ensure!(!resource.key.is_empty(), "catalog {file}: a key is wanted");
    for name in &resource.key {
        let column = resource.column(name);
        ensure!(
            column.is_some_and(|column| !column.null),
            "catalog {file}: key `{name}` is no column with null = false"
        );
        ensure!(
            column.is_some_and(|column| column.kind != Type::Jsonb && column.kind != Type::Double),
            "catalog {file}: key `{name}` has a type that cannot be a key"
        );
    }
    if let Some(version) = &resource.version {
        let kind = resource.column(version).map(|column| column.kind);
        let grows = matches!(kind, Some(Type::Timestamptz | Type::Bigint | Type::Integer));
        ensure!(grows, "catalog {file}: version `{version}` is no column of a type that grows");
    }
    Ok(())
}

fn pointers_are_legal(resource: &Resource) -> Result<()> {
    let mut pointers: Vec<&str> = resource.columns.iter().map(|column| column.from.as_str()).collect();
    pointers.extend(resource.scope.keys().map(String::as_str));
    let stamps = resource.lookup.iter().flat_map(|lookup| lookup.stamp.values());
    pointers.extend(stamps.flat_map(|stamp| [stamp.id.as_str(), stamp.take.as_str()]));
    match &resource.source {
        Source::Fetch(fetch) => {
            ensure!(fetch.path.starts_with("/v2/"), "catalog {}: path starts with /v2/", resource.file);
            pointers.extend(fetch.each.iter().flat_map(|each| each.stamp.values().map(String::as_str)));
            let batch = fetch.each.as_ref().map_or(1, |each| each.batch);
            ensure!((1..=100).contains(&batch), "catalog {}: a batch is 1 to 100 ids", resource.file);
        }
        Source::Derive(derive) => {
            pointers.push(&derive.each);
            for (key, field) in &derive.record {
                field_fits(&resource.file, key, field)?;
            }
        }
    }
    for pointer in pointers {
        ensure!(
            pointer.starts_with('/'),
            "catalog {}: `{pointer}` is no JSON pointer: it starts with /",
            resource.file
        );
    }
    for value in resource.scope.values() {
        let plain = value.is_str() || value.is_bool() || value.is_integer();
        ensure!(plain, "catalog {}: a value of [scope] is a text, a number, true or false", resource.file);
    }
    Ok(())
}

/// `[live]` and `[lookup]` say more about a list of `[fetch]`.
fn live_fits(resource: &Resource) -> Result<()> {
    let file = &resource.file;
    let is_fetched = matches!(resource.source, Source::Fetch(_));
    ensure!(
        is_fetched || resource.live.is_none() && resource.lookup.is_none(),
        "catalog {file}: [live] and [lookup] go with [fetch]"
    );
    if let Some(live) = &resource.live {
        let path = live.path.as_deref().unwrap_or("/v2/");
        ensure!(path.starts_with("/v2/"), "catalog {file}: live.path starts with /v2/");
        let moves = resource.column(&live.range).map(|column| column.kind);
        ensure!(
            moves == Some(Type::Timestamptz),
            "catalog {file}: live.range `{}` is no column of type timestamptz",
            live.range
        );
        let first = live.sort.split(',').next();
        ensure!(
            first == Some(live.range.as_str()),
            "catalog {file}: live.sort rises by `{}` first: `{0},id`",
            live.range
        );
    }
    for (key, stamp) in resource.lookup.iter().flat_map(|lookup| &lookup.stamp) {
        ensure!(stamp.path.starts_with("/v2/"), "catalog {file}: lookup.stamp.{key}.path starts with /v2/");
    }
    Ok(())
}

fn field_fits(file: &str, key: &str, field: &Field) -> Result<()> {
    let one = field.parent.is_some() != field.item.is_some();
    ensure!(one, "catalog {file}: derive.record.{key} wants exactly one of parent and item");
    ensure!(
        field.find.is_none() || field.item.is_some(),
        "catalog {file}: derive.record.{key}: find goes with item"
    );
    Ok(())
}

/// Follows references depth first; the path walked is the message when it bites its tail.
fn no_cycle(resources: &[Resource]) -> Result<()> {
    fn follow<'a>(table: &'a str, resources: &'a [Resource], path: &mut Vec<&'a str>) -> Result<()> {
        if let Some(start) = path.iter().position(|passed| *passed == table) {
            bail!("catalog: a cycle of references: {} → {table}", path[start..].join(" → "));
        }
        path.push(table);
        let resource = resources.iter().find(|resource| resource.table == table);
        for target in resource.map(Resource::needs).unwrap_or_default() {
            follow(target, resources, path)?;
        }
        path.pop();
        Ok(())
    }
    resources.iter().try_for_each(|resource| follow(&resource.table, resources, &mut Vec::new()))
}

fn parents_come_first(resource: &Resource, before: &[Resource]) -> Result<()> {
    for target in resource.needs() {
        ensure!(
            before.iter().any(|earlier| earlier.table == target),
            "catalog {}: refers to `{target}`, which comes later; the numbers of the files give the order",
            resource.file
        );
    }
    Ok(())
}

fn references_fit(resource: &Resource, before: &[Resource]) -> Result<()> {
    for column in &resource.columns {
        let Some(target) = &column.references else { continue };
        let parent = before.iter().find(|earlier| earlier.table == *target);
        let key = parent.and_then(|parent| single_key(parent));
        ensure!(
            key.is_some_and(|key| key.kind == column.kind),
            "catalog {}: `{}` refers to `{target}`, whose key is not one column of the same type",
            resource.file,
            column.name
        );
    }
    Ok(())
}

/// People are of one table, and each is told by one number.
fn people_fit(resources: &[Resource]) -> Result<()> {
    let mut people = resources.iter().filter(|resource| !resource.erase_at.is_empty());
    let Some(resource) = people.next() else { return Ok(()) };
    let file = &resource.file;
    if let Some(other) = people.next() {
        bail!("catalog {}: erase_at: the people are those of {file}", other.file);
    }
    for name in &resource.erase_at {
        let kind = resource.column(name).map(|column| column.kind);
        ensure!(
            kind == Some(Type::Timestamptz),
            "catalog {file}: erase_at: `{name}` is no column of type timestamptz"
        );
    }
    let key = single_key(resource).map(|key| key.kind);
    ensure!(key == Some(Type::Bigint), "catalog {file}: erase_at: the key of people is one bigint");
    Ok(())
}

/// What a resource is stamped with has to be known of somebody who was looked up, too.
fn stamps_fit(resource: &Resource, before: &[Resource]) -> Result<()> {
    let Source::Fetch(fetch) = &resource.source else { return Ok(()) };
    let Some(each) = &fetch.each else { return Ok(()) };
    let parent = before.iter().find(|earlier| earlier.table == each.of);
    let Some(lookup) = parent.and_then(|parent| parent.lookup.as_ref()) else { return Ok(()) };
    for (key, pointer) in &each.stamp {
        ensure!(
            lookup.stamp.contains_key(&pointer[1..]),
            "catalog {}: fetch.each.stamp.{key}: `{pointer}` is not among the keys that [lookup.stamp] of `{}` gives",
            resource.file,
            each.of
        );
    }
    Ok(())
}

fn single_key(resource: &Resource) -> Option<&Column> {
    let [name] = resource.key.as_slice() else { return None };
    resource.column(name)
}
