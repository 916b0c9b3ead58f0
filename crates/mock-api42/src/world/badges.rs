//! `achievements_users`: flat pairs, those of alumni, strangers and people long deleted included.

use super::World;
use super::achievements::Achievement;
use super::person::{Person, Role};
use super::table::{Row, Table};
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{ALL, Cell, FILTER, Field, Kind, Parent, Resource};

#[derive(Clone, Debug)]
pub(crate) struct Badge {
    pub(crate) updated: i64,
    /// Seconds since 1970.
    pub(crate) created: u32,
    pub(crate) id: u32,
    /// Not a row: it may be nobody's.
    pub(crate) user_id: u32,
    /// Row of the achievement.
    pub(crate) achievement: u16,
    /// `u16::MAX` for null.
    pub(crate) count: u16,
}

impl Row for Badge {
    fn id(&self) -> u32 {
        self.id
    }

    fn user(&self) -> u32 {
        self.user_id
    }

    fn updated(&self) -> i64 {
        self.updated
    }

    fn set_id(&mut self, id: u32) {
        self.id = id;
    }
}

pub(crate) fn invent(seed: u64, people: &[Person], achievements: &[Achievement]) -> Table<Badge> {
    let mut rows = Vec::new();
    let mut give = |chance: &mut Chance, user_id: u32, since: i64, count: u64| {
        for _ in 0..count {
            let created = chance.between(since, END_OF_PAST.max(since + 1)).min(END_OF_PAST);
            let updated = (created + chance.between(0, 20 * DAY)).min(END_OF_PAST);
            let achievement = (chance.unit() * chance.unit() * achievements.len() as f64) as u16;
            let count = if chance.happens(0.6) { u16::MAX } else { chance.between(0, 40) as u16 };
            let created = (created / 1_000) as u32;
            rows.push(Badge { created, updated, id: 0, user_id, achievement, count });
        }
    };
    for person in people {
        let mut chance = Chance::of(seed, "badges", u64::from(person.id));
        let count = match person.role {
            Role::Student => chance.along(&[(0.0, 0.0), (0.5, 7.0), (0.95, 18.0), (1.0, 40.0)]) as u64,
            Role::Alumnus => chance.below(5),
            _ => chance.below(2),
        };
        give(&mut chance, person.id, person.created + 30 * DAY, count);
    }
    // Half a percent belongs to people whom the API does not know any more.
    for stranger in 0..people.len() as u64 / 60 + 1 {
        let mut chance = Chance::of(seed, "stranger", stranger);
        let user_id = 300 + chance.below(9_500) as u32;
        give(&mut chance, user_id, END_OF_PAST - 2_000 * DAY, 2);
    }
    rows.sort_unstable_by_key(|row| (row.created, row.user_id));
    Table::new(rows, 21, 4)
}

fn write(world: &World, row: u32, json: &mut Json) {
    let badge = at(world, row);
    let known = world.people.find_id(badge.user_id);
    let stranger = format!("3b3-{}", badge.user_id);
    let login = known.map_or(stranger.as_str(), |row| world.people.row(row).login.as_str());
    json.object(|json| {
        json.int("id", i64::from(badge.id));
        json.int("achievement_id", i64::from(world.achievements[usize::from(badge.achievement)].id));
        json.int("user_id", i64::from(badge.user_id));
        json.text("login", login);
        json.maybe_int("nbr_of_success", count(badge));
        json.text("url", &format!("{}/v2/users/{login}", world.base()));
        json.time("created_at", created(badge));
        json.time("updated_at", badge.updated);
    });
}

/// Never after the last update: the milliseconds are made up.
fn created(badge: &Badge) -> i64 {
    (i64::from(badge.created) * 1_000 + i64::from(badge.id % 1_000)).min(badge.updated)
}

fn count(badge: &Badge) -> Option<i64> {
    (badge.count != u16::MAX).then_some(i64::from(badge.count))
}

fn at(world: &World, row: u32) -> &Badge {
    world.badges.row(row)
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "achievements_users",
    fields: FIELDS,
    default_sort: &["-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[Parent {
        name: "achievements",
        belongs: |world, row, achievement| u32::from(at(world, row).achievement) == achievement,
        index: None,
    }],
    size: |world| world.badges.len(),
    listed: |world, row| !world.is_gone(at(world, row).user_id),
    find: |world, text| world.badges.find(text),
    search: None,
    write,
    write_alone: write,
    version: |world| world.structure,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))).indexed(
        |world, id| u32::try_from(id).ok().and_then(|id| world.badges.find_id(id)).into_iter().collect(),
    ),
    Field::new("user_id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).user_id)))
        .indexed(|world, id| u32::try_from(id).map_or_else(|_| Vec::new(), |id| world.badges.of_user(id))),
    Field::new("achievement_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(world.achievements[usize::from(at(world, row).achievement)].id))
    }),
    Field::new("nbr_of_success", Kind::Int, ALL, |world, row| Cell::maybe_int(count(at(world, row)))),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(created(at(world, row)))),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).updated))
        .since(|world, instant| world.badges.since(instant)),
    Field::new("rewarded", Kind::Bool, FILTER, |world, row| Cell::Bool(count(at(world, row)).is_some())),
];
