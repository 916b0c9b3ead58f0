//! The 76 cursus: a small list that hardly ever changes.

use super::World;
use super::table::find_sorted;
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{ALL, Cell, Field, Kind, Resource};

/// The cursus that the mirror is about.
pub(crate) const MAIN: u32 = 21;
/// The selection that comes before it.
pub(crate) const PISCINE: u32 = 9;

#[derive(Debug)]
pub(crate) struct Cursus {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) kind: &'static str,
    pub(crate) created: i64,
}

/// Kinds and how many of each, DATA.md section 2; the three main ones are set by hand.
const KINDS: [(&str, usize); 9] = [
    ("external", 28),
    ("professional_training", 11),
    ("piscine_community", 10),
    ("test", 7),
    ("external_deprecated", 5),
    ("piscine_deprecated", 4),
    ("piscine", 2),
    ("main_deprecated", 3),
    ("professional_training_deprecated", 2),
];

/// The ids that the documentation lists, up to 85.
fn ids() -> impl Iterator<Item = u32> {
    let ranges = [1..=1, 3..=23, 25..=28, 31..=44, 46..=54, 56..=69, 73..=85];
    ranges.into_iter().flatten()
}

pub(crate) fn invent(seed: u64) -> Vec<Cursus> {
    let mut kinds: Vec<&'static str> =
        KINDS.iter().flat_map(|(kind, count)| std::iter::repeat_n(*kind, *count)).collect();
    let mut chance = Chance::of(seed, "cursus", 0);
    let rows = ids().map(|id| {
        let (name, kind) = match id {
            MAIN => ("42cursus".to_owned(), "main"),
            53 => ("42-zip".to_owned(), "main"),
            78 => ("42senior".to_owned(), "main"),
            PISCINE => ("C Piscine".to_owned(), "piscine"),
            _ => {
                let kind = kinds.swap_remove(chance.below(kinds.len() as u64) as usize);
                (invented_name(&mut chance, kind, id), kind)
            }
        };
        let slug = name.to_lowercase().replace([' ', '&', '\''], "-").replace('é', "e");
        Cursus { id, name, slug, kind, created: END_OF_PAST - (3_700 - 40 * i64::from(id)) * DAY - 12_345 }
    });
    rows.collect()
}

fn invented_name(chance: &mut Chance, kind: &str, id: u32) -> String {
    const SUBJECTS: [&str; 12] = [
        "Data & Nets",
        "Cloud",
        "Robots",
        "Web",
        "Go",
        "Ocean",
        "Systèmes",
        "Embedded",
        "Design",
        "Game",
        "Quantum",
        "Discovery",
    ];
    let subject = chance.pick(&SUBJECTS);
    match kind {
        "piscine" | "piscine_deprecated" => format!("Piscine {subject} {id}"),
        "piscine_community" => format!("Discovery Piscine - {subject} {id}"),
        "test" => format!("T{id}"),
        _ => {
            format!("{subject} {}", chance.pick(&["Academy", "Track", "Bootcamp", "d'été"]))
                + &format!(" {id}")
        }
    }
}

pub(crate) fn write(world: &World, row: u32, json: &mut Json) {
    let cursus = &world.cursus[row as usize];
    json.object(|json| {
        json.int("id", i64::from(cursus.id));
        json.time("created_at", cursus.created);
        json.text("name", &cursus.name);
        json.text("slug", &cursus.slug);
        json.text("kind", cursus.kind);
    });
}

const fn at(world: &World, row: u32) -> &Cursus {
    &world.cursus.as_slice()[row as usize]
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "cursus",
    fields: &[
        Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))),
        Field::new("name", Kind::Text, ALL, |world, row| Cell::from(at(world, row).name.as_str())),
        Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created)),
        Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created + DAY)),
        Field::new("slug", Kind::Text, ALL, |world, row| Cell::from(at(world, row).slug.as_str())),
        Field::new("kind", Kind::Text, ALL, |world, row| Cell::from(at(world, row).kind)),
        Field::new("restricted", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).kind == "test")),
        Field::new("is_subscriptable", Kind::Bool, ALL, |world, row| {
            Cell::Bool(!at(world, row).kind.ends_with("deprecated"))
        }),
    ],
    default_sort: &["-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[],
    size: |world| world.cursus.len(),
    listed: |_, _| true,
    find: |world, text| {
        let by_slug = || world.cursus.iter().position(|cursus| cursus.slug == text).map(|row| row as u32);
        find_sorted(&world.cursus, |cursus| i64::from(cursus.id), text).or_else(by_slug)
    },
    search: None,
    write,
    write_alone: write,
    version: |_| 0,
};

#[cfg(test)]
mod tests {
    use super::{MAIN, invent};
    use std::collections::HashSet;

    #[test]
    fn there_are_76_and_their_slugs_differ() {
        let rows = invent(42);
        assert_eq!(rows.len(), 76);
        assert_eq!(rows.iter().map(|cursus| cursus.slug.as_str()).collect::<HashSet<_>>().len(), 76);
        assert!(rows.iter().any(|cursus| cursus.id == MAIN && cursus.name == "42cursus"));
        assert_eq!(rows.iter().filter(|cursus| cursus.kind == "main").count(), 3);
    }
}
