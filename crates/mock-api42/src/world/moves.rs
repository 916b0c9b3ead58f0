//! How the world moves: in the proportions that two walks over the real one showed (DATA.md, section 4).

use super::person::{Login, Role};
use super::{World, cursus_users};
use crate::chance::Chance;
use crate::moment::DAY;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many moves of each kind are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Moves {
    /// People whose `updated_at` moves, mostly with their location; four in ten without anything else to see.
    pub(super) updates: u32,
    /// People whose erasure dates or `active?` move, but not `updated_at`.
    pub(super) silent: u32,
    /// Students who leave the lists of students: vanished, become alumni or not students, in turn.
    pub(super) departures: u32,
    /// People who become `3b3-<id>`.
    pub(super) anonymise: u32,
    /// Students who register, with their campus and cursus.
    pub(super) newcomers: u32,
    /// Projects begun.
    pub(super) enrolments: u32,
    /// Projects marked: the enrolment, the level and the coalition's scores move.
    pub(super) marks: u32,
    /// Achievements earned.
    pub(super) badges: u32,
    /// Coalitions joined.
    pub(super) memberships: u32,
}

/// The ids that a move touched.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Moved {
    pub(super) updates: Vec<u32>,
    pub(super) silent: Vec<u32>,
    /// The three below together.
    pub(super) departures: Vec<u32>,
    pub(super) vanished: Vec<u32>,
    pub(super) alumni: Vec<u32>,
    pub(super) no_students: Vec<u32>,
    pub(super) anonymise: Vec<u32>,
    pub(super) newcomers: Vec<u32>,
    /// Ids of enrolments, not of people; likewise below.
    pub(super) enrolments: Vec<u32>,
    pub(super) marks: Vec<u32>,
    pub(super) cursus_users: Vec<u32>,
    pub(super) badges: Vec<u32>,
    pub(super) memberships: Vec<u32>,
}

/// How many moved since the world began.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct MovedSoFar {
    updates: u64,
    silent: u64,
    departures: u64,
    anonymise: u64,
    newcomers: u64,
    enrolments: u64,
    marks: u64,
    badges: u64,
    memberships: u64,
}

impl MovedSoFar {
    /// Departures are counted as they happen.
    fn count(&mut self, moved: &Moved) {
        self.updates += moved.updates.len() as u64;
        self.silent += moved.silent.len() as u64;
        self.anonymise += moved.anonymise.len() as u64;
        self.newcomers += moved.newcomers.len() as u64;
        self.enrolments += moved.enrolments.len() as u64;
        self.marks += moved.marks.len() as u64;
        self.badges += moved.badges.len() as u64;
        self.memberships += moved.memberships.len() as u64;
    }
}

impl World {
    /// Moves at once; nobody is moved twice by one call.
    pub(crate) fn move_on(&mut self, wanted: Moves) -> Moved {
        self.moves += 1;
        let mut chance = Chance::of(self.seed, "moves", self.moves);
        let mut busy = BTreeSet::new();
        let mut moved = Moved::default();
        for _ in 0..wanted.updates {
            moved
                .updates
                .extend(self.student(&mut chance, &mut busy).map(|row| self.update(&mut chance, row)));
        }
        for _ in 0..wanted.silent {
            moved.silent.extend(self.student(&mut chance, &mut busy).map(|row| self.shift(&mut chance, row)));
        }
        for _ in 0..wanted.departures {
            if let Some(row) = self.student(&mut chance, &mut busy) {
                self.depart(row, &mut moved);
            }
        }
        for _ in 0..wanted.anonymise {
            if let Some(row) = self.student(&mut chance, &mut busy) {
                moved.anonymise.push(self.people.id(row));
                self.people.anonymise(row);
                self.people.rows[row as usize].updated = self.now();
            }
        }
        for _ in 0..wanted.newcomers {
            moved.newcomers.push(self.arrive(&mut moved.cursus_users));
        }
        self.work(wanted, &mut chance, &mut moved);
        self.moved.count(&moved);
        self.facts += 1;
        moved
    }

    /// One small move in the usual proportions: 31.6 % do not move `updated_at`, 6 of 1,759 leave (DATA.md section 4).
    /// How often people join and work is a guess: a thousand newcomers a month, a project for each ten changes.
    pub(crate) fn drift(&mut self) {
        let mut chance = Chance::of(self.seed, "drift", self.moves);
        let mut some = |share| u32::from(chance.happens(share));
        let silent = some(0.316);
        self.move_on(Moves {
            updates: 1 - silent,
            silent,
            departures: some(0.001_7),
            anonymise: some(0.001_7),
            newcomers: some(0.001),
            enrolments: some(0.05),
            marks: some(0.05),
            badges: some(0.03),
            memberships: some(0.004),
        });
    }

