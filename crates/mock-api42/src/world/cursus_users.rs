//! Who is in which cursus, and how far.

use super::cursus::{Cursus, MAIN, PISCINE};
use super::person::{Person, Role};
use super::table::{Row, Table};
use super::{World, cursus, user_json};
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{ALL, Cell, FILTER, Field, Kind, LIVE, Parent, Resource};

#[derive(Clone, Debug)]
pub(crate) struct CursusUser {
    pub(crate) updated: i64,
    pub(crate) created: i64,
    pub(crate) id: u32,
    /// Row of the person.
    pub(crate) person: u32,
    /// Days from the creation to the end; 0 while it has none.
    pub(crate) end_after: u16,
    /// Days from the creation to the black hole; 0 for none.
    pub(crate) blackhole_after: u16,
    /// In hundredths.
    pub(crate) level: u16,
    /// Row of the cursus.
    pub(crate) cursus: u8,
    pub(crate) has_coalition: bool,
}

impl Row for CursusUser {
    fn id(&self) -> u32 {
        self.id
    }

    fn user(&self) -> u32 {
        self.person
    }

    fn updated(&self) -> i64 {
        self.updated
    }

    fn set_id(&mut self, id: u32) {
        self.id = id;
    }
}

pub(crate) fn invent(seed: u64, people: &[Person], cursus: &[Cursus]) -> Table<CursusUser> {
    let row_of = |id| cursus.iter().position(|cursus| cursus.id == id).unwrap_or(0) as u8;
    let (main, piscine) = (row_of(MAIN), row_of(PISCINE));
    let mut rows = Vec::with_capacity(people.len() * 2);
    for (number, person) in people.iter().enumerate() {
        let mut chance = Chance::of(seed, "cursus_users", u64::from(person.id));
        let person_row = number as u32;
        if person.role == Role::Outside || chance.happens(0.85) {
            let created = person.created + chance.between(DAY, 40 * DAY);
            rows.push(piscine_of(&mut chance, person_row, piscine, created.min(END_OF_PAST)));
        }
        if person.role != Role::Outside {
            rows.push(main_of(&mut chance, person_row, person, main));
        }
        if person.role != Role::Outside && chance.happens(0.03) {
            let other = chance.below(cursus.len() as u64) as u8;
            if other != main && other != piscine {
                let created = END_OF_PAST - chance.between(DAY, 900 * DAY);
                rows.push(piscine_of(&mut chance, person_row, other, created));
            }
        }
    }
    rows.sort_by_key(|row| row.created);
    Table::new(rows, 57, 2)
}

fn piscine_of(chance: &mut Chance, person: u32, cursus: u8, created: i64) -> CursusUser {
    let level = chance.between(0, 1_100) as u16;
    let updated = (created + 30 * DAY).min(END_OF_PAST) + chance.between(0, 999);
    CursusUser {
        updated,
        created,
        id: 0,
        person,
        end_after: 28,
        blackhole_after: 0,
        level,
        cursus,
        has_coalition: false,
    }
}

fn main_of(chance: &mut Chance, person: u32, facts: &Person, cursus: u8) -> CursusUser {
    let created = (facts.created + chance.between(30 * DAY, 200 * DAY)).min(END_OF_PAST - 3_600_000);
    let ended = facts.role == Role::Alumnus && chance.happens(0.4);
    let level = chance.along(&[(0.0, 0.0), (0.1, 0.0), (0.5, 410.0), (0.9, 980.0), (1.0, 2_100.0)]) as u16;
    CursusUser {
        updated: facts.updated.max(created),
        created,
        id: 0,
        person,
        end_after: if ended { 300 + chance.below(900) as u16 } else { 0 },
        blackhole_after: if chance.happens(0.6) { 90 + chance.below(1_500) as u16 } else { 0 },
        level,
        cursus,
        has_coalition: chance.happens(0.85),
    }
}

/// A newcomer's membership of the main cursus.
pub(crate) fn fresh(person: u32, cursus: u8, now: i64) -> CursusUser {
    CursusUser {
        updated: now,
        created: now,
        id: 0,
        person,
        end_after: 0,
        blackhole_after: 180,
        level: 0,
        cursus,
        has_coalition: true,
    }
}

pub(crate) fn write(world: &World, row: u32, json: &mut Json) {
    let member = at(world, row);
    json.object(|json| {
        json.int("id", i64::from(member.id));
        json.time("begin_at", begin(member));
        json.maybe_time("end_at", end(member));
        json.maybe_text("grade", grade(world, member));
        json.float("level", f64::from(member.level) / 100.0);
        write_skills(world, member, json);
        json.int("cursus_id", i64::from(world.cursus[usize::from(member.cursus)].id));
        json.flag("has_coalition", member.has_coalition);
        json.maybe_time("blackholed_at", blackhole(member));
        json.time("created_at", member.created);
        json.time("updated_at", member.updated);
        user_json::write(world, member.person, json.key("user"));
        cursus::write(world, u32::from(member.cursus), json.key("cursus"));
    });
}

