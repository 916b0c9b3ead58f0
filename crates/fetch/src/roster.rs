//! Who is a student of the scope, and what their records are stamped with: the people's own export, what was looked up
//! since, and the API for who is still unknown.

use crate::memory::{Memory, Note};
use crate::{Job, parent, record};
use anyhow::{Context, Result};
use api42::{Client, List};
use catalog::{Lookup, Resource, Source};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use tool::{Judge, Verdict};

/// Ids that go into one call.
pub(crate) const BATCH: usize = 100;

/// Keys and values that a record is stamped with.
pub(crate) type Stamp = Map<String, Value>;

/// The people that a resource's records belong to, as far as they are known.
pub(crate) struct Roster<'a> {
    job: &'a Job<'a>,
    client: Client,
    people: &'a Resource,
    lookup: &'a Lookup,
    /// JSON pointer to a person's id in a record of the job's resource.
    id: String,
    /// Key of a record → key of the stamp.
    keys: Vec<(String, String)>,
    /// None until somebody asks.
    known: Option<Known>,
    /// People looked up.
    pub(crate) looked_up: u64,
    /// Records dropped because they belong to nobody of the scope.
    pub(crate) dropped: u64,
}

/// Who is known; most people share their stamp with many.
struct Known {
    stamps: Vec<Stamp>,
    people: HashMap<u64, Who>,
    memory: Memory,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// In the people's export; index of the stamp.
    Exported(usize),
    /// Looked up since; index of the stamp.
    LookedUp(usize),
    Stranger,
}

impl<'a> Roster<'a> {
    /// The roster of a resource; none when its records belong to nobody who could be looked up.
    pub(crate) fn of(job: &'a Job<'a>, client: &Client) -> Result<Option<Self>> {
        let resource = job.resource;
        let (people, keys) = if let Some(lookup) = &resource.lookup {
            (resource, lookup.stamp.keys().map(|key| (key.clone(), key.clone())).collect())
        } else {
            let Source::Fetch(fetch) = &resource.source else { return Ok(None) };
            let Some(each) = &fetch.each else { return Ok(None) };
            let keys = each.stamp.iter().map(|(key, from)| (key.clone(), from[1..].to_owned())).collect();
            (job.catalog.find(&each.of)?, keys)
        };
        let Some(lookup) = &people.lookup else { return Ok(None) };
        let id = id_pointer(resource, people)?;
        let (client, known) = (client.clone(), None);
        Ok(Some(Self { job, client, people, lookup, id, keys, known, looked_up: 0, dropped: 0 }))
    }

    /// Whether the records are the people themselves.
    pub(crate) fn is_of_itself(&self) -> bool {
        self.people.table == self.job.resource.table
    }

