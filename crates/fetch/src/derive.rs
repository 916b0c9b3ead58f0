//! Making records from another resource's export, at no call.

use crate::sink::Stdout;
use crate::summary::Summary;
use crate::{Job, parent, record};
use anyhow::{Context, Result};
use api42::Tally;
use catalog::{Derive, Field, Find};
use exports::{Draft, Facts, Place, Snapshot};
use serde_json::{Map, Value};
use std::collections::HashMap;
use tool::{Judge, Verdict};

/// Names of records that are not where they are looked up, at most this many, for the log.
const EXAMPLES: usize = 5;

/// What a derived export answers: it changes with the catalog, and with each export it is made from.
pub(crate) fn query(job: &Job<'_>, derive: &Derive, parent: &Snapshot) -> Result<String> {
    let mut query = format!("{derive:?}");
    let mut made_from = vec![parent.manifest.clone()];
    for find in derive.record.values().filter_map(|field| field.find.as_ref()) {
        made_from.push(parent::open(job, &find.table)?.manifest);
    }
    for manifest in made_from {
        query.push_str(&format!("; {} of {}", manifest.resource, manifest.finished.to_rfc3339()));
    }
    Ok(query)
}

/// Prints the records.
pub(crate) fn print(job: &Job<'_>, derive: &Derive) -> Result<()> {
    let mut stdout = Stdout::open();
    let parent = parent::open(job, &derive.from)?;
    let mut summary = Summary::start(job.name, &job.resource.name);
    let unresolved = each_page(job, derive, parent, |lines| {
        summary.rows(lines.len());
        stdout.write(lines)
    })?;
    summary.finish(&Tally::default(), &note(unresolved));
    Ok(())
}

/// Writes the export.
pub(crate) fn export(job: &Job<'_>, derive: &Derive, parent: Snapshot, place: &Place) -> Result<()> {
    let mut summary = Summary::start(job.name, &job.resource.name);
    let mut draft = Draft::open(place)?;
    let (query, from) = (query(job, derive, &parent)?, parent.manifest.clone());
    let unresolved = each_page(job, derive, parent, |lines| {
        summary.rows(lines.len());
        lines.iter().try_for_each(|line| draft.write(line))
    })?;
    draft.publish(Facts {
        kind: from.kind,
        complete: from.complete,
        total: None,
        unresolved,
        query,
        calls: 0,
        retries: 0,
        throttled: 0,
        started: from.started,
        window: from.window,
    })?;
    summary.finish(&Tally::default(), &note(unresolved));
    Ok(())
}

fn note(unresolved: u64) -> String {
    if unresolved == 0 { String::new() } else { format!(", unresolved {unresolved}") }
}

/// Gives the lines made from each record of the parent to `write`; returns how many items named a record that is not
/// there.
fn each_page(
    job: &Job<'_>,
    derive: &Derive,
    parent: Snapshot,
    mut write: impl FnMut(&[String]) -> Result<()>,
) -> Result<u64> {
    let lookups = Lookups::read(job, derive)?;
    let mut unresolved = Vec::new();
    let mut count = 0;
    parent::each_record(parent, |record| {
        let items = record.pointer(&derive.each).and_then(Value::as_array);
        let missing = || format!("a record of {} without the array {}", derive.from, derive.each);
        let items = items.with_context(missing).verdict(Verdict::Refused)?;
        let mut lines = Vec::new();
        for item in items {
            match lookups.make(derive, &record, item)? {
                Some(line) => lines.push(line),
                None => {
                    count += 1;
                    unresolved.push(item.to_string());
                    unresolved.dedup();
                    unresolved.truncate(EXAMPLES);
                }
            }
        }
        write(&lines)
    })?;
    if count > 0 {
        let examples = tool::printable(&unresolved.join(", "));
        log::info!(
            "{}: {count} items name a record that is not there, such as {examples}",
            job.resource.name
        );
    }
    Ok(count)
}

/// The exports that derived records are looked up in: table → trimmed text → value taken.
struct Lookups {
    tables: HashMap<String, HashMap<String, Value>>,
}

impl Lookups {
    fn read(job: &Job<'_>, derive: &Derive) -> Result<Self> {
        let mut tables = HashMap::new();
        for (key, field) in &derive.record {
            if let Some(find) = &field.find {
                tables.insert(key.clone(), lookup(job, find)?);
            }
        }
        Ok(Self { tables })
    }

    /// The line that an item makes, or none when it names a record that is not there.
    fn make(&self, derive: &Derive, parent: &Value, item: &Value) -> Result<Option<String>> {
        if derive.record.is_empty() {
            return record::line(&item.to_string(), &[]).map(Some).verdict(Verdict::Refused);
        }
        let mut made = Map::new();
        for (key, field) in &derive.record {
            let value = value_of(field, parent, item);
            let value = match self.tables.get(key) {
                None => value,
                Some(table) => value.as_str().and_then(|text| table.get(text.trim())).unwrap_or(&Value::Null),
            };
            if value.is_null() && self.tables.contains_key(key) {
                return Ok(None);
            }
            made.insert(key.clone(), value.clone());
        }
        Ok(Some(Value::Object(made).to_string()))
    }
}

/// The value that a field points at; null when there is none.
fn value_of<'a>(field: &Field, parent: &'a Value, item: &'a Value) -> &'a Value {
    let found = match (&field.parent, &field.item) {
        (Some(pointer), _) => parent.pointer(pointer),
        (None, Some(pointer)) => item.pointer(pointer),
        (None, None) => None,
    };
    found.unwrap_or(&Value::Null)
}

fn lookup(job: &Job<'_>, find: &Find) -> Result<HashMap<String, Value>> {
    let mut table = HashMap::new();
    parent::each_record(parent::open(job, &find.table)?, |record| {
        let by = record.pointer(&find.by).and_then(Value::as_str);
        if let (Some(by), Some(value)) = (by, record.pointer(&find.take)) {
            table.insert(by.trim().to_owned(), value.clone());
        }
        Ok(())
    })?;
    Ok(table)
}
