//! Which lists a resource is read from.

use crate::memory::Memory;
use crate::{Job, parent, record};
use anyhow::{Context, Result, anyhow};
use api42::List;
use catalog::{Each, Fetch, Resource, Source};
use exports::Snapshot;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use tool::{Judge, Verdict};

/// The key that stamps a record with its campus, and so what `--campus` selects by.
const CAMPUS: &str = "campus_id";

/// What is asked of a resource: the same text means the same question, whoever there is to ask for.
pub(crate) fn question(job: &Job<'_>, fetch: &Fetch) -> String {
    let (path, query) = address(job, fetch);
    let mut text = path;
    let mut mark = '?';
    for (key, value) in query {
        text.extend([mark]);
        text.extend([&key, "=", &value]);
        mark = '&';
    }
    if let Some(each) = &fetch.each {
        let Each { of, by, stamp, rest, .. } = each;
        text.push_str(&format!(" for each of {of} by {by}"));
        for (key, pointer) in stamp {
            text.push_str(&format!(" with {key}={pointer}"));
        }
        text.extend(rest.iter().map(|range| format!(" and the rest by {range}")));
    }
    text
}

/// The lists of a resource, in the order in which they are walked. Its text is what is kept of an interrupted walk.
#[derive(Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) lists: Vec<Planned>,
}

/// One list, and what its records are stamped with.
#[derive(Serialize, Deserialize)]
pub(crate) struct Planned {
    path: String,
    query: Vec<(String, String)>,
    /// Keys added to each record, with their JSON values.
    pub(crate) stamp: Vec<(String, Value)>,
}

impl Planned {
    /// The list as the API's walker wants it, from its first page on.
    pub(crate) fn list(&self) -> List {
        List { path: self.path.clone(), query: self.query.clone(), ..List::default() }
    }
}

/// Whether a resource's lists are split by campus.
pub(crate) fn is_by_campus(resource: &Resource) -> bool {
    let Source::Fetch(fetch) = &resource.source else { return false };
    fetch.each.as_ref().is_some_and(|each| each.stamp.contains_key(CAMPUS))
}

/// Plans the lists of a resource; reads the export of the resource walked through, if there is one.
pub(crate) fn of(job: &Job<'_>, fetch: &Fetch) -> Result<Plan> {
    let (path, query) = address(job, fetch);
    let lists = match &fetch.each {
        None => vec![Planned { path, query, stamp: Vec::new() }],
        Some(each) => split(job, each, &path, &query)?,
    };
    if let Some(campus) = job.options.campus.filter(|_| lists.is_empty()) {
        return Err(anyhow!("nothing belongs to a campus {campus}")).verdict(Verdict::Usage);
    }
    Ok(Plan { lists })
}

/// Path and query, with the cursus in them.
pub(crate) fn address(job: &Job<'_>, fetch: &Fetch) -> (String, Vec<(String, String)>) {
    let cursus = job.options.cursus.to_string();
    let named = fetch.query.iter();
    let query = named.map(|(key, value)| (key.clone(), value.replace("{cursus}", &cursus))).collect();
    (fetch.path.replace("{cursus}", &cursus), query)
}

/// One list for each batch of ids that agree in their stamp.
fn split(job: &Job<'_>, each: &Each, path: &str, query: &[(String, String)]) -> Result<Vec<Planned>> {
    let mut lists = Vec::new();
    for (stamp, ids) in groups(job, each)? {
        for batch in ids.chunks(each.batch) {
            let ids: Vec<_> = batch.iter().map(u64::to_string).collect();
            let mut query = query.to_vec();
            query.push((each.by.clone(), ids.join(",")));
            let stamp = each.stamp.keys().cloned().zip(values(&stamp)?).collect();
            lists.push(Planned { path: path.to_owned(), query, stamp });
        }
    }
    Ok(lists)
}

/// The ids of the resource walked through, ascending, by the JSON texts of their stamp.
fn groups(job: &Job<'_>, each: &Each) -> Result<BTreeMap<Vec<String>, Vec<u64>>> {
    let snapshot = parent::open(job, &each.of)?;
    let place = snapshot.path.display().to_string();
    let key = id_pointer(job, &each.of)?;
    let mut groups = Groups { job, each, ids: BTreeMap::new() };
    let newer = newer(job, each, &snapshot)?;
    let mut pointers: Vec<&str> = each.stamp.values().map(String::as_str).collect();
    pointers.push(&key);
    parent::each_line(snapshot, |line| {
        let record = record::sparse(line, &pointers).verdict(Verdict::Refused)?;
        let id = record.pointer(&key).and_then(Value::as_u64);
        let id = id.with_context(|| format!("{place}: a record without {key}")).verdict(Verdict::Refused)?;
        groups.add(id, &record);
        Ok(())
    })?;
    let known: HashSet<u64> = groups.ids.values().flatten().copied().collect();
    for (id, stamp) in newer.into_iter().filter(|(id, _)| !known.contains(id)) {
        groups.add(id, &Value::Object(stamp));
    }
    for ids in groups.ids.values_mut() {
        ids.sort_unstable();
        // A walk may hold a record twice.
        ids.dedup();
    }
    Ok(groups.ids)
}

/// Ids by the JSON texts of their stamp.
struct Groups<'a> {
    job: &'a Job<'a>,
    each: &'a Each,
    ids: BTreeMap<Vec<String>, Vec<u64>>,
}

impl Groups<'_> {
    fn add(&mut self, id: u64, record: &Value) {
        let stamp = |pointer: &String| record.pointer(pointer).unwrap_or(&Value::Null).clone();
        let campus = self.each.stamp.get(CAMPUS).map(stamp);
        if self.job.options.campus.is_none_or(|wanted| campus == Some(wanted.into())) {
            let stamps = self.each.stamp.values().map(|pointer| stamp(pointer).to_string()).collect();
            self.ids.entry(stamps).or_default().push(id);
        }
    }
}

/// Those who turned out to belong to the scope after the export's walk: what hangs on them is mirrored already, and a
/// walk without them would have it deleted.
fn newer(job: &Job<'_>, each: &Each, snapshot: &Snapshot) -> Result<BTreeMap<u64, Map<String, Value>>> {
    let parent = job.catalog.find(&each.of)?;
    if parent.lookup.is_none() || snapshot.manifest.scope.campus.is_some() {
        return Ok(BTreeMap::new());
    }
    let notes = Memory::open(&parent::place(job, parent), Some(snapshot))?.take();
    let mut newer = BTreeMap::new();
    for note in notes {
        match note.stamp {
            Some(stamp) => newer.insert(note.id, stamp),
            None => newer.remove(&note.id),
        };
    }
    Ok(newer)
}

fn id_pointer(job: &Job<'_>, table: &str) -> Result<String> {
    let parent = job.catalog.find(table)?;
    let column = parent.key.first().and_then(|key| parent.column(key));
    Ok(column.with_context(|| format!("{table} has no key"))?.from.clone())
}

fn values(texts: &[String]) -> Result<Vec<Value>> {
    texts.iter().map(|text| Ok(serde_json::from_str(text)?)).collect()
}
