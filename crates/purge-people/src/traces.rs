//! People in records: whose a record is, and who else is named in it.
//!
//! A record of somebody who is erased goes. One of somebody else stays, but for the people in it: teams, for one, list
//! their members, and are called after one of them.

use anyhow::{Context, Result};
use catalog::{Catalog, Personal, Resource};
use chrono::{DateTime, Utc};
use exports::Fate;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use tool::{Judge, Verdict};

/// Finds some people in records.
pub(crate) struct Traces<'a> {
    catalog: &'a Catalog,
    ids: HashSet<u64>,
    /// The key of a record that holds a person's id.
    id: String,
    /// Keys that nobody but a person has: with one of them, an object is about the person of its id.
    identifying: Vec<String>,
}

impl<'a> Traces<'a> {
    /// Traces of these people.
    ///
    /// # Errors
    /// [`Verdict::Config`] when no resource of the catalog is people.
    pub(crate) fn of(catalog: &'a Catalog, ids: HashSet<u64>) -> Result<Self> {
        let people = catalog.people().context("catalog: no resource says erase_at: nobody is a person");
        let people = people.verdict(Verdict::Config)?;
        let key = |pointer: &str| pointer.trim_start_matches('/').to_owned();
        let id = people.column(&people.key[0]).map_or_else(String::new, |column| key(&column.from));
        let identifies = people.columns.iter().filter(|column| column.personal == Personal::Identifies);
        let identifying = identifies.map(|column| key(&column.from)).collect();
        Ok(Self { catalog, ids, id, identifying })
    }

    /// How many people it finds.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether this is one of them.
    pub(crate) fn has(&self, id: u64) -> bool {
        self.ids.contains(&id)
    }

    /// What becomes of a record.
    pub(crate) fn fate(&self, resource: &Resource, record: &str) -> Fate {
        if !self.mentions(record) {
            return Fate::Keep;
        }
        if self.is_about(resource, record) {
            return Fate::Drop;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(record) else { return Fate::Keep };
        if self.cleanse(&mut value) { Fate::Replace(value.to_string()) } else { Fate::Keep }
    }

    /// Whether a record is of one of them.
    pub(crate) fn is_about(&self, resource: &Resource, record: &str) -> bool {
        let owners = self.catalog.owners(resource);
        owners.iter().any(|column| id_at(record, &column.from).is_some_and(|id| self.ids.contains(&id)))
    }

    /// Whether a number in a text is one of their ids: a quick look, before anything is read in earnest.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        text.split(|character: char| !character.is_ascii_digit())
            .any(|digits| !digits.is_empty() && digits.parse().is_ok_and(|number| self.ids.contains(&number)))
    }

    /// The objects within a record that are about one of them.
    pub(crate) fn within<'v>(&self, value: &'v Value, found: &mut Vec<&'v Value>) {
        match value {
            Value::Object(members) if self.person(members).is_some() => found.push(value),
            Value::Object(members) => members.values().for_each(|member| self.within(member, found)),
            Value::Array(items) => items.iter().for_each(|item| self.within(item, found)),
            _ => {}
        }
    }

    /// Takes them out of somebody else's record; says whether there were any.
    fn cleanse(&self, record: &mut Value) -> bool {
        let Value::Object(members) = record else { return false };
        let mut is_changed = false;
        for member in members.values_mut() {
            let mut words = HashMap::new();
            if self.mask(member, &mut words) {
                is_changed = true;
                reword(member, &words);
            }
        }
        is_changed
    }

    /// Leaves no more of a person than the id, and gathers the words by which they may be named nearby.
    fn mask(&self, value: &mut Value, words: &mut HashMap<String, String>) -> bool {
        match value {
            Value::Object(members) => {
                let Some(id) = self.person(members) else {
                    // No short cut: each of them is to be masked.
                    return members
                        .values_mut()
                        .fold(false, |masked, member| self.mask(member, words) | masked);
                };
                let mask = mask(id);
                members.retain(|key, _| *key == self.id || self.identifying.contains(key));
                for (_, text) in members.iter_mut().filter(|(key, _)| **key != self.id) {
                    if let Some(word) = text.as_str().filter(|word| !word.is_empty()) {
                        words.insert(word.to_owned(), mask.clone());
                    }
                    *text = Value::from(mask.as_str());
                }
                true
            }
            Value::Array(items) => {
                items.iter_mut().fold(false, |masked, item| self.mask(item, words) | masked)
            }
            _ => false,
        }
    }

    /// The id of the person that an object is about, if it is one of them and still named.
    fn person(&self, members: &Map<String, Value>) -> Option<u64> {
        let id = members.get(&self.id)?.as_u64().filter(|id| self.ids.contains(id))?;
        let mut names = self.identifying.iter().filter_map(|key| members.get(key));
        names.any(|name| name.as_str() != Some(&mask(id))).then_some(id)
    }
}

/// What somebody is called who has no name any more.
fn mask(id: u64) -> String {
    format!("3b3-{id}")
}

/// Whether a record of a person says itself that it is not to be kept any more.
pub(crate) fn is_due(resource: &Resource, record: &str, now: DateTime<Utc>) -> bool {
    let dates = resource.erase_at.iter().filter_map(|name| resource.column(name));
    let dates = dates.filter_map(|column| {
        let text: String = serde_json::from_str(at(record, &column.from)?).ok()?;
        text.parse::<DateTime<Utc>>().ok()
    });
    dates.min().is_some_and(|date| date <= now)
}

/// The id that a pointer leads to. A record may be one that no type of ours can hold, so only what lies on the way is read.
pub(crate) fn id_at(record: &str, pointer: &str) -> Option<u64> {
    let text = at(record, pointer)?.trim_matches('"');
    text.parse().ok().or_else(|| text.strip_suffix(".0")?.parse().ok())
}

fn at<'r>(record: &'r str, pointer: &str) -> Option<&'r str> {
    pointer.split('/').skip(1).try_fold(record, |text, step| {
        let members: HashMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        members.get(&step.replace("~1", "/").replace("~0", "~")).map(|value| value.get())
    })
}

/// Replaces words in all texts of a value.
fn reword(value: &mut Value, words: &HashMap<String, String>) {
    match value {
        Value::String(text) => {
            for (word, mask) in words.iter().filter(|(word, _)| text.contains(*word)).collect::<Vec<_>>() {
                *text = replace_word(text, word, mask);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| reword(item, words)),
        Value::Object(members) => members.values_mut().for_each(|member| reword(member, words)),
        _ => {}
    }
}

/// Replaces a word where it is not a part of a longer one.
fn replace_word(text: &str, word: &str, mask: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(place) = rest.find(word) {
        let (before, after) = (&rest[..place], &rest[place + word.len()..]);
        let goes_on = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
        let last = before.chars().next_back().or_else(|| replaced.chars().next_back());
        replaced.push_str(before);
        replaced.push_str(if goes_on(last) || goes_on(after.chars().next()) { word } else { mask });
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
#[path = "traces_tests.rs"]
mod tests;
