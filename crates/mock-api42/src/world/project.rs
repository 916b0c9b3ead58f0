//! One project, and how 1,700 of them are invented.

use super::cursus::{Cursus, MAIN, PISCINE};
use crate::chance::Chance;
use crate::moment::{DAY, END_OF_PAST};
use std::collections::HashSet;

#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) slug: Option<String>,
    pub(crate) difficulty: Option<i64>,
    pub(crate) parent: Option<u32>,
    pub(crate) children: Vec<u32>,
    pub(crate) exam: bool,
    pub(crate) repository: Option<String>,
    /// Rows of cursus.
    pub(crate) cursus: Vec<u32>,
    /// One bit per id of cursus.
    pub(crate) cursus_ids: u128,
    /// One bit per row of campus.
    pub(crate) campuses: u128,
    pub(crate) position: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

const COUNT: u32 = 1_700;
const IN_MAIN: u32 = 538;
/// Of those in the main cursus, how many have no slug.
const WITHOUT_SLUG: u32 = 52;

pub(crate) fn invent(seed: u64, cursus: &[Cursus], campuses: usize) -> Vec<Project> {
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
fn invent_homes(chance: &mut Chance, cursus: &[Cursus], main: Option<u32>) -> Vec<u32> {
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
