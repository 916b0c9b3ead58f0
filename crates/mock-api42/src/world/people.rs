//! Who there is: students, nearly three times as many alumni, some staff, some outside the main cursus.

use super::campus::Campus;
use super::names::{Names, Oddity, letters, names};
use crate::chance::Chance;
use crate::moment::{DAY, END_OF_PAST, HOUR, day_of};
use std::collections::HashMap;

/// The facts of a person that move; names and texts are invented again from the id whenever they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) wallet: i32,
    pub(crate) points: i32,
    /// Seconds since 1970; 0 for people who are not alumni.
    pub(crate) alumnized: u32,
    pub(crate) id: u32,
    pub(crate) login: Login,
    /// 0 for nobody at a desk, else a seat of the campus.
    pub(crate) seat: u16,
    /// Days since 1970.
    pub(crate) erasure: u16,
    pub(crate) year: u16,
    /// 1 to 12.
    pub(crate) month: u8,
    /// Row of the primary campus.
    pub(crate) campus: u8,
    pub(crate) role: Role,
    pub(crate) oddity: Oddity,
    pub(crate) active: bool,
    pub(crate) pictured: bool,
    pub(crate) anonymised: bool,
    /// Vanished: in no list any more.
    pub(crate) gone: bool,
}

/// What a person is to the school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Student,
    Alumnus,
    /// A student of a piscine who never came to the main cursus.
    Outside,
    Admin,
    External,
}

/// A login of up to 16 bytes, kept in place: there are very many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Login([u8; 16]);

impl Login {
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = [0; 16];
        for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        Self(bytes)
    }

    pub(crate) fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).unwrap_or("")
    }
}

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
/// Pool years from 2013 on: of the students as DATA.md section 1 counts them, of the rest guessed.
const STUDENT_YEARS: [f64; 13] =
    [9.0, 7.0, 12.0, 32.0, 120.0, 150.0, 845.0, 1140.0, 3895.0, 7437.0, 9287.0, 9995.0, 7412.0];
const OTHER_YEARS: [f64; 13] =
    [500.0, 700.0, 900.0, 1200.0, 1800.0, 2500.0, 4000.0, 5000.0, 7000.0, 8000.0, 6000.0, 3000.0, 500.0];
const MONTHS: [f64; 12] =
    [1788.0, 4197.0, 3150.0, 1408.0, 1225.0, 2524.0, 7608.0, 6825.0, 5653.0, 2791.0, 2027.0, 1145.0];
/// Hours since the last update, DATA.md section 4.
const AGES: [(f64, f64); 8] = [
    (0.0, 0.01),
    (0.004, 1.0),
    (0.047, 6.0),
    (0.167, 24.0),
    (0.317, 168.0),
    (0.495, 720.0),
    (0.8, 8_760.0),
    (1.0, 35_000.0),
];

