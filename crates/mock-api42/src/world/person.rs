//! One person: the facts that move, and how they are invented.

use super::names::Oddity;
use crate::chance::Chance;
use crate::moment::{DAY, END_OF_PAST, HOUR, day_of};

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
    /// Without one, `campus` says only whose coalitions are joined.
    pub(crate) has_campus: bool,
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

pub(super) fn anonymise(person: &mut Person) {
    person.login = Login::new(&format!("3b3-{}", person.id));
    (person.role, person.anonymised, person.pictured) = (Role::External, true, false);
    (person.seat, person.active, person.oddity) = (0, false, Oddity::None);
}

/// What has to be known of people before they can stand in a row.
pub(super) struct Draft {
    pub(super) created: i64,
    pub(super) role: Role,
    pub(super) ordinal: u32,
    pub(super) year: u16,
    pub(super) month: u8,
}

pub(super) fn draft(seed: u64, role: Role, ordinal: u32) -> Draft {
    let mut chance = Chance::of(seed, "draft", u64::from(ordinal) * 8 + role as u64);
    let years = if role == Role::Student { &STUDENT_YEARS } else { &OTHER_YEARS };
    let year = 2013 + chance.weighted(years) as u16;
    let month = 1 + chance.weighted(&MONTHS) as u8;
    let pool = day_of(i32::from(year), u32::from(month), 1) * DAY;
    let created = pool - chance.between(HOUR, 90 * DAY);
    let latest = END_OF_PAST - chance.between(DAY, 60 * DAY);
    Draft { created: created.min(latest), role, ordinal, year, month }
}

pub(super) fn invent_person(chance: &mut Chance, id: u32, draft: &Draft) -> Person {
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
        // Three years after the last activity.
        erasure: (updated / DAY + 1_096) as u16,
        year: draft.year,
        month: draft.month,
        campus: 0,
        has_campus: true,
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
