//! `coalitions_users`: flat, with a score and a rank that are computed and do not move `updated_at`.

use super::World;
use super::coalitions::{Bloc, Coalition, UNLISTED};
use super::person::{Person, Role};
use super::table::{Row, Table};
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{ALL, Cell, Field, Kind, Parent, Resource};
use std::collections::HashMap;

#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) id: u32,
    /// Not a row: it may be nobody's.
    pub(crate) user_id: u32,
    /// Not a row: it may point at a coalition that no list shows.
    pub(crate) coalition_id: u32,
    pub(crate) score: i32,
    pub(crate) rank: u32,
}

impl Row for Membership {
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

/// The coalitions that people of a campus can be in, by row of the campus.
pub(crate) fn choices(blocs: &[Bloc], coalitions: &[Coalition], campuses: usize) -> Vec<Vec<u32>> {
    let mut choices = vec![Vec::new(); campuses];
    for coalition in coalitions {
        if let Some(bloc) = coalition.bloc {
            choices[blocs[bloc as usize].campus as usize].push(coalition.id);
        }
    }
    choices
}

pub(crate) fn invent(seed: u64, people: &[Person], choices: &[Vec<u32>]) -> Table<Membership> {
    let mut rows = Vec::new();
    for person in people {
        let mut chance = Chance::of(seed, "memberships", u64::from(person.id));
        let share = match person.role {
            Role::Student => 0.95,
            Role::Alumnus => 0.42,
            _ => 0.05,
        };
        let choice = &choices[usize::from(person.campus)];
        let mut taken = Vec::new();
        for turn in 0..2 {
            let wanted = if turn == 0 { share } else { share * 0.15 };
            let id =
                if chance.happens(0.004) { *chance.pick(&UNLISTED) } else { pick_or(&mut chance, choice) };
            if chance.happens(wanted) && !taken.contains(&id) {
                taken.push(id);
                rows.push(invent_one(&mut chance, person.id, person.created, id));
            }
        }
    }
    // Somebody is in a coalition that no list shows, however small the world is.
    if let Some(person) = people.first() {
        let mut chance = Chance::of(seed, "unlisted", 0);
        rows.push(invent_one(&mut chance, person.id, person.created, UNLISTED[0]));
    }
    for stranger in 0..people.len() as u64 / 300 + 1 {
        let mut chance = Chance::of(seed, "stranger in a coalition", stranger);
        let user_id = 300 + chance.below(9_500) as u32;
        let id = pick_or(&mut chance, &choices[0]);
        rows.push(invent_one(&mut chance, user_id, END_OF_PAST - 2_000 * DAY, id));
    }
    rank_all(&mut rows);
    rows.sort_by_key(|row| (row.created, row.user_id));
    Table::new(rows, 31, 3)
}

fn pick_or(chance: &mut Chance, choice: &[u32]) -> u32 {
    if choice.is_empty() { UNLISTED[0] } else { *chance.pick(choice) }
}

fn invent_one(chance: &mut Chance, user_id: u32, since: i64, coalition_id: u32) -> Membership {
    let created = (since + chance.between(40 * DAY, 300 * DAY)).min(END_OF_PAST - DAY);
    let updated = created + chance.between(0, DAY);
    let score = chance.along(&[(0.0, -500.0), (0.02, 0.0), (0.3, 0.0), (0.8, 900.0), (1.0, 30_000.0)]) as i32;
    Membership { created, updated, id: 0, user_id, coalition_id, score, rank: 0 }
}

/// The best score of a coalition has rank 1.
fn rank_all(rows: &mut [Membership]) {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|row| (rows[*row as usize].coalition_id, -rows[*row as usize].score));
    let mut seen: HashMap<u32, u32> = HashMap::new();
    for row in order {
        let member = &mut rows[row as usize];
        let rank = seen.entry(member.coalition_id).or_default();
        *rank += 1;
        member.rank = *rank;
    }
}

/// Somebody who joins now, without a score and so at the end.
pub(crate) fn fresh(world: &World, user_id: u32, coalition_id: u32, now: i64) -> Membership {
    let rows = (0..world.memberships.len() as u32).map(|row| at(world, row));
    let rank = 1 + rows.filter(|member| member.coalition_id == coalition_id).count() as u32;
    Membership { created: now, updated: now, id: 0, user_id, coalition_id, score: 0, rank }
}

impl Table<Membership> {
    /// Adds to a score and ranks the coalition anew. No date moves: scores and ranks are computed.
    pub(crate) fn score(&mut self, row: u32, points: i32) {
        self.row_silently(row).score += points;
        let coalition = self.row(row).coalition_id;
        let mut rows: Vec<u32> =
            (0..self.len() as u32).filter(|row| self.row(*row).coalition_id == coalition).collect();
        rows.sort_by_key(|row| -self.row(*row).score);
        for (place, row) in rows.into_iter().enumerate() {
            self.row_silently(row).rank = place as u32 + 1;
        }
    }
}

fn write(world: &World, row: u32, json: &mut Json) {
    let member = at(world, row);
    json.object(|json| {
        json.int("id", i64::from(member.id));
        json.int("coalition_id", i64::from(member.coalition_id));
        json.int("user_id", i64::from(member.user_id));
        json.int("score", i64::from(member.score));
        json.int("rank", i64::from(member.rank));
        json.time("created_at", member.created);
        json.time("updated_at", member.updated);
    });
}

fn at(world: &World, row: u32) -> &Membership {
    world.memberships.row(row)
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "coalitions_users",
    fields: FIELDS,
    default_sort: &["-created_at", "-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[
        Parent {
            name: "coalitions",
            belongs: |world, row, coalition| {
                world.coalitions[coalition as usize].id == at(world, row).coalition_id
            },
            index: None,
        },
        Parent {
            name: "users",
            belongs: |world, row, user| world.people.id(user) == at(world, row).user_id,
            index: Some(|world, user| world.memberships.of_user(world.people.id(user))),
        },
    ],
    size: |world| world.memberships.len(),
    listed: |world, row| !world.is_gone(at(world, row).user_id),
    find: |world, text| world.memberships.find(text),
    search: None,
    write,
    write_alone: write,
    version: |world| world.structure,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))).indexed(
        |world, id| u32::try_from(id).ok().and_then(|id| world.memberships.find_id(id)).into_iter().collect(),
    ),
    Field::new("coalition_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(at(world, row).coalition_id))
    }),
    Field::new("user_id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).user_id))).indexed(
        |world, id| u32::try_from(id).map_or_else(|_| Vec::new(), |id| world.memberships.of_user(id)),
    ),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created)),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).updated))
        .since(|world, instant| world.memberships.since(instant)),
    Field::new("this_year_score", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).score))),
    Field::new("this_year_score_updated_at", Kind::Time, ALL, |world, row| {
        Cell::Time(at(world, row).updated)
    }),
];