    /// The records of people of the scope as lines: stamped, but for those of the people's own export, who have their
    /// stamp. Whoever is unknown is looked up.
    pub(crate) fn sift(&mut self, records: &[Box<RawValue>]) -> Result<Vec<String>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let scope = &self.job.resource.scope;
        let pointers: Vec<&str> = scope.keys().map(String::as_str).chain([self.id.as_str()]).collect();
        let mut owners = Vec::new();
        for record in records {
            let sparse = record::sparse(record.get(), &pointers).verdict(Verdict::Refused)?;
            let is_outside = scope.iter().any(|(pointer, wanted)| {
                sparse
                    .pointer(pointer)
                    .is_some_and(|found| serde_json::to_value(wanted).ok().as_ref() != Some(found))
            });
            owners.push((sparse.pointer(&self.id).and_then(Value::as_u64), is_outside));
        }
        if self.is_of_itself() {
            let ids = owners.iter().filter_map(|(id, _)| *id).collect();
            self.welcome(&ids)?;
        } else {
            let ids = owners.iter().filter(|(_, is_outside)| !is_outside).filter_map(|(id, _)| *id).collect();
            self.meet(&ids)?;
        }
        let mut lines = Vec::new();
        for (record, (id, _)) in records.iter().zip(owners) {
            match self.stamp_of(id)? {
                Some(stamp) => lines.push(record::line(record.get(), &stamp).verdict(Verdict::Refused)?),
                None => self.dropped += 1,
            }
        }
        Ok(lines)
    }

    /// What a record of this person is stamped with; none when the person is a stranger.
    fn stamp_of(&mut self, id: Option<u64>) -> Result<Option<Vec<(String, Value)>>> {
        // A record that names nobody is for the loader to judge.
        let Some(id) = id else { return Ok(Some(Vec::new())) };
        let is_of_itself = self.is_of_itself();
        let known = self.known()?;
        let index = match known.people.get(&id) {
            Some(Who::Exported(_)) if is_of_itself => return Ok(Some(Vec::new())),
            Some(Who::Exported(index) | Who::LookedUp(index)) => *index,
            Some(Who::Stranger) | None => return Ok(None),
        };
        let stamp = known.stamps[index].clone();
        let keys = self.keys.iter();
        Ok(Some(keys.filter_map(|(key, from)| Some((key.clone(), stamp.get(from)?.clone()))).collect()))
    }

    /// Looks up whoever of these is unknown.
    pub(crate) fn meet(&mut self, ids: &BTreeSet<u64>) -> Result<()> {
        let known = self.known()?;
        let unknown: Vec<u64> = ids.iter().copied().filter(|id| !known.people.contains_key(id)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut found = BTreeSet::new();
        for page in self.client.walk(self.lookups(&unknown)) {
            found.extend(page?.records.iter().filter_map(|record| api42::id(record)));
        }
        self.looked_up += unknown.len() as u64;
        self.forget(unknown.into_iter().filter(|id| !found.contains(id)))?;
        self.register(&found).map(drop)
    }

    /// The lists that give the people with these ids, if they belong to the scope.
    pub(crate) fn lookups(&self, ids: &[u64]) -> Vec<List> {
        let Source::Fetch(fetch) = &self.people.source else { return Vec::new() };
        batches(ids, BATCH, &fetch.path, &fetch.query, &self.lookup.by, self.job)
    }

    /// Takes people in who are known to belong to the scope, and asks for the stamps of those that are new.
    fn welcome(&mut self, ids: &BTreeSet<u64>) -> Result<()> {
        let known = self.known()?;
        let is_new = |id: &&u64| matches!(known.people.get(id), None | Some(Who::Stranger));
        let new = ids.iter().filter(is_new).copied().collect();
        self.register(&new).map(drop)
    }

    /// Takes people in and asks for their stamps, whether they are new or not.
    pub(crate) fn register(&mut self, ids: &BTreeSet<u64>) -> Result<HashMap<u64, Stamp>> {
        let mut stamps: HashMap<u64, Stamp> = HashMap::new();
        let ids: Vec<u64> = ids.iter().copied().collect();
        for (key, list) in &self.lookup.stamp {
            for page in self.client.walk(batches(&ids, BATCH, &list.path, &list.query, &list.by, self.job)) {
                for record in page?.records {
                    let record =
                        record::sparse(record.get(), &[&list.id, &list.take]).verdict(Verdict::Refused)?;
                    let id = record.pointer(&list.id).and_then(Value::as_u64);
                    if let (Some(id), Some(value)) = (id, record.pointer(&list.take)) {
                        stamps.entry(id).or_default().insert(key.clone(), value.clone());
                    }
                }
            }
        }
        let note = |id: &u64| Note { id: *id, stamp: Some(stamps.get(id).cloned().unwrap_or_default()) };
        self.learn(ids.iter().map(note).collect())?;
        Ok(stamps)
    }

    /// The records of people as lines, with stamps that are asked for now, whoever they are.
    pub(crate) fn introduce(
        &mut self,
        records: &[Box<RawValue>],
        people: &BTreeSet<u64>,
    ) -> Result<Vec<String>> {
        let stamps = self.register(people)?;
        let line = |record: &RawValue| {
            let stamp = api42::id(record).and_then(|id| stamps.get(&id)).cloned().unwrap_or_default();
            record::line(record.get(), &stamp.into_iter().collect::<Vec<_>>())
        };
        records.iter().map(|record| line(record)).collect::<Result<_>>().verdict(Verdict::Refused)
    }

    /// Takes note of people who turned out to be strangers.
    pub(crate) fn forget(&mut self, ids: impl IntoIterator<Item = u64>) -> Result<()> {
        self.learn(ids.into_iter().map(|id| Note { id, stamp: None }).collect())
    }

    /// Takes note of what people turned out to be.
    fn learn(&mut self, notes: Vec<Note>) -> Result<()> {
        let known = self.known()?;
        known.memory.add(&notes)?;
        for note in notes {
            known.add(note);
        }
        Ok(())
    }

    /// Those of the ids who do not belong to the scope.
    pub(crate) fn strangers(&mut self, ids: &BTreeSet<u64>) -> Result<BTreeSet<u64>> {
        let known = self.known()?;
        let is_stranger = |id: &&u64| matches!(known.people.get(id), None | Some(Who::Stranger));
        Ok(ids.iter().filter(is_stranger).copied().collect())
    }

    /// For the summary: what became of people and records.
    pub(crate) fn note(&self) -> String {
        let mut note = String::new();
        if self.dropped > 0 {
            note.push_str(&format!(", of strangers {}", self.dropped));
        }
        if self.looked_up > 0 {
            note.push_str(&format!(", people looked up {}", self.looked_up));
        }
        note
    }

    fn known(&mut self) -> Result<&mut Known> {
        if self.known.is_none() {
            self.known = Some(Known::read(self.job, self.people, self.lookup)?);
        }
        self.known.as_mut().context("the roster is read")
    }
}