fn write_skills(world: &World, member: &CursusUser, json: &mut Json) {
    const SKILLS: [&str; 10] = [
        "Rigor",
        "Unix",
        "Algorithms & AI",
        "Graphics",
        "Group & interpersonal",
        "Network & system administration",
        "Imperative programming",
        "Object-oriented programming",
        "Web",
        "Organization",
    ];
    let mut chance = Chance::of(world.seed, "skills", u64::from(member.id));
    let known = (usize::from(member.level) / 90).min(SKILLS.len());
    json.key("skills").array(|json| {
        for (number, name) in SKILLS.iter().take(known).enumerate() {
            json.object(|json| {
                json.int("id", number as i64 + 1);
                json.text("name", name);
                json.float("level", chance.between(0, i64::from(member.level)) as f64 / 100.0);
            });
        }
    });
}

/// Midnight-ish of the day after: seldom the instant of creation.
fn begin(member: &CursusUser) -> i64 {
    member.created - member.created % DAY + 8 * 3_600_000 + 42_000
}

fn end(member: &CursusUser) -> Option<i64> {
    (member.end_after > 0).then(|| begin(member) + i64::from(member.end_after) * DAY)
}

fn blackhole(member: &CursusUser) -> Option<i64> {
    (member.blackhole_after > 0).then(|| begin(member) + i64::from(member.blackhole_after) * DAY)
}

fn grade(world: &World, member: &CursusUser) -> Option<&'static str> {
    let main = world.cursus[usize::from(member.cursus)].id == MAIN;
    main.then_some(if member.level >= 1_000 { "Member" } else { "Learner" }).filter(|_| member.level > 0)
}

fn at(world: &World, row: u32) -> &CursusUser {
    world.cursus_users.row(row)
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "cursus_users",
    fields: FIELDS,
    default_sort: &["-created_at", "-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[
        Parent {
            name: "users",
            belongs: |world, row, user| at(world, row).person == user,
            index: Some(|world, user| world.cursus_users.of_user(user)),
        },
        Parent {
            name: "cursus",
            belongs: |world, row, cursus| u32::from(at(world, row).cursus) == cursus,
            index: None,
        },
    ],
    size: |world| world.cursus_users.len(),
    listed: |world, row| world.is_there(at(world, row).person),
    find: |world, text| world.cursus_users.find(text),
    search: None,
    write,
    write_alone: write,
    version: |world| world.structure,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))).indexed(
        |world, id| {
            u32::try_from(id).ok().and_then(|id| world.cursus_users.find_id(id)).into_iter().collect()
        },
    ),
    Field::new("cursus_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(world.cursus[usize::from(at(world, row).cursus)].id))
    }),
    Field::new("user_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(world.people.id(at(world, row).person)))
    })
    .indexed(|world, id| world.person_row(id).map_or_else(Vec::new, |user| world.cursus_users.of_user(user))),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created)),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).updated))
        .since(|world, instant| world.cursus_users.since(instant)),
    Field::new("end_at", Kind::Time, ALL, |world, row| Cell::maybe_time(end(at(world, row)))),
    Field::new("begin_at", Kind::Time, ALL, |world, row| Cell::Time(begin(at(world, row)))),
    Field::new("has_coalition", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).has_coalition)),
    Field::new("blackholed_at", Kind::Time, ALL, |world, row| Cell::maybe_time(blackhole(at(world, row)))),
    Field::new("level", Kind::Float, ALL, |world, row| Cell::Float(f64::from(at(world, row).level) / 100.0)),
    Field::new("active", Kind::Bool, FILTER | LIVE, |world, row| {
        Cell::Bool(end(at(world, row)).is_none_or(|end| end > world.now()))
    }),
    Field::new("campus_id", Kind::Int, FILTER, |world, row| {
        let campus = world.people.row(at(world, row).person).campus;
        Cell::Int(i64::from(world.campuses[usize::from(campus)].id))
    }),
    Field::new("end", Kind::Bool, FILTER | LIVE, |world, row| {
        Cell::Bool(end(at(world, row)).is_some_and(|end| end <= world.now()))
    }),
    Field::new("future", Kind::Bool, FILTER | LIVE, |world, row| {
        Cell::Bool(begin(at(world, row)) > world.now())
    }),
    Field::new("blackholed", Kind::Bool, FILTER | LIVE, |world, row| {
        Cell::Bool(blackhole(at(world, row)).is_some_and(|blackhole| blackhole <= world.now()))
    }),
];
