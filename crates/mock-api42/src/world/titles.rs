//! Titles that achievements award; nearly all of their names hold the literal `%login`.

use super::World;
use super::table::find_sorted;
use crate::chance::Chance;
use crate::json::Json;
use crate::resource::{Cell, Field, Kind, Resource};

#[derive(Debug)]
pub(crate) struct Title {
    pub(crate) id: u32,
    pub(crate) name: String,
}

/// How many there are; 5 of them without `%login` (DATA.md section 2).
pub(crate) const COUNT: u32 = 266;

pub(crate) fn invent(seed: u64) -> Vec<Title> {
    const FAME: [&str; 10] = [
        "the Patient",
        "l'Éclaireur",
        "Keeper of Pipes",
        "of the Deep",
        "Baron of Bits",
        "Queen of Quotes",
        "the 2nd",
        "Tamer of Leaks",
        "Señor Segfault",
        "& Friends",
    ];
    (0..COUNT)
        .map(|number| {
            let mut chance = Chance::of(seed, "title", u64::from(number));
            let fame = chance.pick(&FAME);
            let name = match number % 53 {
                5 => format!("{fame} {number}"),
                _ if chance.happens(0.2) => format!("{fame} %login"),
                _ => format!("%login, {fame}"),
            };
            Title { id: 3 + number * 2, name }
        })
        .collect()
}

/// The two keys that titles have everywhere.
pub(crate) fn write(world: &World, row: u32, json: &mut Json) {
    let title = &world.titles[row as usize];
    json.object(|json| {
        json.int("id", i64::from(title.id));
        json.text("name", &title.name);
    });
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "titles",
    fields: &[Field::new("id", Kind::Int, 0, |world, row| {
        Cell::Int(i64::from(world.titles[row as usize].id))
    })],
    default_sort: &["id"],
    order_undocumented: true,
    filters_undocumented: false,
    parents: &[],
    size: |world| world.titles.len(),
    listed: |_, _| true,
    find: |world, text| find_sorted(&world.titles, |title| i64::from(title.id), text),
    search: None,
    write,
    write_alone: write,
    version: |_| 0,
};
