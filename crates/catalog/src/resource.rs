//! The types that a file of the catalog is read into. Every key is known: a misspelt one is an error.

use crate::claim::{Claim, Severity};
use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// One file: what is fetched, how it is typed, where it lands.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Name of the file without `.toml`, and of the folder in `exports/`: `08_users`.
    pub file: String,
    /// The file's name without its number: `users`.
    pub name: String,
    /// One sentence for people.
    pub about: String,
    /// The table of the mirror.
    pub table: String,
    /// Which tool fetches it.
    pub group: Group,
    /// Whether the nightly script mirrors it.
    pub nightly: bool,
    /// Columns of the primary key.
    pub key: Vec<String>,
    /// Column that grows with every version of a record: an older version never replaces a newer one.
    pub version: Option<String>,
    /// Columns of the table, in order, without `ingested_at`.
    pub columns: Vec<Column>,
    /// Where the records come from.
    pub source: Source,
    /// How its changes are followed; none where only a full walk shows them.
    pub live: Option<Live>,
    /// How an id that is not mirrored yet is looked up.
    pub lookup: Option<Lookup>,
    /// Seconds for which an export is fresh, where it is not the usual hour.
    pub fresh_for: Option<u32>,
    /// What a record must say to belong to the mirror: JSON pointer → value. A record without the pointer passes.
    pub scope: BTreeMap<String, toml::Value>,
    /// Where its rows are people: the columns that say from when on a person must not be kept, the earliest counts.
    pub erase_at: Vec<String>,
    /// What else has to hold in the mirror.
    pub claims: Vec<Claim>,
}

/// Which of the two fetching tools a resource belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Reference data, `fetch-cursus`.
    Cursus,
    /// People and what hangs on them, `fetch-users`.
    Users,
}

impl Group {
    /// The tool that fetches it.
    #[must_use]
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Cursus => "fetch-cursus",
            Self::Users => "fetch-users",
        }
    }
}

/// Where the records of a resource come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Lists of the API.
    Fetch(Fetch),
    /// Another resource's export, at no call.
    Derive(Derive),
}

/// A list of the API, or one list for each of another resource's records.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// Path below the API's root; `{cursus}` stands for the cursus' id.
    pub path: String,
    /// Query parameters; `{cursus}` as in the path.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Set when the list is walked once for each of another resource's records, or for batches of them.
    pub each: Option<Each>,
}

impl Fetch {
    /// Whether path or query name the cursus.
    #[must_use]
    pub fn names_cursus(&self) -> bool {
        self.path.contains("{cursus}") || self.query.values().any(|value| value.contains("{cursus}"))
    }
}

/// How a list is split by the ids of another resource, read from that one's export.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// Table of the resource whose ids are put in.
    pub of: String,
    /// Query parameter that takes the ids, separated by commas.
    pub by: String,
    /// How many ids go into one list.
    #[serde(default = "one")]
    pub batch: usize,
    /// Keys added to each record, taken from the resource walked through: key → JSON pointer. Ids that share a list
    /// agree in them.
    #[serde(default)]
    pub stamp: BTreeMap<String, String>,
    /// Query parameter that takes a range of the records' own ids, where records may be in none of these lists: those are
    /// looked for in the undivided one.
    pub rest: Option<String>,
}

const fn one() -> usize {
    1
}

/// How the changes of a list are followed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Path, where it is not the one of `[fetch]`.
    pub path: Option<String>,
    /// Query parameters, where they are not those of `[fetch]`.
    pub query: Option<BTreeMap<String, String>>,
    /// The key that moves with every change, and that the list takes in `range[…]`.
    pub range: String,
    /// The order by that key, ascending.
    pub sort: String,
    /// Whether the API documents that the list takes this order.
    #[serde(default = "yes")]
    pub sort_is_documented: bool,
}

/// How ids are looked up that are not known yet: by the list of `[fetch]`, asked for these ids. Those that it does not
/// give are out of scope.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// Query parameter that takes the ids, separated by commas, a hundred at once.
    pub by: String,
    /// Keys that the list itself does not give: key → the list that does.
    #[serde(default)]
    pub stamp: BTreeMap<String, Stamp>,
}

/// A list that gives one key of looked up records.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Path below the API's root.
    pub path: String,
    /// Query parameters.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Query parameter that takes the ids, separated by commas.
    pub by: String,
    /// JSON pointer to the id in its records.
    pub id: String,
    /// JSON pointer to the value of the key.
    pub take: String,
}

/// How records are made from another resource's export.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derive {
    /// Table of the resource whose export is read.
    pub from: String,
    /// JSON pointer to an array in each of its records; each item makes a record.
    pub each: String,
    /// The record's keys; empty when the item itself is the record.
    #[serde(default)]
    pub record: BTreeMap<String, Field>,
}

/// Where a key of a derived record comes from: exactly one of `parent` and `item`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// JSON pointer into the record that holds the array.
    pub parent: Option<String>,
    /// JSON pointer into the item; empty for the item itself.
    pub item: Option<String>,
    /// Set when the item's value only names the record that is meant.
    pub find: Option<Find>,
}