impl People {
    pub(crate) fn invent(seed: u64, students: u32, campuses: &[Campus]) -> Self {
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
        let step = (240_000 / drafts.len().max(1) as u32).clamp(1, 40);
        let mut id = 10_230;
        for draft in drafts {
            let mut chance = Chance::of(seed, "id", people.rows.len() as u64);
            id += 1 + chance.below(u64::from(2 * step - 1)) as u32;
            people.add(id, &draft, &weights);
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

    /// A login nobody has: an initial and up to seven letters, as the school forms them.
    fn free_login(&self, chance: &mut Chance, names: &Names) -> Login {
        let (first, last) = (letters(&names.first), letters(&names.last));
        let longest = if chance.happens(0.001) { 9 + chance.below(7) as usize } else { 8 };
        let initial: String = first.chars().take(1).collect();
        let mut text: String = (initial + &last).chars().take(longest).collect();
        if text.len() < 8 && chance.happens(0.12) {
            text.push('-');
        }
        if chance.happens(0.000_1) {
            text = text.replace('-', "_");
        }
        if chance.happens(0.000_6) {
            text.truncate(2);
        }
        while self.by_login.contains_key(&Login::new(&text)) {
            // Taken: another letter or, rarely, a digit at the end.
            text.truncate(text.len().min(longest).saturating_sub(1 + chance.below(2) as usize).max(1));
            let letters: &[u8] = if chance.happens(0.01) { b"23456789" } else { b"abcdefghijklmnoprstuvyz-" };
            while text.len() < longest {
                text.push(char::from(*chance.pick(letters)));
                if chance.happens(0.15) {
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

fn anonymise(person: &mut Person) {
    person.login = Login::new(&format!("3b3-{}", person.id));
    (person.role, person.anonymised, person.pictured) = (Role::External, true, false);
    (person.seat, person.active, person.oddity) = (0, false, Oddity::None);
}

/// What has to be known of people before they can stand in a row.
struct Draft {
    created: i64,
    role: Role,
    ordinal: u32,
    year: u16,
    month: u8,
}

fn draft(seed: u64, role: Role, ordinal: u32) -> Draft {
    let mut chance = Chance::of(seed, "draft", u64::from(ordinal) * 8 + role as u64);
    let years = if role == Role::Student { &STUDENT_YEARS } else { &OTHER_YEARS };
    let year = 2013 + chance.weighted(years) as u16;
    let month = 1 + chance.weighted(&MONTHS) as u8;
    let pool = day_of(i32::from(year), u32::from(month), 1) * DAY;
    let created = pool - chance.between(HOUR, 90 * DAY);
    let latest = END_OF_PAST - chance.between(DAY, 60 * DAY);
    Draft { created: created.min(latest), role, ordinal, year, month }
}

fn invent_person(chance: &mut Chance, id: u32, draft: &Draft) -> Person {
    let student = (draft.role == Role::Student).then_some(draft.ordinal);
    let updated = (END_OF_PAST - (chance.along(&AGES) * HOUR as f64) as i64).max(draft.created);
    let active_share = match draft.year {
        2025 => 0.78,
        2024 => 0.55,
        2023 => 0.43,
        2021 | 2022 => 0.365,
        _ => 0.25,
    };
    let alumnized = (draft.role == Role::Alumnus).then(|| chance.between(draft.created, END_OF_PAST) / 1_000);
    let active = chance.happens(active_share);
    Person {
        created: draft.created,
        updated,
        wallet: invent_wallet(chance, student),
        points: invent_points(chance, student),
        alumnized: alumnized.unwrap_or(0) as u32,
        id,
        login: Login::new(""),
        seat: if active && chance.happens(0.036) { 1 + chance.below(60_000) as u16 } else { 0 },
        // Three years after the last activity, and nobody is overdue.
        erasure: (updated / DAY + 1_095).max(END_OF_PAST / DAY) as u16,
        year: draft.year,
        month: draft.month,
        campus: 0,
        role: draft.role,
        oddity: Oddity::invent(chance, student),
        active,
        pictured: !chance.happens(0.027),
        anonymised: false,
        gone: false,
    }
}

fn invent_wallet(chance: &mut Chance, student: Option<u32>) -> i32 {
    const WALLETS: [(f64, f64); 7] = [
        (0.0, 0.0),
        (0.097, 0.9),
        (0.5, 45.0),
        (0.9, 650.0),
        (0.99, 2_095.0),
        (0.999, 7_546.0),
        (1.0, 30_000.0),
    ];
    match student {
        Some(30) => 827_942_872,
        Some(33) => -19_100,
        _ if chance.happens(0.000_07) => chance.between(1_000_000, 40_000_000) as i32,
        _ if chance.happens(0.000_35) => -(chance.between(1, 900) as i32),
        _ => chance.along(&WALLETS) as i32,
    }
}

fn invent_points(chance: &mut Chance, student: Option<u32>) -> i32 {
    const POINTS: [(f64, f64); 8] = [
        (0.0, -4_000.0),
        (0.01, -1_003.0),
        (0.054, -0.5),
        (0.152, 0.9),
        (0.5, 4.0),
        (0.99, 37.0),
        (0.999, 300.0),
        (1.0, 1_027.0),
    ];
    if student == Some(36) { -6_497 } else { chance.along(&POINTS) as i32 }
}
