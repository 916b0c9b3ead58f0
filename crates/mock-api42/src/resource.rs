//! What a resource is: data. One description each, and one engine for all of them.

use crate::json::Json;
use crate::world::World;

/// A field that can be asked for in `filter[]`, `sort` or `range[]`, whether or not the answer shows it.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    uses: u8,
    pub(crate) get: fn(&World, u32) -> Cell,
    /// The rows that have a value, where the world keeps an index. May give too many rows, never too few.
    pub(crate) index: Option<fn(&World, i64) -> Vec<u32>>,
    /// The rows from an instant on, where the world keeps note of what moved.
    pub(crate) since: Option<Since>,
}

/// The rows that may have an instant at or after one; nothing when that may be any row.
type Since = fn(&World, i64) -> Option<Vec<u32>>;

pub(crate) const FILTER: u8 = 1;
pub(crate) const SORT: u8 = 2;
pub(crate) const RANGE: u8 = 4;
/// Filter, sort and range.
pub(crate) const ALL: u8 = FILTER | SORT | RANGE;
/// The value depends on the time of the question, so an answer cannot be kept.
pub(crate) const LIVE: u8 = 8;
/// Only ids of the documentation's list may be asked for.
pub(crate) const LISTED_IDS: u8 = 16;

impl Field {
    pub(crate) const fn new(name: &'static str, kind: Kind, uses: u8, get: fn(&World, u32) -> Cell) -> Self {
        Self { name, kind, uses, get, index: None, since: None }
    }

    pub(crate) const fn indexed(mut self, index: fn(&World, i64) -> Vec<u32>) -> Self {
        self.index = Some(index);
        self
    }

    pub(crate) const fn since(mut self, since: Since) -> Self {
        self.since = Some(since);
        self
    }

    pub(crate) const fn can(&self, uses: u8) -> bool {
        self.uses & uses == uses
    }
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Time,
    /// Several ids at once, such as the cursus of an enrolment.
    Ids,
}

/// The value of a field in a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Milliseconds since 1970.
    Time(i64),
    /// A bit for each id below 128.
    Ids(u128),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl Cell {
    pub(crate) fn maybe_int(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Int)
    }

    pub(crate) fn maybe_time(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Time)
    }
}

/// A route `/v2/PARENT/:id/RESOURCE`.
#[derive(Debug)]
pub(crate) struct Parent {
    /// The resource that the id in the path belongs to.
    pub(crate) name: &'static str,
    /// Whether a row of the child hangs on a row of the parent.
    pub(crate) belongs: fn(&World, u32, u32) -> bool,
    /// The rows of a parent, where the world keeps an index. May give too many rows, never too few.
    pub(crate) index: Option<fn(&World, u32) -> Vec<u32>>,
}

/// A list of the API.
#[derive(Debug)]
pub(crate) struct Resource {
    /// As in its path.
    pub(crate) name: &'static str,
    /// What can be asked for, in the order of the documentation.
    pub(crate) fields: &'static [Field],
    /// As it would be given in `sort`.
    pub(crate) default_sort: &'static [&'static str],
    /// The order is not documented: a switch turns it into a different one each time.
    pub(crate) order_undocumented: bool,
    /// The filters of the documentation are only reported, and a switch has to open them.
    pub(crate) filters_undocumented: bool,
    pub(crate) parents: &'static [Parent],
    /// Rows, those that left included; they are numbered in the order of their ids.
    pub(crate) size: fn(&World) -> usize,
    /// Whether a row is still there.
    pub(crate) listed: fn(&World, u32) -> bool,
    /// The row of an id, slug or login.
    pub(crate) find: fn(&World, &str) -> Option<u32>,
    /// What `search` looks at, lower case.
    pub(crate) search: Option<fn(&World, u32) -> String>,
    /// A row in a list.
    pub(crate) write: fn(&World, u32, &mut Json),
    /// A row asked for by its id.
    pub(crate) write_alone: fn(&World, u32, &mut Json),
    /// What the row choice depends on besides the rows themselves.
    pub(crate) version: fn(&World) -> u64,
}

impl Resource {
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The names that can be used so, as the API lists them in its refusals.
    pub(crate) fn names(&self, uses: u8) -> String {
        let names: Vec<&str> =
            self.fields.iter().filter(|field| field.can(uses)).map(|field| field.name).collect();
        names.join(", ")
    }
}
