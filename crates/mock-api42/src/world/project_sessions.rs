//! Sessions of projects: who may do a project where, and under which rules.

use super::World;
use super::cursus::MAIN;
use super::project::Project;
use super::session_rules::rules;
use super::table::find_sorted;
use crate::chance::Chance;
use crate::json::Json;
use crate::resource::{ALL, Cell, FILTER, Field, Kind, LIVE, Parent, RANGE, Resource, SORT};

/// A session: its places are facts, the rest is invented from its id when somebody asks.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: u32,
    project: u32,
    campus: Option<u32>,
    in_cursus: bool,
}

/// All sessions in the order of their ids, and those of each project.
#[derive(Debug)]
pub(crate) struct Sessions {
    rows: Vec<Session>,
    by_project: Vec<Vec<u32>>,
}

impl Sessions {
    pub(crate) fn row(&self, row: u32) -> &Session {
        &self.rows[row as usize]
    }

    pub(crate) fn of_project(&self, project: u32) -> &[u32] {
        &self.by_project[project as usize]
    }

    /// The id of the session in which people of a campus do a project.
    pub(crate) fn id_for(&self, project: u32, campus: u32) -> u32 {
        let rows = || self.of_project(project).iter().map(|row| &self.rows[*row as usize]);
        let own = rows().find(|session| session.campus == Some(campus));
        own.or_else(|| rows().next()).map_or(0, |session| session.id)
    }
}

pub(crate) fn invent(seed: u64, projects: &[Project], main: u32, campuses: usize) -> Sessions {
    let mut rows = Vec::new();
    for (number, project) in projects.iter().enumerate() {
        let mut chance = Chance::of(seed, "sessions", number as u64);
        // 7,287 in the 538 projects of the main cursus (API42.md, section 6).
        let count = if project.cursus.contains(&main) {
            chance.along(&[(0.0, 1.0), (0.5, 11.0), (0.9, 26.0), (1.0, 59.0)]) as u64
        } else {
            1 + chance.below(5)
        };
        for _ in 0..count {
            let campus = (!chance.happens(0.25)).then(|| chance.below(campuses as u64) as u32);
            let in_cursus = !chance.happens(0.26);
            rows.push((chance.draw(), Session { id: 0, project: number as u32, campus, in_cursus }));
        }
    }
    rows.sort_by_key(|(order, _)| *order);
    let mut sessions =
        Sessions { rows: Vec::with_capacity(rows.len()), by_project: vec![Vec::new(); projects.len()] };
    for (number, (_, mut session)) in rows.into_iter().enumerate() {
        session.id = 3 + number as u32 * 2;
        sessions.by_project[session.project as usize].push(number as u32);
        sessions.rows.push(session);
    }
    sessions
}

pub(crate) fn write(world: &World, row: u32, json: &mut Json) {
    let (session, rules) = (at(world, row), rules(world, row));
    let mut chance = rules.chance;
    json.object(|json| {
        json.int("id", i64::from(session.id));
        json.flag("solo", rules.solo);
        json.maybe_time("begin_at", rules.begin);
        json.maybe_time("end_at", rules.end);
        json.maybe_text("estimate_time", rules.estimate.as_deref());
        json.maybe_int("difficulty", rules.difficulty);
        match &rules.objectives {
            Some(goals) => {
                json.key("objectives").array(|json| goals.iter().for_each(|goal| json.string(goal)))
            }
            None => json.null("objectives"),
        }
        json.maybe_text("description", rules.description.as_deref());
        json.maybe_int("duration_days", rules.duration);
        json.maybe_int("terminating_after", rules.terminating);
        json.int("project_id", i64::from(world.projects[session.project as usize].id));
        json.maybe_int("campus_id", campus_id(world, row));
        json.maybe_int("cursus_id", cursus_id(world, row));
        json.time("created_at", rules.created);
        json.time("updated_at", rules.updated);
        json.maybe_int("max_people", rules.max_people);
        json.flag("is_subscriptable", rules.subscriptable);
        write_scales(session.id, &mut chance, json);
        write_uploads(session.id, &mut chance, json);
        json.text("team_behaviour", rules.behaviour);
        json.maybe_text("commit", rules.commit.as_deref());
        json.maybe_int("minimum_mark", rules.minimum);
    });
}

