//! The list of people, and what can be asked of it.

use super::World;
use super::person::{Person, Role};
use super::user_json::{email, kind, month, names_of, write, write_alone};
use crate::resource::{Cell, FILTER, Field, Kind, Parent, RANGE, Resource, SORT};

fn at(world: &World, row: u32) -> &Person {
    world.people.row(row)
}

fn has_badge(world: &World, row: u32, achievement: u32) -> bool {
    let badges = world.badges.of_user(world.people.id(row));
    badges.into_iter().any(|badge| world.achievement_of(badge) == Some(achievement))
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "users",
    fields: FIELDS,
    default_sort: &["-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[
        Parent {
            name: "cursus",
            belongs: |world, row, cursus| {
                let rows = world.cursus_users.of_user(row);
                rows.into_iter().any(|member| u32::from(world.cursus_users.row(member).cursus) == cursus)
            },
            index: None,
        },
        Parent {
            name: "campus",
            belongs: |world, row, campus| {
                let rows = world.campus_users.of_user(row);
                rows.into_iter().any(|place| u32::from(world.campus_users.row(place).campus) == campus)
            },
            index: None,
        },
        Parent { name: "achievements", belongs: has_badge, index: None },
        Parent {
            name: "coalitions",
            belongs: |world, row, coalition| {
                let id = world.coalitions[coalition as usize].id;
                let rows = world.memberships.of_user(world.people.id(row));
                rows.into_iter().any(|member| world.memberships.row(member).coalition_id == id)
            },
            index: None,
        },
        Parent {
            name: "projects",
            belongs: |world, row, project| {
                let rows = world.enrolments.of_user(row);
                rows.into_iter()
                    .any(|enrolment| u32::from(world.enrolments.row(enrolment).project) == project)
            },
            index: None,
        },
    ],
    size: |world| world.people.rows.len(),
    listed: |world, row| !at(world, row).gone,
    find: |world, text| world.people.find(text),
    search: Some(|world, row| {
        let person = at(world, row);
        let names = names_of(world, person);
        format!("{} {} {}", names.usual_full, person.login.as_str(), email(world, person)).to_lowercase()
    }),
    write,
    write_alone,
    version: |world| world.structure.wrapping_mul(0x1_0000_0001) ^ world.facts,
};

const USES: u8 = FILTER | SORT | RANGE;

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, USES, |world, row| Cell::Int(i64::from(at(world, row).id))).indexed(
        |world, id| u32::try_from(id).ok().and_then(|id| world.people.find_id(id)).into_iter().collect(),
    ),
    Field::new("login", Kind::Text, USES, |world, row| Cell::from(at(world, row).login.as_str())),
    Field::new("email", Kind::Text, USES, |world, row| Cell::Text(email(world, at(world, row)))),
    Field::new("created_at", Kind::Time, USES, |world, row| Cell::Time(at(world, row).created)),
    Field::new("updated_at", Kind::Time, USES, |world, row| Cell::Time(at(world, row).updated)),
    Field::new("pool_year", Kind::Text, USES, |world, row| Cell::Text(at(world, row).year.to_string())),
    Field::new("pool_month", Kind::Text, USES, |world, row| Cell::from(month(at(world, row)))),
    Field::new("kind", Kind::Text, USES, |world, row| Cell::from(kind(at(world, row)))),
    Field::new("status", Kind::Text, USES, |_, _| Cell::Null),
    Field::new("primary_campus_id", Kind::Int, FILTER | SORT, |world, row| {
        let person = at(world, row);
        let campus = person.has_campus.then(|| &world.campuses[usize::from(person.campus)]);
        Cell::maybe_int(campus.map(|campus| i64::from(campus.id)))
    })
    .indexed(|world, id| {
        world.campus_row(id).map_or_else(Vec::new, |row| world.people.of_campus(row).to_vec())
    }),
    Field::new("first_name", Kind::Text, FILTER | SORT, |world, row| {
        Cell::Text(names_of(world, at(world, row)).first)
    }),
    Field::new("last_name", Kind::Text, FILTER | SORT, |world, row| {
        Cell::Text(names_of(world, at(world, row)).last)
    }),
    Field::new("alumni?", Kind::Bool, FILTER | SORT, |world, row| {
        Cell::Bool(at(world, row).role == Role::Alumnus)
    }),
    Field::new("staff?", Kind::Bool, FILTER | SORT, |world, row| {
        Cell::Bool(at(world, row).role == Role::Admin)
    }),
];
