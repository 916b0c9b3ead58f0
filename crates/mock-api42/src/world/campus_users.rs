//! Which campuses a person belongs to: one primary, for a tenth of them a second one.

use super::World;
use super::person::Person;
use super::table::{Row, Table};
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{ALL, Cell, Field, Kind, Parent, Resource};

#[derive(Clone, Debug)]
pub(crate) struct CampusUser {
    pub(crate) id: u32,
    /// Row of the person.
    pub(crate) person: u32,
    /// Row of the campus.
    pub(crate) campus: u8,
    pub(crate) primary: bool,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
}

impl Row for CampusUser {
    fn id(&self) -> u32 {
        self.id
    }

    fn user(&self) -> u32 {
        self.person
    }

    fn updated(&self) -> i64 {
        updated(self)
    }

    fn set_id(&mut self, id: u32) {
        self.id = id;
    }
}

pub(crate) fn invent(seed: u64, people: &[Person], campuses: usize) -> Table<CampusUser> {
    let mut rows = Vec::with_capacity(people.len() + people.len() / 8);
    for (number, person) in people.iter().enumerate().filter(|(_, person)| person.has_campus) {
        let mut chance = Chance::of(seed, "campus_users", u64::from(person.id));
        let person_row = number as u32;
        rows.push(CampusUser {
            id: 0,
            person: person_row,
            campus: person.campus,
            primary: true,
            created: person.created + 41,
        });
        let other = chance.below(campuses as u64) as u8;
        if other != person.campus && chance.happens(0.1) {
            let created = (person.created + chance.between(DAY, 900 * DAY)).min(END_OF_PAST - DAY);
            rows.push(CampusUser { id: 0, person: person_row, campus: other, primary: false, created });
        }
    }
    rows.sort_by_key(|row| row.created);
    Table::new(rows, 11, 2)
}

const fn updated(place: &CampusUser) -> i64 {
    place.created + 60_003
}

pub(crate) fn write(world: &World, row: u32, json: &mut Json) {
    let place = at(world, row);
    json.object(|json| {
        json.int("id", i64::from(place.id));
        json.int("user_id", i64::from(world.people.id(place.person)));
        json.int("campus_id", i64::from(world.campuses[usize::from(place.campus)].id));
        json.flag("is_primary", place.primary);
        json.time("created_at", place.created);
        json.time("updated_at", updated(place));
    });
}

fn at(world: &World, row: u32) -> &CampusUser {
    world.campus_users.row(row)
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "campus_users",
    fields: FIELDS,
    default_sort: &["-created_at", "-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[Parent {
        name: "users",
        belongs: |world, row, user| at(world, row).person == user,
        index: Some(|world, user| world.campus_users.of_user(user)),
    }],
    size: |world| world.campus_users.len(),
    listed: |world, row| world.is_there(at(world, row).person),
    find: |world, text| world.campus_users.find(text),
    search: None,
    write,
    write_alone: write,
    version: |world| world.structure,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))).indexed(
        |world, id| {
            u32::try_from(id).ok().and_then(|id| world.campus_users.find_id(id)).into_iter().collect()
        },
    ),
    Field::new("user_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(world.people.id(at(world, row).person)))
    })
    .indexed(|world, id| world.person_row(id).map_or_else(Vec::new, |user| world.campus_users.of_user(user))),
    Field::new("campus_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(world.campuses[usize::from(at(world, row).campus)].id))
    }),
    Field::new("is_primary", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).primary)),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created)),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(updated(at(world, row))))
        .since(|world, instant| world.campus_users.since(instant)),
];
