//! 1,700 projects, 538 of them in the main cursus, each with dozens of campuses written out in full.

use super::cursus::{MAIN, PISCINE};
use super::table::find_sorted;
use super::{World, campus, cursus, project_sessions};
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::{DAY, END_OF_PAST};
use crate::resource::{ALL, Cell, Field, Kind, Parent, Resource};
use std::collections::HashSet;

#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) slug: Option<String>,
    difficulty: Option<i64>,
    pub(crate) parent: Option<u32>,
    children: Vec<u32>,
    pub(crate) exam: bool,
    repository: Option<String>,
    /// Rows of cursus.
    pub(crate) cursus: Vec<u32>,
    /// One bit per id of cursus.
    pub(crate) cursus_ids: u128,
    /// One bit per row of campus.
    campuses: u128,
    position: i64,
    created: i64,
    updated: i64,
}

const COUNT: u32 = 1_700;
const IN_MAIN: u32 = 538;
/// Of those in the main cursus, how many have no slug.
const WITHOUT_SLUG: u32 = 52;

pub(crate) fn invent(seed: u64, cursus: &[cursus::Cursus], campuses: usize) -> Vec<Project> {
    let row_of = |id| cursus.iter().position(|cursus| cursus.id == id).unwrap_or(0) as u32;
    let (main, piscine) = (row_of(MAIN), row_of(PISCINE));
    let mut order: Vec<u32> = (0..COUNT).collect();
    order.sort_by_key(|number| Chance::of(seed, "project order", u64::from(*number)).draw());
    let mut place = vec![0; COUNT as usize];
    for (rank, number) in order.iter().enumerate() {
        place[*number as usize] = rank as u32;
    }
    let mut rows: Vec<Project> = Vec::with_capacity(COUNT as usize);
    let mut slugs = HashSet::new();
    let mut id = 2;
    for number in 0..COUNT {
        let mut chance = Chance::of(seed, "project", u64::from(number));
        id += 1 + chance.weighted(&[0.6, 0.26, 0.14]) as u32;
        let homes = match place[number as usize] {
            rank if rank < IN_MAIN => invent_homes(&mut chance, cursus, Some(main)),
            rank if rank < IN_MAIN + 90 => vec![piscine],
            _ => invent_homes(&mut chance, cursus, None),
        };
        let slugless = place[number as usize] < WITHOUT_SLUG;
        let mut row = invent_one(&mut chance, number, id, homes);
        row.cursus_ids = row.cursus.iter().fold(0, |ids, home| ids | 1 << cursus[*home as usize].id);
        row.campuses = invent_campuses(&mut chance, campuses, row.cursus.contains(&main));
        row.slug = (!slugless).then(|| unique_slug(&row, &mut slugs));
        rows.push(row);
    }
    link(&mut rows);
    rows
}

/// The rows of up to five cursus: the main one, if it is given, and others.
fn invent_homes(chance: &mut Chance, cursus: &[cursus::Cursus], main: Option<u32>) -> Vec<u32> {
    let others = if main.is_some() { u64::from(chance.happens(0.15)) } else { chance.below(5) };
    let mut homes: Vec<u32> = (0..others).map(|_| chance.below(cursus.len() as u64) as u32).collect();
    homes.retain(|row| cursus[*row as usize].id != MAIN);
    homes.extend(main);
    homes.sort_unstable();
    homes.dedup();
    homes
}

fn invent_one(chance: &mut Chance, number: u32, id: u32, homes: Vec<u32>) -> Project {
    let created = END_OF_PAST - (3_900 - i64::from(number) * 2) * DAY + chance.between(0, DAY);
    let hosted = !chance.happens(0.515);
    Project {
        id,
        name: invent_name(chance, number),
        slug: None,
        difficulty: (!chance.happens(0.093))
            .then(|| chance.along(&[(0.0, 0.0), (0.5, 1_000.0), (0.95, 25_000.0), (1.0, 180_000.0)]) as i64),
        parent: (number > 8 && chance.happens(0.38)).then(|| chance.below(u64::from(number)) as u32),
        children: Vec::new(),
        exam: chance.happens(0.032),
        repository: hosted.then(|| chance.below(9_999).to_string()),
        cursus: homes,
        cursus_ids: 0,
        campuses: 0,
        position: chance.between(0, 99),
        created,
        updated: created + chance.between(DAY, (END_OF_PAST - created).max(2 * DAY)),
    }
}

fn invent_name(chance: &mut Chance, number: u32) -> String {
    const HEADS: [&str; 16] = [
        "ft_glacier",
        "Minivole",
        "Push_tower",
        "Fract'ombre",
        "Netlune",
        "CPP Atelier",
        "Exam Rank",
        "C Module",
        "Shell",
        "webherd",
        "ft_écluse",
        "Day",
        "Rush",
        "Taskmoth",
        "Inception & Co",
        "Part <A>",
    ];
    if number == 40 {
        return "X".to_owned();
    }
    let name = match chance.below(3) {
        0 => format!("{} {:02}", chance.pick(&HEADS), chance.below(43)),
        1 => {
            format!("{} - {}", chance.pick(&HEADS), chance.pick(&["bonus", "old", "2.0", "Project Évolutif"]))
        }
        _ => format!("{}_{}", chance.pick(&HEADS), chance.below(700)),
    };
    match number % 89 {
        13 => format!("{name} "),
        77 => format!(" {name}"),
        _ => name,
    }
}

