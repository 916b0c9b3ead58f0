//! The 1,152 achievements, with the odd texts that people typed into them.

use super::World;
use super::campus::Campus;
use super::table::find_sorted;
use super::titles;
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{ALL, Cell, Field, Kind, Parent, Resource};

#[derive(Debug)]
pub(crate) struct Achievement {
    pub(crate) id: u32,
    name: String,
    description: String,
    tier: &'static str,
    kind: &'static str,
    image: Option<String>,
    count: Option<i64>,
    /// Campus names, as typed: some carry outer spaces, some belong to no campus.
    campuses: Vec<String>,
    parent: Option<u32>,
    title: Option<u32>,
    in_main_cursus: bool,
    created: i64,
}

/// How many there are; their ids go up to about 1,620.
const COUNT: u32 = 1_152;

pub(crate) fn invent(seed: u64, campuses: &[Campus]) -> Vec<Achievement> {
    let mut id = 0;
    let mut rows = Vec::with_capacity(COUNT as usize);
    for number in 0..COUNT {
        let mut chance = Chance::of(seed, "achievement", u64::from(number));
        id += if chance.happens(0.68) { 1 } else { 1 + chance.below(2) as u32 + u32::from(number > 9) };
        let row = invent_one(&mut chance, number, id, campuses);
        rows.push(row);
    }
    rows
}

fn invent_one(chance: &mut Chance, number: u32, id: u32, campuses: &[Campus]) -> Achievement {
    let tiers = ["none", "medium", "easy", "hard", "challenge"];
    let tier = tiers[chance.weighted(&[576.0, 214.0, 161.0, 128.0, 73.0])];
    let kinds = ["social", "pedagogy", "scolarity", "project"];
    let kind = kinds[chance.weighted(&[434.0, 312.0, 265.0, 141.0])];
    Achievement {
        id,
        name: invent_name(chance, number),
        description: invent_description(chance, number),
        tier,
        kind,
        image: (!chance.happens(0.105))
            .then(|| format!("/uploads/achievement/image/{id}/{}.svg", chance.hex(8))),
        count: (!chance.happens(0.729))
            .then(|| chance.along(&[(0.0, 0.0), (0.5, 10.0), (0.9, 100.0), (1.0, 1010.0)]) as i64),
        campuses: invent_campuses(chance, number, campuses),
        // A parent is an older achievement, so that no chain bites its tail.
        parent: (number > 20 && chance.happens(0.09)).then(|| chance.below(u64::from(number)) as u32),
        title: (!chance.happens(0.769)).then(|| chance.below(u64::from(titles::COUNT)) as u32),
        in_main_cursus: chance.happens(0.6),
        created: END_OF_PAST - (4_000 - i64::from(number) * 3) * DAY + chance.between(0, DAY),
    }
}

fn invent_name(chance: &mut Chance, number: u32) -> String {
    const HEADS: [&str; 14] = [
        "Attendee",
        "Bill Gates of",
        "Code Explorer",
        "I'm reliable",
        "All work",
        "Rigorous Basterd",
        "Curious wanderer",
        "Home is where",
        "Film buff",
        "Perfect examiner",
        "Film buff & more",
        "Être assidu",
        "Quick <3",
        "Café",
    ];
    const TAILS: [&str; 6] = ["", " I", " II", " of the Moon", " - logtime", " and no play makes a dull day"];
    let mut name = format!("{}{}", chance.pick(&HEADS), chance.pick(&TAILS));
    if chance.happens(0.6) {
        name.push_str(&format!(" {}", chance.below(900)));
    }
    match number % 46 {
        11 => format!("{name} "),
        23 if number < 300 => format!(" {name}"),
        _ if number == 99 => "Go".to_owned(),
        _ => name,
    }
}

fn invent_description(chance: &mut Chance, number: u32) -> String {
    const TEXTS: [&str; 9] = [
        "Validate 3 projects in a row.",
        "Log in 90h over a week.",
        "Assister à une soirée & rester jusqu'au bout.",
        "Win a challenge <against> the clock.",
        "Get 125 points on \"the\" project.",
        "Être présent à trois événements de l'association.",
        "Correct 10 people within 24 hours, politely.",
        "Ask a question that nobody can answer.",
        "Organise something in the cluster at 42.",
    ];
    let text = chance.pick(&TEXTS);
    match number % 32 {
        3 => format!("{text}\r\nThis is given by hand."),
        17 if number.is_multiple_of(3) => format!("{text}\tTwice."),
        _ => (*text).to_owned(),
    }
}