fn write_scales(id: u32, chance: &mut Chance, json: &mut Json) {
    let count = if id % 701 == 3 { 68 } else { 1 + chance.below(3) };
    json.key("scales").array(|json| {
        for number in 0..count {
            json.object(|json| {
                json.int("id", i64::from(id) * 4 + number as i64);
                json.int("correction_number", if id.is_multiple_of(97) { -3 } else { chance.between(0, 8) });
                json.flag("is_primary", number == 0);
            });
        }
    });
}

fn write_uploads(id: u32, chance: &mut Chance, json: &mut Json) {
    json.key("uploads").array(|json| {
        if chance.happens(0.3) {
            json.object(|json| {
                json.int("id", i64::from(id) + 9);
                json.text(
                    "name",
                    chance.pick::<&str>(&["Moulinette", "Pandora", "Manual", "Unique_Evaluation"]),
                );
            });
        }
    });
}

fn at(world: &World, row: u32) -> &Session {
    world.sessions.row(row)
}

fn campus_id(world: &World, row: u32) -> Option<i64> {
    at(world, row).campus.map(|campus| i64::from(world.campuses[campus as usize].id))
}

fn cursus_id(world: &World, row: u32) -> Option<i64> {
    let session = at(world, row);
    let first = world.projects[session.project as usize].cursus.first();
    let id = first.map_or(MAIN, |row| world.cursus[*row as usize].id);
    session.in_cursus.then_some(i64::from(id))
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "project_sessions",
    fields: FIELDS,
    default_sort: &["-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[Parent {
        name: "projects",
        belongs: |world, row, project| at(world, row).project == project,
        index: Some(|world, project| world.sessions.of_project(project).to_vec()),
    }],
    size: |world| world.sessions.rows.len(),
    listed: |_, _| true,
    find: |world, text| find_sorted(&world.sessions.rows, |session| i64::from(session.id), text),
    search: None,
    write,
    write_alone: write,
    version: |_| 0,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))),
    Field::new("project_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(world.projects[at(world, row).project as usize].id))
    }),
    Field::new("campus_id", Kind::Int, ALL, |world, row| Cell::maybe_int(campus_id(world, row))),
    Field::new("cursus_id", Kind::Int, ALL, |world, row| Cell::maybe_int(cursus_id(world, row))),
    Field::new("estimate_time", Kind::Text, ALL, |world, row| {
        Cell::from(rules(world, row).estimate.as_deref())
    }),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(rules(world, row).created)),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(rules(world, row).updated)),
    Field::new("begin_at", Kind::Time, ALL, |world, row| Cell::maybe_time(rules(world, row).begin)),
    Field::new("end_at", Kind::Time, ALL, |world, row| Cell::maybe_time(rules(world, row).end)),
    Field::new("max_people", Kind::Int, ALL, |world, row| Cell::maybe_int(rules(world, row).max_people)),
    Field::new("duration_days", Kind::Int, ALL, |world, row| Cell::maybe_int(rules(world, row).duration)),
    Field::new("terminating_after", Kind::Int, ALL, |world, row| {
        Cell::maybe_int(rules(world, row).terminating)
    }),
    Field::new("solo", Kind::Bool, ALL, |world, row| Cell::Bool(rules(world, row).solo)),
    Field::new("is_subscriptable", Kind::Bool, ALL, |world, row| Cell::Bool(rules(world, row).subscriptable)),
    Field::new("team_behaviour", Kind::Text, ALL, |world, row| Cell::from(rules(world, row).behaviour)),
    Field::new("difficulty", Kind::Int, FILTER | SORT | RANGE, |world, row| {
        Cell::maybe_int(rules(world, row).difficulty)
    }),
    Field::new("future", Kind::Bool, FILTER | LIVE, |world, row| {
        Cell::Bool(rules(world, row).begin.is_some_and(|begin| begin > world.now()))
    }),
    Field::new("end", Kind::Bool, FILTER | LIVE, |world, row| {
        Cell::Bool(rules(world, row).end.is_some_and(|end| end <= world.now()))
    }),
    Field::new("minimum_mark", Kind::Int, SORT, |world, row| Cell::maybe_int(rules(world, row).minimum)),
    Field::new("commit", Kind::Text, SORT, |world, row| Cell::from(rules(world, row).commit.as_deref())),
    Field::new("description", Kind::Text, SORT, |world, row| {
        Cell::from(rules(world, row).description.as_deref())
    }),
    Field::new("objectives", Kind::Text, SORT, |world, row| {
        Cell::from(rules(world, row).objectives.map(|goals| goals.concat()).as_deref())
    }),
    Field::new("divisor", Kind::Int, SORT, |world, row| Cell::Int(i64::from(at(world, row).id % 3))),
];