impl Known {
    /// Reads the people's export and what was looked up since.
    fn read(job: &Job<'_>, people: &Resource, lookup: &Lookup) -> Result<Self> {
        let snapshot = parent::existing(job, people)?;
        let memory = Memory::open(&parent::place(job, people), snapshot.as_ref())?;
        let mut known = Self { stamps: Vec::new(), people: HashMap::new(), memory };
        let mut indexes: HashMap<String, usize> = HashMap::new();
        let id = id_pointer(people, people)?;
        let keys: Vec<String> = lookup.stamp.keys().map(|key| format!("/{key}")).collect();
        let mut pointers: Vec<&str> = keys.iter().map(String::as_str).collect();
        pointers.push(&id);
        if let Some(snapshot) = snapshot {
            parent::each_line(snapshot, |line| {
                let sparse = record::sparse(line, &pointers)?;
                let person = sparse.pointer(&id).and_then(Value::as_u64);
                let stamp =
                    lookup.stamp.keys().filter_map(|key| Some((key.clone(), sparse.get(key)?.clone())));
                let stamp: Stamp = stamp.collect();
                let index = *indexes.entry(Value::from(stamp.clone()).to_string()).or_insert_with(|| {
                    known.stamps.push(stamp);
                    known.stamps.len() - 1
                });
                known.people.extend(person.map(|person| (person, Who::Exported(index))));
                Ok(())
            })?;
        }
        for note in known.memory.take() {
            known.add(note);
        }
        Ok(known)
    }

    /// Adds what somebody turned out to be. The export says who belongs to the scope, and a note a newer stamp.
    fn add(&mut self, note: Note) {
        let old = self.people.get(&note.id).copied();
        let who = match (note.stamp, old) {
            (None, Some(Who::Exported(_))) => return,
            (None, _) => Who::Stranger,
            (Some(stamp), _) => {
                self.stamps.push(stamp);
                let index = self.stamps.len() - 1;
                if matches!(old, Some(Who::Exported(_))) {
                    Who::Exported(index)
                } else {
                    Who::LookedUp(index)
                }
            }
        };
        self.people.insert(note.id, who);
    }
}

/// A list for each `size` ids.
pub(crate) fn batches<'q>(
    ids: &[u64],
    size: usize,
    path: &str,
    query: impl IntoIterator<Item = (&'q String, &'q String)>,
    by: &str,
    job: &Job<'_>,
) -> Vec<List> {
    let cursus = job.options.cursus.to_string();
    let query: Vec<_> =
        query.into_iter().map(|(key, value)| (key.clone(), value.replace("{cursus}", &cursus))).collect();
    let list = |ids: &[u64]| {
        let ids: Vec<_> = ids.iter().map(u64::to_string).collect();
        let query = query.iter().cloned().chain([(by.to_owned(), ids.join(","))]).collect();
        List { path: path.replace("{cursus}", &cursus), query, ..List::default() }
    };
    ids.chunks(size.max(1)).map(list).collect()
}

/// Where a record says whose it is: its key among the people, its reference to them else.
fn id_pointer(resource: &Resource, people: &Resource) -> Result<String> {
    let column = if resource.table == people.table {
        people.key.first().and_then(|key| people.column(key))
    } else {
        let refers = |column: &&catalog::Column| column.references.as_ref() == Some(&people.table);
        resource.columns.iter().find(refers)
    };
    let missing = || {
        format!("{} does not say whose its records are: no column refers to {}", resource.table, people.table)
    };
    Ok(column.with_context(missing).verdict(Verdict::Config)?.from.clone())
}
