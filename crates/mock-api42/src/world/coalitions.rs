//! The 350 coalitions, and the blocs that group them by campus and cursus.

use super::World;
use super::cursus::MAIN;
use super::table::find_sorted;
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{Cell, FILTER, Field, Kind, Parent, Resource, SORT};

#[derive(Debug)]
pub(crate) struct Coalition {
    pub(crate) id: u32,
    pub(crate) name: String,
    slug: String,
    color: String,
    cover: bool,
    pub(crate) score: i64,
    user_id: i64,
    pub(crate) bloc: Option<u32>,
    created: i64,
}

#[derive(Debug)]
pub(crate) struct Bloc {
    pub(crate) id: u32,
    pub(crate) campus: u32,
    created: i64,
    squad_size: Option<i64>,
}

const COUNT: u32 = 350;
/// Coalitions without members.
const EMPTY: u32 = 11;
/// Ids that memberships point at although no list shows such a coalition.
pub(crate) const UNLISTED: [u32; 3] = [901, 904, 911];

pub(crate) fn invent(seed: u64, campuses: usize) -> (Vec<Bloc>, Vec<Coalition>) {
    let mut coalitions = Vec::with_capacity(COUNT as usize);
    let mut blocs: Vec<Bloc> = Vec::new();
    let mut id = 0;
    let mut left_in_bloc = 0;
    for number in 0..COUNT {
        let mut chance = Chance::of(seed, "coalition", u64::from(number));
        id += if number < 12 { 1 } else { 1 + chance.weighted(&[0.5, 0.35, 0.15]) as u32 };
        if left_in_bloc == 0 && number >= EMPTY {
            let bloc = blocs.len() as u32;
            let created = END_OF_PAST - (3_000 - i64::from(number) * 8) * DAY + 77;
            let squad_size = chance.happens(0.3).then(|| chance.between(10, 60));
            blocs.push(Bloc { id: bloc * 2 + 3, campus: bloc % campuses as u32, created, squad_size });
            left_in_bloc = chance.between(3, 4);
        }
        left_in_bloc -= i64::from(number >= EMPTY);
        // The first ones stand in no bloc: nobody is in them.
        let bloc = (number >= EMPTY).then(|| blocs.len() as u32 - 1);
        coalitions.push(invent_one(&mut chance, number, id, bloc));
    }
    (blocs, coalitions)
}

fn invent_one(chance: &mut Chance, number: u32, id: u32, bloc: Option<u32>) -> Coalition {
    const NAMES: [&str; 14] = [
        "The Lanterns",
        "Les Boréales",
        "Tidewater",
        "Iron Moths",
        "Ça Tourne",
        "Sandglass",
        "Kelp & Foam",
        "Windroses",
        "Night Owls",
        "L'Essaim",
        "Stonecrop",
        "Halcyon",
        "Lodestar",
        "Ember",
    ];
    let name = match number {
        9 | 10 => "Analysts".to_owned(),
        // About 66 names occur more than once, slugs do not.
        _ if chance.happens(0.2) => (*chance.pick(&NAMES)).to_owned(),
        _ => format!("{} {}", chance.pick(&NAMES), number),
    };
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' }
    };
    let slug = match number {
        9 | 10 => "analysts".to_owned(),
        20 => "k".to_owned(),
        _ => format!("{}-{id}", name.chars().map(plain).collect::<String>()),
    };
    Coalition {
        id,
        name,
        slug,
        color: invent_color(chance, number),
        cover: !chance.happens(0.08),
        score: chance.along(&[(0.0, 0.0), (0.5, 9_000.0), (0.95, 700_000.0), (1.0, 4_954_125.0)]) as i64,
        user_id: chance.between(10_000, 250_000),
        bloc,
        created: END_OF_PAST - (3_000 - i64::from(number / 4) * 32) * DAY + 99,
    }
}

fn invent_color(chance: &mut Chance, number: u32) -> String {
    let digits = chance.hex(6);
    let digits = if chance.happens(0.5) { digits.to_uppercase() } else { digits };
    match number % 117 {
        15 if number < 250 => format!("\t#{digits}"),
        31 => format!(" #{digits}"),
        47 | 63 | 79 => digits,
        _ => format!("#{digits}"),
    }
}

fn write(world: &World, row: u32, json: &mut Json) {
    let coalition = &world.coalitions[row as usize];
    let image =
        format!("https://cdn.example.invalid/coalition/image/{}/{}.svg", coalition.id, coalition.slug);
    let cover = format!("https://cdn.example.invalid/coalition/cover/{}/cover.jpg", coalition.id);
    json.object(|json| {
        json.int("id", i64::from(coalition.id));
        json.text("name", &coalition.name);
        json.text("slug", &coalition.slug);
        json.text("image_url", &image);
        json.maybe_text("cover_url", coalition.cover.then_some(&cover));
        json.text("color", &coalition.color);
        json.int("score", coalition.score);
        json.int("user_id", coalition.user_id);
    });
}