fn unique_slug(project: &Project, taken: &mut HashSet<String>) -> String {
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' }
    };
    let base: String = project.name.trim().chars().map(plain).collect();
    let slug = if taken.contains(&base) { format!("{base}-{}", project.id) } else { base };
    taken.insert(slug.clone());
    slug
}

/// About fifty for a project of the main cursus, a handful for others.
fn invent_campuses(chance: &mut Chance, campuses: usize, in_main: bool) -> u128 {
    let quantiles: &[(f64, f64)] =
        if in_main { &[(0.0, 0.0), (0.15, 0.4), (0.4, 0.7), (1.0, 0.94)] } else { &[(0.0, 0.0), (1.0, 0.2)] };
    let share = chance.along(quantiles);
    let mut mask = 1;
    for row in 1..campuses {
        if chance.happens(share) {
            mask |= 1 << row;
        }
    }
    mask
}

/// Gives parents their children. Some parents stand in no list of the child's cursus, as in reality.
fn link(rows: &mut [Project]) {
    for number in 0..rows.len() {
        if let Some(parent) = rows[number].parent {
            rows[parent as usize].children.push(number as u32);
        }
    }
}

/// What a project shows of another one.
fn write_relative(world: &World, row: u32, json: &mut Json) {
    let project = at(world, row);
    json.object(|json| {
        json.text("name", &project.name);
        json.int("id", i64::from(project.id));
        json.maybe_text("slug", project.slug.as_deref());
        json.text("url", &format!("{}/v2/projects/{}", world.base(), project.id));
    });
}

fn write(world: &World, row: u32, json: &mut Json) {
    let project = at(world, row);
    json.object(|json| {
        json.int("id", i64::from(project.id));
        json.text("name", &project.name);
        json.maybe_text("slug", project.slug.as_deref());
        json.maybe_int("difficulty", project.difficulty);
        match project.parent {
            Some(parent) => write_relative(world, parent, json.key("parent")),
            None => json.null("parent"),
        }
        json.key("children").array(|json| {
            project.children.iter().take(32).for_each(|child| write_relative(world, *child, json));
        });
        json.empty_array("attachments");
        json.time("created_at", project.created);
        json.time("updated_at", project.updated);
        json.flag("exam", project.exam);
        json.maybe_int("git_id", project.repository.as_ref().map(|_| 1));
        json.maybe_text("repository", project.repository.as_deref());
        json.text("recommendation", "forbidden");
        json.key("cursus")
            .array(|json| project.cursus.iter().for_each(|row| cursus::write(world, *row, json)));
        json.key("campus").array(|json| write_campuses(world, project.campuses, json));
        json.empty_array("videos");
        json.key("project_sessions").array(|json| {
            world
                .sessions
                .of_project(row)
                .iter()
                .for_each(|session| project_sessions::write(world, *session, json));
        });
    });
}

fn write_campuses(world: &World, campuses: u128, json: &mut Json) {
    let rows = (0..world.campuses.len() as u32).filter(|row| campuses & (1 << row) != 0);
    rows.for_each(|row| campus::write_at(world, row, json, true));
}

fn at(world: &World, row: u32) -> &Project {
    &world.projects[row as usize]
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "projects",
    fields: FIELDS,
    default_sort: &["position", "-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[
        Parent {
            name: "cursus",
            belongs: |world, row, cursus| at(world, row).cursus.contains(&cursus),
            index: None,
        },
        Parent {
            name: "projects",
            belongs: |world, row, parent| at(world, row).parent == Some(parent),
            index: None,
        },
    ],
    size: |world| world.projects.len(),
    listed: |_, _| true,
    find: |world, text| {
        let slug = Some(text);
        let by_slug = || {
            world.projects.iter().position(|project| project.slug.as_deref() == slug).map(|row| row as u32)
        };
        find_sorted(&world.projects, |project| i64::from(project.id), text).or_else(by_slug)
    },
    search: None,
    write,
    write_alone: write,
    version: |_| 0,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))),
    Field::new("name", Kind::Text, ALL, |world, row| Cell::from(at(world, row).name.as_str())),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created)),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).updated)),
    Field::new("visible", Kind::Bool, ALL, |_, _| Cell::Bool(true)),
    Field::new("exam", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).exam)),
    Field::new("parent_id", Kind::Int, ALL, |world, row| {
        Cell::maybe_int(at(world, row).parent.map(|parent| i64::from(at(world, parent).id)))
    }),
    Field::new("slug", Kind::Text, ALL, |world, row| Cell::from(at(world, row).slug.as_deref())),
    Field::new("inherited_team", Kind::Bool, ALL, |_, _| Cell::Bool(false)),
    Field::new("position", Kind::Int, ALL, |world, row| Cell::Int(at(world, row).position)),
    Field::new("has_git", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).repository.is_some())),
    Field::new("has_mark", Kind::Bool, ALL, |_, _| Cell::Bool(true)),
    Field::new("description", Kind::Text, ALL, |_, _| Cell::Null),
    Field::new("difficulty", Kind::Int, ALL, |world, row| Cell::maybe_int(at(world, row).difficulty)),
];
