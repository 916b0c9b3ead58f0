//! The 78 campuses: very unequal in size, some of them empty, a third of them closed.

use super::World;
use super::table::find_sorted;
use super::zones::{LANGUAGES, ZONES, Zone};
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{ALL, Cell, Field, Kind, Resource};

#[derive(Debug)]
pub(crate) struct Campus {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) zone: &'static Zone,
    pub(crate) active: bool,
    pub(crate) public: bool,
    /// Share of the people who have it as their primary campus, not normalised.
    pub(crate) weight: f64,
    /// People whose primary campus it is.
    pub(crate) users: u32,
    /// Parts that hardly anybody asks for, invented from here.
    chance: Chance,
}

/// Open and public, open but private, closed: what DATA.md section 2 counts.
const OPEN: usize = 54;
const PRIVATE: usize = 4;

pub(crate) fn invent(seed: u64) -> Vec<Campus> {
    let ids: Vec<u32> = [1, 2].into_iter().chain(5..=80).collect();
    let mut order: Vec<usize> = (1..ids.len()).collect();
    order.sort_by_key(|index| Chance::of(seed, "campus order", *index as u64).draw());
    order.insert(0, 0);
    let mut rank = vec![0; ids.len()];
    for (place, index) in order.iter().enumerate() {
        rank[*index] = place;
    }
    ids.iter().zip(rank).map(|(id, rank)| invent_one(seed, *id, rank)).collect()
}

fn invent_one(seed: u64, id: u32, rank: usize) -> Campus {
    let mut chance = Chance::of(seed, "campus", u64::from(id));
    let name = city(id as usize);
    let zone = if rank < ZONES.len() { &ZONES[rank] } else { chance.pick(&ZONES) };
    let weight = match rank {
        // The last two of the open ones have nobody yet, the two before hardly anybody.
        _ if rank + 2 >= OPEN && rank < OPEN => 0.0,
        _ if rank < OPEN => 1.0 / (rank as f64 + 1.0).powf(0.8),
        _ if rank.is_multiple_of(2) => 0.002,
        _ => 0.0,
    };
    let slug = name.to_lowercase().replace(' ', "-").replace('ã', "a").replace('é', "e");
    let (active, public) =
        (rank < OPEN + PRIVATE, rank < OPEN || rank.is_multiple_of(3) && rank >= OPEN + PRIVATE);
    Campus { id, name, slug, zone, active, public, weight, users: 0, chance }
}

/// Names of places that do not exist; all of them differ.
fn city(number: usize) -> String {
    const HEADS: [&str; 13] = [
        "Val", "Port-", "Nord", "Kester", "Alta", "Villa", "Monte", "São ", "Lago", "Rive", "Stein", "Brun",
        "Clair",
    ];
    const TAILS: [&str; 7] = ["ombre", "lune", "haven", "mora", "azur", "élan", "verde"];
    format!("{}{}", HEADS[number % HEADS.len()], TAILS[number / HEADS.len() % TAILS.len()])
}

/// A campus, on its own or inside a project, where its language carries dates.
pub(crate) fn write_at(world: &World, row: u32, json: &mut Json, nested: bool) {
    let campus = &world.campuses[row as usize];
    let mut chance = campus.chance.clone();
    json.object(|json| {
        json.int("id", i64::from(campus.id));
        json.text("name", &campus.name);
        json.text("time_zone", campus.zone.name);
        write_language(campus.zone.language, json, nested);
        json.int("users_count", i64::from(campus.users));
        json.maybe_int("vogsphere_id", vogsphere(campus));
        json.text("country", campus.zone.country);
        write_address(campus, &mut chance, json);
        json.text("facebook", &sometimes(&mut chance, "https://social.example.invalid/", &campus.slug));
        json.text("twitter", &sometimes(&mut chance, "https://short.example.invalid/", &campus.slug));
        json.flag("active", campus.active);
        json.flag("public", campus.public);
        let extension = format!("42{}.example.invalid", campus.slug);
        json.maybe_text("email_extension", (campus.id != 44).then_some(&extension));
        json.flag("default_hidden_phone", campus.id % 3 == 1);
        write_endpoint(campus, json.key("endpoint"));
    });
}

fn sometimes(chance: &mut Chance, site: &str, slug: &str) -> String {
    if chance.happens(0.35) { format!("{site}42{slug}") } else { String::new() }
}

fn write_language(language: usize, json: &mut Json, nested: bool) {
    let (id, name, identifier) = LANGUAGES[language];
    json.key("language").object(|json| {
        json.int("id", id);
        json.text("name", name);
        json.text("identifier", identifier);
        if nested {
            json.time("created_at", END_OF_PAST - 4_000 * DAY + id * 1_001);
            json.time("updated_at", END_OF_PAST - 40 * DAY + id * 1_003);
        }
    });
}