    /// A student of the main cursus who has not been moved yet.
    pub(super) fn student(&self, chance: &mut Chance, busy: &mut BTreeSet<u32>) -> Option<u32> {
        let people = self.people.rows.len() as u64;
        let is_student = |row: u32| self.people.row(row).role == Role::Student && !self.people.row(row).gone;
        let random =
            (0..200).map(|_| chance.below(people) as u32).find(|row| is_student(*row) && !busy.contains(row));
        let row =
            random.or_else(|| (0..people as u32).find(|row| is_student(*row) && !busy.contains(row)))?;
        busy.insert(row);
        Some(row)
    }

    fn update(&mut self, chance: &mut Chance, row: u32) -> u32 {
        let now = self.now();
        let person = &mut self.people.rows[row as usize];
        person.updated = now;
        match chance.weighted(&[582.0, 135.0, 23.0, 462.0]) {
            0 if person.seat > 0 && chance.happens(0.95) => person.seat = 0,
            0 => person.seat = 1 + chance.below(60_000) as u16,
            1 => person.points = person.points.saturating_add(nonzero(chance.between(-4, 6), 1)),
            2 => person.wallet = person.wallet.saturating_add(*chance.pick(&[5, 5, 5, 30, 30, 100, -26])),
            _ => {}
        }
        if chance.happens(0.2) {
            person.erasure = person.erasure.max((now / DAY + 1_096) as u16);
        }
        person.id
    }

    /// Changes what a window over `updated_at` never shows.
    fn shift(&mut self, chance: &mut Chance, row: u32) -> u32 {
        let latest = (self.now() / DAY + 1_096) as u16;
        let person = &mut self.people.rows[row as usize];
        if chance.happens(0.93) {
            // Always forward, and always something to see.
            person.erasure = if person.erasure < latest { latest } else { person.erasure + 1 };
        } else {
            person.active = !person.active;
        }
        person.id
    }

    fn depart(&mut self, row: u32, moved: &mut Moved) {
        let (now, turn) = (self.now(), self.moved.departures);
        self.moved.departures += 1;
        let person = &mut self.people.rows[row as usize];
        moved.departures.push(person.id);
        match turn % 3 {
            0 => {
                person.gone = true;
                self.gone.insert(person.id);
                self.structure += 1;
                moved.vanished.push(person.id);
            }
            1 => {
                (person.role, person.alumnized) = (Role::Alumnus, (now / 1_000) as u32);
                moved.alumni.push(person.id);
            }
            _ => {
                person.role = Role::External;
                moved.no_students.push(person.id);
            }
        }
    }

    fn arrive(&mut self, memberships: &mut Vec<u32>) -> u32 {
        let now = self.now();
        let row = self.people.newcomer(&self.campuses, now);
        let person = self.people.row(row).clone();
        debug_assert_ne!(person.login, Login::new(""));
        self.campuses[usize::from(person.campus)].users += 1;
        let place = super::campus_users::CampusUser {
            id: 0,
            person: row,
            campus: person.campus,
            primary: true,
            created: now,
        };
        self.campus_users.push(place);
        let member = self.cursus_users.push(cursus_users::fresh(row, self.main_cursus as u8, now));
        memberships.push(self.cursus_users.row(member).id);
        self.structure += 1;
        person.id
    }
}

const fn nonzero(number: i64, instead: i64) -> i32 {
    (if number == 0 { instead } else { number }) as i32
}

#[cfg(test)]
mod tests {
    use super::{Moves, World};
    use crate::moment::END_OF_PAST;

    #[test]
    fn an_update_moves_updated_at_and_a_silent_change_does_not() {
        let mut world = World::invent(42, 200, 0);
        let before: Vec<_> = world.people.rows.clone();
        let moved = world.move_on(Moves { updates: 40, silent: 20, ..Moves::default() });
        assert_eq!((moved.updates.len(), moved.silent.len()), (40, 20));
        for id in &moved.updates {
            let row = world.people.find_id(*id).unwrap() as usize;
            assert!(world.people.rows[row].updated > END_OF_PAST.max(before[row].updated));
        }
        for id in &moved.silent {
            let row = world.people.find_id(*id).unwrap() as usize;
            let (old, new) = (&before[row], &world.people.rows[row]);
            assert_eq!(new.updated, old.updated);
            assert!(new.erasure > old.erasure || new.active != old.active);
        }
    }

    #[test]
    fn the_same_moves_touch_the_same_people() {
        let run =
            || World::invent(42, 200, 0).move_on(Moves { updates: 10, departures: 6, ..Moves::default() });
        let (first, second) = (run(), run());
        assert_eq!(first.updates, second.updates);
        assert_eq!(first.vanished.len() + first.alumni.len() + first.no_students.len(), 6);
        assert_eq!(first.departures, second.departures);
    }
}
