//! Which lists a resource is read from.

use crate::{Job, parent};
use anyhow::{Context, Result, anyhow};
use api42::List;
use catalog::{Each, Fetch, Resource, Source};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use tool::{Judge, Verdict};

/// The key that stamps a record with its campus, and so what `--campus` selects by.
const CAMPUS: &str = "campus_id";

/// The lists of a resource, and what their records are stamped with.
pub(crate) struct Plan {
    /// In the order in which they are walked.
    pub(crate) lists: Vec<Planned>,
    /// What is asked, as a text that changes when anything of it does.
    pub(crate) query: String,
}

/// One list.
pub(crate) struct Planned {
    path: String,
    query: Vec<(String, String)>,
    /// Keys added to each record, with their JSON values.
    pub(crate) stamp: Vec<(String, Value)>,
}

impl Planned {
    /// The list as the API's walker wants it, from its first page on.
    pub(crate) fn list(&self) -> List {
        List { path: self.path.clone(), query: self.query.clone(), resume: None }
    }
}

/// Whether a resource's lists are split by campus.
pub(crate) fn is_by_campus(resource: &Resource) -> bool {
    let Source::Fetch(fetch) = &resource.source else { return false };
    fetch.each.as_ref().is_some_and(|each| each.stamp.contains_key(CAMPUS))
}

/// Plans the lists of a resource; reads the export of the resource walked through, if there is one.
pub(crate) fn of(job: &Job<'_>, fetch: &Fetch) -> Result<Plan> {
    let cursus = job.options.cursus.to_string();
    let path = fetch.path.replace("{cursus}", &cursus);
    let named = fetch.query.iter();
    let query: Vec<_> = named.map(|(key, value)| (key.clone(), value.replace("{cursus}", &cursus))).collect();
    let lists = match &fetch.each {
        None => vec![Planned { path: path.clone(), query: query.clone(), stamp: Vec::new() }],
        Some(each) => split(job, each, &path, &query)?,
    };
    if let Some(campus) = job.options.campus.filter(|_| lists.is_empty()) {
        return Err(anyhow!("nothing belongs to a campus {campus}")).verdict(Verdict::Usage);
    }
    let query = describe(&path, &query, &lists);
    Ok(Plan { lists, query })
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
    let mut groups: BTreeMap<Vec<String>, Vec<u64>> = BTreeMap::new();
    parent::each_record(snapshot, |record| {
        let id = record.pointer(&key).and_then(Value::as_u64);
        let id = id.with_context(|| format!("{place}: a record without {key}")).verdict(Verdict::Refused)?;
        let stamp = |pointer: &String| record.pointer(pointer).unwrap_or(&Value::Null).clone();
        let campus = each.stamp.get(CAMPUS).map(stamp);
        if job.options.campus.is_some_and(|wanted| campus != Some(wanted.into())) {
            return Ok(());
        }
        let stamps = each.stamp.values().map(|pointer| stamp(pointer).to_string()).collect();
        groups.entry(stamps).or_default().push(id);
        Ok(())
    })?;
    for ids in groups.values_mut() {
        ids.sort_unstable();
        // A walk may hold a record twice.
        ids.dedup();
    }
    Ok(groups)
}

fn id_pointer(job: &Job<'_>, table: &str) -> Result<String> {
    let parent = job.catalog.find(table)?;
    let column = parent.key.first().and_then(|key| parent.column(key));
    Ok(column.with_context(|| format!("{table} has no key"))?.from.clone())
}

fn values(texts: &[String]) -> Result<Vec<Value>> {
    texts.iter().map(|text| Ok(serde_json::from_str(text)?)).collect()
}

/// `/v2/cursus/21/users?filter[kind]=student in 78 lists 1f2e…`
fn describe(path: &str, query: &[(String, String)], lists: &[Planned]) -> String {
    let mut digest = Sha256::new();
    for list in lists {
        for (key, value) in &list.query {
            digest.update(format!("{key}={value}&"));
        }
        for (key, value) in &list.stamp {
            digest.update(format!("{key}:{value};"));
        }
    }
    let mut text = path.to_owned();
    let mut mark = '?';
    for (key, value) in query {
        text.extend([mark]);
        text.extend([key, "=", value]);
        mark = '&';
    }
    let digest = digest.finalize();
    // Writing to a String cannot fail.
    write!(text, " in {} lists ", lists.len()).ok();
    for byte in &digest[..8] {
        write!(text, "{byte:02x}").ok();
    }
    text
}