fn write_address(campus: &Campus, chance: &mut Chance, json: &mut Json) {
    let street =
        chance.pick(&["rue de l'Étoile", "Calle Mayor", "Via Lunga", "Harbour Road & Quay", "Hauptstraße"]);
    let comma = if campus.id.is_multiple_of(2) { "," } else { "" };
    let space = if matches!(campus.id, 7 | 31) { " " } else { "" };
    json.text("address", &format!("{}{comma} {street}{space}", 1 + chance.below(199)));
    let digits = 1 + chance.below(9) as u32;
    let zip = chance.below(10_u64.pow(digits));
    json.text("zip", &format!("{zip:0width$}", width = digits as usize));
    json.text("city", &campus.name);
    json.text("website", &format!("https://42{}.example.invalid/", campus.slug));
}

fn vogsphere(campus: &Campus) -> Option<i64> {
    (!matches!(campus.id, 30 | 62 | 71)).then_some(i64::from(campus.id) + 2)
}

fn write_endpoint(campus: &Campus, json: &mut Json) {
    if matches!(campus.id, 30 | 62 | 71) {
        json.nothing();
        return;
    }
    json.object(|json| {
        json.int("id", i64::from(campus.id) + 1);
        json.text("url", &format!("https://endpoint.{}.example.invalid", campus.slug));
        json.text("description", &format!("{} endpoint", campus.name));
        json.time("created_at", created(campus));
        json.time("updated_at", created(campus) + 3 * DAY);
    });
}

fn created(campus: &Campus) -> i64 {
    END_OF_PAST - (3_900 - 45 * i64::from(campus.id)) * DAY + 321
}

fn write(world: &World, row: u32, json: &mut Json) {
    write_at(world, row, json, false);
}

const fn at(world: &World, row: u32) -> &Campus {
    &world.campuses.as_slice()[row as usize]
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "campus",
    fields: FIELDS,
    default_sort: &["-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[],
    size: |world| world.campuses.len(),
    listed: |_, _| true,
    find: |world, text| {
        let by_slug = || world.campuses.iter().position(|campus| campus.slug == text).map(|row| row as u32);
        find_sorted(&world.campuses, |campus| i64::from(campus.id), text).or_else(by_slug)
    },
    search: None,
    write,
    write_alone: write,
    version: |_| 0,
};

/// What can be asked for; most of it is also shown.
const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))),
    Field::new("name", Kind::Text, ALL, |world, row| Cell::from(at(world, row).name.as_str())),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(created(at(world, row)))),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(created(at(world, row)) + 9 * DAY)),
    Field::new("time_zone", Kind::Text, ALL, |world, row| Cell::from(at(world, row).zone.name)),
    Field::new("language_id", Kind::Int, ALL, |world, row| {
        Cell::Int(LANGUAGES[at(world, row).zone.language].0)
    }),
    Field::new("slug", Kind::Text, ALL, |world, row| Cell::from(at(world, row).slug.as_str())),
    Field::new("main_email", Kind::Text, ALL, |world, row| {
        Cell::Text(format!("contact@42{}.example.invalid", at(world, row).slug))
    }),
    Field::new("endpoint_id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id) + 1)),
    Field::new("vogsphere_id", Kind::Int, ALL, |world, row| Cell::maybe_int(vogsphere(at(world, row)))),
    Field::new("city", Kind::Text, ALL, |world, row| Cell::from(at(world, row).name.as_str())),
    Field::new("country", Kind::Text, ALL, |world, row| Cell::from(at(world, row).zone.country)),
    Field::new("display_name", Kind::Text, ALL, |world, row| Cell::from(at(world, row).name.as_str())),
    Field::new("active", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).active)),
    Field::new("default_hidden_phone", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).id % 3 == 1)),
    Field::new("public", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).public)),
];

#[cfg(test)]
mod tests {
    use super::invent;
    use std::collections::HashSet;

    #[test]
    fn there_are_78_of_which_54_are_open() {
        let rows = invent(42);
        assert_eq!(rows.len(), 78);
        assert_eq!(rows.iter().filter(|campus| campus.active && campus.public).count(), 54);
        assert_eq!(rows.iter().filter(|campus| campus.active && !campus.public).count(), 4);
        assert_eq!(rows.iter().map(|campus| campus.name.as_str()).collect::<HashSet<_>>().len(), 78);
        assert!(rows.iter().filter(|campus| campus.active && campus.weight == 0.0).count() >= 2);
    }
}