/// Looks a record up in another export by a value other than its key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// Table of the resource whose export is searched.
    #[serde(rename = "in")]
    pub table: String,
    /// JSON pointer to the text that must equal the item's, outer spaces aside.
    pub by: String,
    /// JSON pointer to what is taken from the record found.
    pub take: String,
}

/// A column, and where its value stands in the record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name of the column.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// JSON pointer into the record; the column's name when the file does not say.
    #[serde(default)]
    pub from: String,
    /// Whether it may be null.
    #[serde(default = "yes")]
    pub null: bool,
    /// Table whose key it holds.
    pub references: Option<String>,
    /// How bad it is when a row's parent is missing.
    #[serde(default)]
    pub orphans: Severity,
    /// The values the API is known to send; any other is set aside until it is added here.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// Whether it has an index of its own.
    #[serde(default)]
    pub index: bool,
    /// What it says of a person, beyond the key of the person that it refers to.
    #[serde(default)]
    pub personal: Personal,
}

/// What a column says of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Personal {
    /// Nothing that would be of use without the person's row.
    #[default]
    No,
    /// Something by which a person may be known: a name, a picture, a place.
    Describes,
    /// What no two people share: a login, an address, or a person's key without being a reference.
    Identifies,
}

const fn yes() -> bool {
    true
}

/// Types of columns, by their names in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// 64-bit integer.
    Bigint,
    /// 32-bit integer.
    Integer,
    /// 64-bit floating point.
    #[serde(rename = "double precision")]
    Double,
    /// Text without NUL.
    Text,
    /// True or false.
    Boolean,
    /// Instant, microseconds.
    Timestamptz,
    /// Any JSON value.
    Jsonb,
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bigint => "bigint",
            Self::Integer => "integer",
            Self::Double => "double precision",
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Timestamptz => "timestamptz",
            Self::Jsonb => "jsonb",
        })
    }
}

/// A file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    table: String,
    group: Group,
    #[serde(default = "yes")]
    nightly: bool,
    key: Vec<String>,
    version: Option<String>,
    columns: Vec<Column>,
    fetch: Option<Fetch>,
    derive: Option<Derive>,
    live: Option<Live>,
    lookup: Option<Lookup>,
    fresh_for: Option<u32>,
    #[serde(default)]
    scope: BTreeMap<String, toml::Value>,
    #[serde(default)]
    erase_at: Vec<String>,
    #[serde(default, rename = "claim")]
    claims: Vec<Claim>,
}

impl Resource {
    /// Reads one file.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let (stem, short) = split_name(name)?;
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().map_or("", |span| &text[..span.start]);
            let line = before.matches('\n').count() + 1;
            anyhow!("catalog {name}, line {line}: {}", error.message().replace('\n', " "))
        })?;
        let source = match (file.fetch, file.derive) {
            (Some(fetch), None) => Source::Fetch(fetch),
            (None, Some(derive)) => Source::Derive(derive),
            _ => return Err(anyhow!("catalog {name}: exactly one of [fetch] and [derive] is wanted")),
        };
        let mut columns = file.columns;
        for column in columns.iter_mut().filter(|column| column.from.is_empty()) {
            column.from = format!("/{}", column.name);
        }
        let (stem, short) = (stem.to_owned(), short.to_owned());
        let (about, table, group, key) = (file.about, file.table, file.group, file.key);
        let (nightly, version, scope) = (file.nightly, file.version, file.scope);
        let (live, lookup, fresh_for) = (file.live, file.lookup, file.fresh_for);
        let (erase_at, claims) = (file.erase_at, file.claims);
        Ok(Self {
            file: stem,
            name: short,
            about,
            table,
            group,
            nightly,
            key,
            version,
            columns,
            source,
            live,
            lookup,
            fresh_for,
            scope,
            erase_at,
            claims,
        })
    }

    /// The tables that have to be there before it: referred to, walked through, derived from, searched.
    #[must_use]
    pub fn needs(&self) -> Vec<&str> {
        let mut needs: Vec<&str> =
            self.columns.iter().filter_map(|column| column.references.as_deref()).collect();
        match &self.source {
            Source::Fetch(fetch) => needs.extend(fetch.each.iter().map(|each| each.of.as_str())),
            Source::Derive(derive) => {
                needs.push(&derive.from);
                let finds = derive.record.values().filter_map(|field| field.find.as_ref());
                needs.extend(finds.map(|find| find.table.as_str()));
            }
        }
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// `08_users.toml` → (`08_users`, `users`).
fn split_name(name: &str) -> Result<(&str, &str)> {
    let shape = || format!("catalog {name}: a file is named NN_name.toml, NN its place in the pipeline");
    let stem = name.strip_suffix(".toml").with_context(shape)?;
    let (number, short) = stem.split_once('_').with_context(shape)?;
    if number.len() != 2 || !number.bytes().all(|byte| byte.is_ascii_digit()) || short.is_empty() {
        return Err(anyhow!(shape()));
    }
    Ok((stem, short))
}
