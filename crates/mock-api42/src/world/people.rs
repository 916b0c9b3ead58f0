//! Who there is: students, nearly three times as many alumni, some staff, some outside the main cursus.

use super::campus::Campus;
use super::names::{Names, letters, names};
use super::person::{Draft, Login, Person, Role, anonymise, draft, invent_person};
use crate::chance::Chance;
use std::collections::HashMap;

/// Everybody, in the order of their ids.
#[derive(Debug)]
pub(crate) struct People {
    seed: u64,
    pub(crate) rows: Vec<Person>,
    by_login: HashMap<Login, u32>,
    /// By row of the primary campus.
    by_campus: Vec<Vec<u32>>,
}

/// People per non-alumni student of the main cursus, by role.
const SHARES: [(Role, f64); 5] = [
    (Role::Student, 1.0),
    (Role::Alumnus, 2.8),
    (Role::Outside, 0.3),
    (Role::Admin, 0.005),
    (Role::External, 0.005),
];
impl People {
    pub(crate) fn invent(seed: u64, students: u32, without_campus: u32, campuses: &[Campus]) -> Self {
        let mut drafts = Vec::new();
        for (role, share) in SHARES {
            let count = (f64::from(students) * share).ceil() as u32;
            drafts.extend((0..count).map(|ordinal| draft(seed, role, ordinal)));
        }
        drafts.sort_by_key(|draft| draft.created);
        // A few ids disagree with the order of creation, and a few instants occur twice.
        for number in (1_999..drafts.len()).step_by(13_000) {
            drafts.swap(number - 1, number);
        }
        for number in (2_500..drafts.len()).step_by(40_000) {
            drafts[number].created = drafts[number - 1].created;
        }
        let weights: Vec<f64> = campuses.iter().map(|campus| campus.weight).collect();
        let by_campus = vec![Vec::new(); campuses.len()];
        let rows = Vec::with_capacity(drafts.len());
        let mut people = Self { seed, rows, by_login: HashMap::with_capacity(drafts.len()), by_campus };
        // Ids up to about 250,000, however many people there are.
        let gap = (240_000.0 / drafts.len().max(1) as f64 - 1.0).clamp(0.0, 40.0);
        let mut id = 10_230;
        for draft in drafts {
            let mut chance = Chance::of(seed, "id", people.rows.len() as u64);
            id += 1 + (chance.unit() * 2.0 * gap + chance.unit()) as u32;
            let row = people.add(id, &draft, &weights);
            if draft.role == Role::Student && draft.ordinal < without_campus {
                people.take_campus_from(row);
            }
        }
        people
    }

    /// Adds a person who has just registered; gives the row.
    pub(crate) fn newcomer(&mut self, campuses: &[Campus], now: i64) -> u32 {
        let id = self.rows.last().map_or(1, |last| last.id + 1);
        let weights: Vec<f64> = campuses.iter().map(|campus| campus.weight).collect();
        let draft = Draft { created: now, role: Role::Student, ordinal: u32::MAX, year: 2025, month: 12 };
        let row = self.add(id, &draft, &weights);
        let person = &mut self.rows[row as usize];
        (person.updated, person.wallet, person.points, person.active) = (now, 0, 5, true);
        row
    }

    fn add(&mut self, id: u32, draft: &Draft, weights: &[f64]) -> u32 {
        let row = self.rows.len() as u32;
        let mut chance = Chance::of(self.seed, "person", u64::from(id));
        let mut person = invent_person(&mut chance, id, draft);
        person.campus = chance.weighted(weights) as u8;
        person.login = self.free_login(&mut chance, &names(self.seed, id, person.oddity));
        if draft.role == Role::External && chance.happens(0.5) {
            anonymise(&mut person);
        }
        self.by_login.insert(person.login, row);
        self.by_campus[usize::from(person.campus)].push(row);
        self.rows.push(person);
        row
    }

    fn take_campus_from(&mut self, row: u32) {
        let person = &mut self.rows[row as usize];
        person.has_campus = false;
        self.by_campus[usize::from(person.campus)].retain(|other| *other != row);
    }

    /// A login nobody has: an initial and up to seven letters, as the school forms them.
    fn free_login(&self, chance: &mut Chance, names: &Names) -> Login {
        let (first, last) = (letters(&names.first), letters(&names.last));
        let longest = if chance.happens(0.001) { 9 + chance.below(7) as usize } else { 8 };
        let initial: String = first.chars().take(1).collect();
        let mut text: String = (initial + &last).chars().take(longest).collect();
        if chance.happens(0.2) {
            text.truncate(4 + chance.below(4) as usize);
        }
        if text.len() < 8 && chance.happens(0.08) {
            text.push('-');
        }
        if chance.happens(0.001) {
            text = text.replace('-', "_");
        }
        if chance.happens(0.000_6) {
            text.truncate(2);
        }
        while self.by_login.contains_key(&Login::new(&text)) {
            // Taken: another letter or, rarely, a digit at the end.
            text.truncate(text.len().min(longest).saturating_sub(1 + chance.below(2) as usize).max(1));
            let letters: &[u8] = if chance.happens(0.06) { b"23456789" } else { b"abcdefghijklmnoprstuvyz-" };
            while text.len() < longest {
                text.push(char::from(*chance.pick(letters)));
                if chance.happens(0.4) {
                    break;
                }
            }
        }
        Login::new(&text)
    }

    pub(crate) fn id(&self, row: u32) -> u32 {
        self.rows[row as usize].id
    }

    pub(crate) fn row(&self, row: u32) -> &Person {
        &self.rows[row as usize]
    }

    pub(crate) fn find_id(&self, id: u32) -> Option<u32> {
        self.rows.binary_search_by_key(&id, |person| person.id).ok().map(|row| row as u32)
    }

    /// The row of an id or login; people who vanished are not found.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let by_id = text.parse().ok().and_then(|id| self.find_id(id));
        let row = by_id.or_else(|| self.by_login.get(&Login::new(text)).copied())?;
        (!self.row(row).gone && text.len() <= 16).then_some(row)
    }

    pub(crate) fn of_campus(&self, campus: u32) -> &[u32] {
        self.by_campus.get(campus as usize).map_or(&[], Vec::as_slice)
    }

    /// Takes everything that names a person away: login `3b3-<id>`, no longer a student.
    pub(crate) fn anonymise(&mut self, row: u32) {
        let person = &mut self.rows[row as usize];
        self.by_login.remove(&person.login);
        anonymise(person);
        self.by_login.insert(person.login, row);
    }
}
