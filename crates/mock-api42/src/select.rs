//! The engine of all lists: rows that fit a question, in the order asked for.

use crate::moment;
use crate::query::Question;
use crate::resource::{Cell, Field, Kind, Parent, Resource};
use crate::world::World;
use std::cmp::Reverse;

/// A value as it is compared. Nulls come last, and so first where the order falls, as in PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Number(i64),
    Text(String),
    /// Behind everything; null.
    Last,
}

impl Key {
    fn of(cell: Cell) -> Self {
        match cell {
            Cell::Null | Cell::Ids(_) => Self::Last,
            Cell::Bool(value) => Self::Number(i64::from(value)),
            Cell::Int(value) | Cell::Time(value) => Self::Number(value),
            Cell::Float(value) => Self::Number(ordered(value)),
            Cell::Text(text) => Self::Text(text),
        }
    }

    /// An instant in milliseconds, as one in microseconds.
    fn in_micros(&self) -> Self {
        match self {
            Self::Number(instant) => Self::Number(instant.saturating_mul(1_000)),
            other => other.clone(),
        }
    }

    /// Reads a value of a parameter; nothing when it cannot be of that kind.
    pub(crate) fn parse(kind: Kind, text: &str) -> Option<Self> {
        Some(match kind {
            Kind::Bool => Self::Number(i64::from(text.parse::<bool>().ok()?)),
            Kind::Int | Kind::Ids => Self::Number(text.parse().ok()?),
            Kind::Float => Self::Number(ordered(text.parse().ok()?)),
            Kind::Time => Self::Number(moment::parse(text)?),
            Kind::Text => Self::Text(text.to_owned()),
        })
    }
}

/// Floats as integers of the same order.
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The rows of a list, or of the part of it that hangs on a parent's row.
pub(crate) fn rows(
    world: &World,
    resource: &Resource,
    scope: Option<(&Parent, u32)>,
    question: &Question,
) -> Vec<u32> {
    if question.nothing {
        return Vec::new();
    }
    let fits = |row: &u32| {
        let row = *row;
        (resource.listed)(world, row)
            // Ranges first: they look at the row alone, and leave little where a window is asked for.
            && question.ranges.iter().all(|range| within(range, question, world, row))
            && question.filters.iter().all(|(field, keys)| passes(field, keys, world, row))
            // After the filters: it may have to search.
            && scope.is_none_or(|(parent, of)| (parent.belongs)(world, row, of))
            && question.search.as_ref().is_none_or(|text| {
                resource.search.is_some_and(|searched| searched(world, row).contains(text.as_str()))
            })
    };
    let mut rows: Vec<u32> = match candidates(world, scope, question) {
        Some(rows) => rows.into_iter().filter(fits).collect(),
        None => (0..(resource.size)(world) as u32).filter(fits).collect(),
    };
    sort(world, question, &mut rows);
    rows
}

/// The rows that an index leaves, ids rising; nothing where every row has to be looked at.
fn candidates(world: &World, scope: Option<(&Parent, u32)>, question: &Question) -> Option<Vec<u32>> {
    if let Some((Parent { index: Some(index), .. }, of)) = scope {
        return Some(index(world, of));
    }
    let since = |(field, from, _): &(&Field, Key, Key)| match (field.since, from) {
        (Some(since), Key::Number(from)) => since(world, *from),
        _ => None,
    };
    if let Some(rows) = question.ranges.iter().find_map(since) {
        return Some(rows);
    }
    let (index, keys) = question.filters.iter().find_map(|(field, keys)| Some((field.index?, keys)))?;
    let ids = keys.iter().filter_map(|key| if let Key::Number(id) = key { Some(*id) } else { None });
    let mut rows: Vec<u32> = ids.flat_map(|id| index(world, id)).collect();
    rows.sort_unstable();
    rows.dedup();
    Some(rows)
}

fn passes(field: &Field, keys: &[Key], world: &World, row: u32) -> bool {
    match (field.get)(world, row) {
        Cell::Ids(mask) => keys.iter().any(|key| match key {
            Key::Number(id @ 0..=127) => mask >> id & 1 == 1,
            _ => false,
        }),
        cell => keys.binary_search(&Key::of(cell)).is_ok(),
    }
}

fn within((field, from, to): &(&Field, Key, Key), question: &Question, world: &World, row: u32) -> bool {
    let mut key = Key::of((field.get)(world, row));
    let (mut from, mut to) = (from, to);
    let finer;
    if let (Key::Number(value), true) = (&key, question.fine_times && field.kind == Kind::Time) {
        finer = (from.in_micros(), to.in_micros());
        (from, to) = (&finer.0, &finer.1);
        key = Key::Number(fine(*value, row));
    }
    let inside =
        if question.range_ends_excluded { key > *from && key < *to } else { key >= *from && key <= *to };
    inside && key != Key::Last
}

/// Microseconds of an instant that answers give in milliseconds: the same ones for the same row and instant.
fn fine(instant: i64, row: u32) -> i64 {
    let hash = (instant as u32 ^ row.wrapping_mul(2_654_435_761)).wrapping_mul(2_246_822_519);
    instant * 1_000 + i64::from(hash >> 16) % 1_000
}

/// Sorts rows that come in the order of their ids; where keys are equal, that order stays.
fn sort(world: &World, question: &Question, rows: &mut [u32]) {
    for (field, falls) in question.sort.iter().rev() {
        match (field.name, falls) {
            // The order they come in, as long as nothing else has been sorted yet; ids are never equal.
            ("id", false) => rows.sort_unstable(),
            ("id", true) => rows.sort_unstable_by_key(|row| Reverse(*row)),
            (_, falls) if field.kind != Kind::Text => {
                // As below, in half the memory; -1 - n reverses the order of numbers without overflow.
                let finely = question.fine_times && field.kind == Kind::Time;
                let number = |row: u32| match Key::of((field.get)(world, row)) {
                    Key::Number(number) if finely => fine(number, row),
                    Key::Number(number) => number,
                    _ => i64::MAX,
                };
                rows.sort_by_cached_key(|row| if *falls { -1 - number(*row) } else { number(*row) });
            }
            (_, false) => rows.sort_by_cached_key(|row| Key::of((field.get)(world, *row))),
            (_, true) => rows.sort_by_cached_key(|row| Reverse(Key::of((field.get)(world, *row)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, ordered};
    use crate::resource::{Cell, Kind};

    #[test]
    fn floats_keep_their_order() {
        let values = [-10.5, -1.0, -0.25, 0.0, 0.25, 4.31, 21.0];
        assert!(values.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert_eq!(Key::parse(Kind::Float, "4.31"), Some(Key::of(Cell::Float(4.31))));
    }

    #[test]
    fn nulls_come_last() {
        assert!(Key::of(Cell::Null) > Key::of(Cell::Time(i64::MAX)));
        assert!(Key::of(Cell::Null) > Key::of(Cell::from("zz")));
    }
}