fn invent_campuses(chance: &mut Chance, number: u32, campuses: &[Campus]) -> Vec<String> {
    let wanted = match number % 40 {
        0 => 74,
        1..=9 => 0,
        _ => chance.along(&[(0.0, 0.0), (0.6, 1.2), (0.9, 4.0), (1.0, 30.0)]) as usize,
    };
    let mut names: Vec<String> = campuses
        .iter()
        .filter(|_| chance.happens(wanted as f64 / 74.0))
        .map(|campus| match number % 113 {
            5 => format!("{} ", campus.name),
            6 => format!(" {}", campus.name),
            _ => campus.name.clone(),
        })
        .collect();
    if number % 50 == 7 {
        names.push(format!("{} (closed)", campuses[number as usize % campuses.len()].name));
    }
    names
}

/// The nine keys that come everywhere, and in lists four more.
fn write_keys(world: &World, achievement: &Achievement, json: &mut Json) {
    json.int("id", i64::from(achievement.id));
    json.text("name", &achievement.name);
    json.text("description", &achievement.description);
    json.text("tier", achievement.tier);
    json.text("kind", achievement.kind);
    json.flag("visible", true);
    json.maybe_text("image", achievement.image.as_deref());
    json.maybe_int("nbr_of_success", achievement.count);
    json.text("users_url", &format!("{}/v2/achievements/{}/users", world.base(), achievement.id));
}

/// An achievement inside a full user: nine keys, no date.
pub(crate) fn write_short(world: &World, row: u32, json: &mut Json) {
    json.object(|json| write_keys(world, at(world, row), json));
}

fn write(world: &World, row: u32, json: &mut Json) {
    let achievement = at(world, row);
    json.object(|json| {
        write_keys(world, achievement, json);
        json.key("achievements").array(|json| {
            let children = world.achievements.iter().filter(|child| child.parent == Some(row));
            children.take(4).for_each(|child| json.string(&child.name));
        });
        json.key("campus").array(|json| achievement.campuses.iter().for_each(|name| json.string(name)));
        match achievement.parent {
            Some(parent) => write_short(world, parent, json.key("parent")),
            None => json.null("parent"),
        }
        match achievement.title {
            Some(title) => titles::write(world, title, json.key("title")),
            None => json.null("title"),
        }
    });
}

fn at(world: &World, row: u32) -> &Achievement {
    &world.achievements[row as usize]
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "achievements",
    fields: FIELDS,
    default_sort: &["id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[
        Parent {
            name: "cursus",
            belongs: |world, row, cursus| {
                world.cursus[cursus as usize].id == super::cursus::MAIN && at(world, row).in_main_cursus
            },
            index: None,
        },
        Parent {
            name: "campus",
            belongs: |world, row, campus| {
                let name = &world.campuses[campus as usize].name;
                at(world, row).campuses.iter().any(|typed| typed.trim() == name)
            },
            index: None,
        },
        Parent {
            name: "titles",
            belongs: |world, row, title| at(world, row).title == Some(title),
            index: None,
        },
    ],
    size: |world| world.achievements.len(),
    listed: |_, _| true,
    find: |world, text| find_sorted(&world.achievements, |achievement| i64::from(achievement.id), text),
    search: None,
    write,
    write_alone: write,
    version: |_| 0,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))),
    Field::new("name", Kind::Text, ALL, |world, row| Cell::from(at(world, row).name.as_str())),
    Field::new("internal_name", Kind::Text, ALL, |world, row| Cell::from(at(world, row).name.as_str())),
    Field::new("kind", Kind::Text, ALL, |world, row| Cell::from(at(world, row).kind)),
    Field::new("tier", Kind::Text, ALL, |world, row| Cell::from(at(world, row).tier)),
    Field::new("description", Kind::Text, ALL, |world, row| Cell::from(at(world, row).description.as_str())),
    Field::new("pedago", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).kind == "pedagogy")),
    Field::new("visible", Kind::Bool, ALL, |_, _| Cell::Bool(true)),
    Field::new("nbr_of_success", Kind::Int, ALL, |world, row| Cell::maybe_int(at(world, row).count)),
    Field::new("parent_id", Kind::Int, ALL, |world, row| {
        Cell::maybe_int(at(world, row).parent.map(|parent| i64::from(at(world, parent).id)))
    }),
    Field::new("image", Kind::Text, ALL, |world, row| Cell::from(at(world, row).image.as_deref())),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created)),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created + 20 * DAY)),
    Field::new("slug", Kind::Text, ALL, |world, row| {
        Cell::Text(format!("achievement-{}", at(world, row).id))
    }),
    Field::new("position", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id % 40))),
    Field::new("reward", Kind::Int, ALL, |_, _| Cell::Null),
    Field::new("title_id", Kind::Int, ALL, |world, row| {
        Cell::maybe_int(at(world, row).title.map(|title| i64::from(world.titles[title as usize].id)))
    }),
];
