//! One enrolment, small because there are more than a million of them.

use super::person::{Person, Role};
use super::project::Project;
use super::table::{Row, Table};
use crate::chance::Chance;
use crate::moment::{DAY, END_OF_PAST};

/// An enrolment, small because there are more than a million of them.
#[derive(Clone, Debug)]
pub(crate) struct Enrolment {
    pub(crate) updated: i64,
    /// Seconds since 1970.
    pub(crate) created: u32,
    /// Seconds since 1970; 0 while it is not marked.
    pub(crate) marked: u32,
    pub(crate) id: u32,
    /// Row of the person.
    pub(crate) person: u32,
    /// Row of the project.
    pub(crate) project: u16,
    /// [`NO_MARK`] for none.
    pub(crate) mark: i16,
    pub(crate) status: Status,
    pub(crate) occurrence: u8,
}

pub(crate) const NO_MARK: i16 = i16::MIN;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Finished,
    InProgress,
    SearchingAGroup,
    CreatingGroup,
    WaitingForCorrection,
    Parent,
}

impl Status {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::InProgress => "in_progress",
            Self::SearchingAGroup => "searching_a_group",
            Self::CreatingGroup => "creating_group",
            Self::WaitingForCorrection => "waiting_for_correction",
            Self::Parent => "parent",
        }
    }
}

impl Row for Enrolment {
    fn id(&self) -> u32 {
        self.id
    }

    fn user(&self) -> u32 {
        self.person
    }

    fn updated(&self) -> i64 {
        self.updated
    }

    fn set_id(&mut self, id: u32) {
        self.id = id;
    }
}

impl Enrolment {
    /// The teams that have tried so far: one for each attempt, none before there is a group.
    pub(crate) fn teams(&self) -> u32 {
        match self.status {
            Status::CreatingGroup | Status::SearchingAGroup | Status::Parent => 0,
            _ => u32::from(self.occurrence) + 1,
        }
    }

    /// Never after the last update: the milliseconds are made up.
    pub(crate) fn created_at(&self) -> i64 {
        (i64::from(self.created) * 1_000 + i64::from(self.id % 1_000)).min(self.updated)
    }

    pub(crate) fn marked_at(&self) -> Option<i64> {
        (self.marked > 0).then(|| i64::from(self.marked) * 1_000 + i64::from(self.id % 1_000))
    }

    pub(crate) fn retriable_at(&self) -> Option<i64> {
        self.marked_at().map(|marked| marked + i64::from(self.occurrence) * 2 * DAY)
    }

    pub(crate) fn validated(&self) -> Option<bool> {
        (self.marked > 0).then_some(self.mark >= 80)
    }
}

/// The projects that people of the main cursus do, and those of the piscine.
pub(crate) fn invent(
    seed: u64,
    people: &[Person],
    projects: &[Project],
    main: u32,
    piscine: u32,
) -> Table<Enrolment> {
    let of = |cursus| -> Vec<u16> {
        let rows = projects.iter().enumerate().filter(|(_, project)| project.cursus.contains(&cursus));
        rows.map(|(row, _)| row as u16).collect()
    };
    let (main, piscine) = (of(main), of(piscine));
    let mut counts = people.iter().map(|person| count(seed, person)).collect::<Vec<_>>();
    let mut rows = Vec::with_capacity(counts.iter().map(|count| usize::from(*count)).sum());
    for (number, person) in people.iter().enumerate() {
        let mut chance = Chance::of(seed, "enrolments", u64::from(person.id));
        for turn in 0..std::mem::take(&mut counts[number]) {
            let in_piscine = person.role == Role::Outside || turn % 10 == 9;
            let choice = if in_piscine { &piscine } else { &main };
            // The early projects of a cursus are done by everybody, the late ones by few.
            let reach = (chance.unit() * chance.unit() * choice.len() as f64) as usize;
            rows.push(invent_one(&mut chance, number as u32, person, choice[reach]));
        }
    }
    rows.sort_unstable_by_key(|row| (row.created, row.person));
    let step = if rows.len() > 400_000 { 3 } else { 5 };
    Table::new(rows, 1_001, step)
}

fn count(seed: u64, person: &Person) -> u16 {
    let mut chance = Chance::of(seed, "enrolment count", u64::from(person.id));
    let quantiles: &[(f64, f64)] = match person.role {
        Role::Student => &[(0.0, 0.0), (0.1, 4.0), (0.5, 19.0), (0.9, 37.0), (1.0, 60.0)],
        Role::Alumnus => &[(0.0, 0.0), (0.6, 3.0), (1.0, 12.0)],
        Role::Outside => &[(0.0, 0.0), (1.0, 6.0)],
        Role::Admin | Role::External => &[(0.0, 0.0), (1.0, 8.0)],
    };
    chance.along(quantiles).round() as u16
}

fn invent_one(chance: &mut Chance, person_row: u32, person: &Person, project: u16) -> Enrolment {
    let begin = person.created + 20 * DAY;
    let created = chance.between(begin, END_OF_PAST.max(begin + DAY)).min(END_OF_PAST);
    let statuses = [
        Status::Finished,
        Status::InProgress,
        Status::SearchingAGroup,
        Status::CreatingGroup,
        Status::WaitingForCorrection,
        Status::Parent,
    ];
    let status = statuses[chance.weighted(&[0.88, 0.04, 0.03, 0.02, 0.02, 0.01])];
    let updated = (created + chance.between(60_000, 60 * DAY)).min(END_OF_PAST.max(created));
    let finished = status == Status::Finished;
    let mark = match chance.unit() {
        _ if !finished => NO_MARK,
        share if share < 0.01 => -42,
        share if share < 0.03 => 0,
        share if share < 0.10 => chance.between(1, 79) as i16,
        share if share < 0.6 => 100,
        _ => chance.between(80, 125) as i16,
    };
    let marked = if finished { (updated / 1_000 - chance.between(1, 50)) as u32 } else { 0 };
    let occurrence = chance.weighted(&[0.8, 0.13, 0.05, 0.02]) as u8;
    let created = (created / 1_000) as u32;
    Enrolment { created, updated, marked, id: 0, person: person_row, project, mark, status, occurrence }
}

/// A project that somebody begins now.
pub(crate) fn fresh(person: u32, project: u16, now: i64) -> Enrolment {
    let status = Status::InProgress;
    Enrolment {
        created: (now / 1_000) as u32,
        updated: now,
        marked: 0,
        id: 0,
        person,
        project,
        mark: NO_MARK,
        status,
        occurrence: 0,
    }
}