fn write_bloc(world: &World, row: u32, json: &mut Json) {
    let bloc = &world.blocs[row as usize];
    json.object(|json| {
        json.int("id", i64::from(bloc.id));
        json.int("campus_id", i64::from(world.campuses[bloc.campus as usize].id));
        json.int("cursus_id", i64::from(MAIN));
        json.maybe_int("squad_size", bloc.squad_size);
        json.time("created_at", bloc.created);
        json.time("updated_at", bloc.created + DAY);
        json.key("coalitions").array(|json| {
            let rows = (0..world.coalitions.len() as u32)
                .filter(|coalition| at(world, *coalition).bloc == Some(row));
            rows.for_each(|coalition| write(world, coalition, json));
        });
    });
}

fn at(world: &World, row: u32) -> &Coalition {
    &world.coalitions[row as usize]
}

fn bloc(world: &World, row: u32) -> &Bloc {
    &world.blocs[row as usize]
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "coalitions",
    fields: FIELDS,
    default_sort: &["-created_at", "-id"],
    order_undocumented: false,
    filters_undocumented: true,
    parents: &[
        Parent { name: "blocs", belongs: |world, row, bloc| at(world, row).bloc == Some(bloc), index: None },
        Parent {
            name: "users",
            belongs: |world, row, user| {
                let user = world.people.id(user);
                let mut rows = world.memberships.of_user(user).into_iter();
                rows.any(|member| world.memberships.row(member).coalition_id == at(world, row).id)
            },
            index: None,
        },
    ],
    size: |world| world.coalitions.len(),
    listed: |_, _| true,
    find: |world, text| {
        let by_slug =
            || world.coalitions.iter().position(|coalition| coalition.slug == text).map(|row| row as u32);
        find_sorted(&world.coalitions, |coalition| i64::from(coalition.id), text).or_else(by_slug)
    },
    search: None,
    write,
    write_alone: write,
    version: |world| world.structure,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, SORT, |world, row| Cell::Int(i64::from(at(world, row).id))),
    Field::new("bloc_id", Kind::Int, SORT, |world, row| {
        Cell::maybe_int(at(world, row).bloc.map(|row| i64::from(bloc(world, row).id)))
    }),
    Field::new("user_id", Kind::Int, SORT, |world, row| Cell::Int(at(world, row).user_id)),
    Field::new("name", Kind::Text, SORT, |world, row| Cell::from(at(world, row).name.as_str())),
    Field::new("image", Kind::Text, SORT, |world, row| Cell::from(at(world, row).slug.as_str())),
    Field::new("slug", Kind::Text, SORT, |world, row| Cell::from(at(world, row).slug.as_str())),
    Field::new("created_at", Kind::Time, SORT, |world, row| Cell::Time(at(world, row).created)),
    Field::new("updated_at", Kind::Time, SORT, |world, row| Cell::Time(at(world, row).created + 3 * DAY)),
    Field::new("color", Kind::Text, SORT, |world, row| Cell::from(at(world, row).color.as_str())),
    Field::new("cover", Kind::Bool, SORT, |world, row| Cell::Bool(at(world, row).cover)),
    // Reported to work, not documented: only where --coalitions-filter allows it.
    Field::new("cursus_id", Kind::Int, FILTER, |world, row| {
        Cell::maybe_int(at(world, row).bloc.map(|_| i64::from(MAIN)))
    }),
];

pub(crate) static BLOCS: Resource = Resource {
    name: "blocs",
    fields: BLOC_FIELDS,
    default_sort: &["-created_at", "-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[],
    size: |world| world.blocs.len(),
    listed: |_, _| true,
    find: |world, text| find_sorted(&world.blocs, |bloc| i64::from(bloc.id), text),
    search: None,
    write: write_bloc,
    write_alone: write_bloc,
    version: |_| 0,
};

const USES: u8 = FILTER | SORT;

const BLOC_FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, USES, |world, row| Cell::Int(i64::from(bloc(world, row).id))),
    Field::new("cursus_id", Kind::Int, USES, |_, _| Cell::Int(i64::from(MAIN))),
    Field::new("campus_id", Kind::Int, USES, |world, row| {
        Cell::Int(i64::from(world.campuses[bloc(world, row).campus as usize].id))
    }),
    Field::new("squad_size", Kind::Int, USES, |world, row| Cell::maybe_int(bloc(world, row).squad_size)),
    Field::new("created_at", Kind::Time, USES, |world, row| Cell::Time(bloc(world, row).created)),
    Field::new("updated_at", Kind::Time, USES, |world, row| Cell::Time(bloc(world, row).created + DAY)),
    Field::new("coalition_delay", Kind::Int, USES, |_, _| Cell::Null),
    Field::new("repeat_deadline_delay", Kind::Int, USES, |_, _| Cell::Null),
];
