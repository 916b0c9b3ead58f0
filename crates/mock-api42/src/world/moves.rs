//! How the world moves: in the proportions that two walks over the real one showed (DATA.md, section 4).

use super::people::{Login, Role};
use super::{World, badges, cursus_users, enrolments, memberships};
use crate::chance::Chance;
use crate::moment::DAY;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many moves of each kind are wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Moves {
    /// People whose `updated_at` moves, mostly with their location; four in ten without anything else to see.
    updates: u32,
    /// People whose erasure dates or `active?` move, but not `updated_at`.
    silent: u32,
    /// Students who leave the lists of students: vanished, become alumni or not students, in turn.
    departures: u32,
    /// People who become `3b3-<id>`.
    anonymise: u32,
    /// Students who register, with their campus and cursus.
    newcomers: u32,
    /// Projects begun.
    enrolments: u32,
    /// Projects marked: the enrolment, the level and the coalition's scores move.
    marks: u32,
    /// Achievements earned.
    badges: u32,
    /// Coalitions joined.
    memberships: u32,
}

/// The ids that a move touched.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Moved {
    updates: Vec<u32>,
    silent: Vec<u32>,
    /// The three below together.
    departures: Vec<u32>,
    vanished: Vec<u32>,
    alumni: Vec<u32>,
    no_students: Vec<u32>,
    anonymise: Vec<u32>,
    newcomers: Vec<u32>,
    /// Ids of enrolments, not of people; likewise below.
    enrolments: Vec<u32>,
    marks: Vec<u32>,
    cursus_users: Vec<u32>,
    badges: Vec<u32>,
    memberships: Vec<u32>,
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
        for turn in 0..wanted.departures {
            if let Some(row) = self.student(&mut chance, &mut busy) {
                self.depart(row, turn, &mut moved);
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
        self.facts += 1;
        moved
    }

    /// One small move in the usual proportions: 31.6 % do not move `updated_at`.
    pub(crate) fn drift(&mut self) {
        let mut chance = Chance::of(self.seed, "drift", self.moves);
        let silent = u32::from(chance.happens(0.316));
        let worked = u32::from(chance.happens(0.1));
        let moves =
            Moves { updates: 1 - silent, silent, marks: worked, enrolments: worked, ..Moves::default() };
        self.move_on(moves);
    }

    /// A student of the main cursus who has not been moved yet.
    fn student(&self, chance: &mut Chance, busy: &mut BTreeSet<u32>) -> Option<u32> {
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
            person.erasure = person.erasure.max((now / DAY + 1_095) as u16);
        }
        person.id
    }

    /// Changes what a window over `updated_at` never shows.
    fn shift(&mut self, chance: &mut Chance, row: u32) -> u32 {
        let latest = (self.now() / DAY + 1_095) as u16;
        let person = &mut self.people.rows[row as usize];
        if chance.happens(0.93) {
            // Always forward, and always something to see.
            person.erasure = if person.erasure < latest { latest } else { person.erasure + 1 };
        } else {
            person.active = !person.active;
        }
        person.id
    }

    fn depart(&mut self, row: u32, turn: u32, moved: &mut Moved) {
        let now = self.now();
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

    /// What people do: projects, achievements, coalitions.
    fn work(&mut self, wanted: Moves, chance: &mut Chance, moved: &mut Moved) {
        let mut anybody = BTreeSet::new();
        let now = self.now();
        for _ in 0..wanted.enrolments {
            let Some(row) = self.student(chance, &mut anybody) else { break };
            let projects: Vec<u16> = (0..self.projects.len() as u16)
                .filter(|project| self.projects[usize::from(*project)].cursus.contains(&self.main_cursus))
                .collect();
            let number = self.enrolments.push(enrolments::fresh(row, *chance.pick(&projects), now));
            moved.enrolments.push(self.enrolments.row(number).id);
        }
        for _ in 0..wanted.marks {
            self.mark(chance, moved);
        }
        for _ in 0..wanted.badges {
            let Some(row) = self.student(chance, &mut anybody) else { break };
            let (user_id, achievement) =
                (self.people.id(row), chance.below(self.achievements.len() as u64) as u16);
            let badge =
                badges::Badge { created: now, updated: now, id: 0, user_id, achievement, count: u16::MAX };
            let number = self.badges.push(badge);
            moved.badges.push(self.badges.row(number).id);
        }
        for _ in 0..wanted.memberships {
            let Some(row) = self.student(chance, &mut anybody) else { break };
            let choice = &self.joinable[usize::from(self.people.row(row).campus)];
            if !choice.is_empty() {
                let fresh = memberships::fresh(self, self.people.id(row), *chance.pick(choice), now);
                let number = self.memberships.push(fresh);
                moved.memberships.push(self.memberships.row(number).id);
            }
        }
        if wanted.enrolments + wanted.marks + wanted.badges + wanted.memberships > 0 {
            self.structure += 1;
        }
    }

    /// Marks an enrolment; the level follows with a date of its own, the scores of the coalition without one.
    fn mark(&mut self, chance: &mut Chance, moved: &mut Moved) {
        let now = self.now();
        let row = (0..1_000).map(|_| chance.below(self.enrolments.len() as u64) as u32).find(|row| {
            let enrolment = self.enrolments.row(*row);
            enrolment.marked == 0
                && self.people.row(enrolment.person).role == Role::Student
                && self.is_there(enrolment.person)
        });
        let Some(row) = row else { return };
        let enrolment = self.enrolments.row_mut(row);
        (enrolment.status, enrolment.mark) = (enrolments::Status::Finished, chance.between(60, 125) as i16);
        (enrolment.marked, enrolment.updated) = ((now / 1_000) as u32, now);
        moved.marks.push(enrolment.id);
        let person = enrolment.person;
        for member in self.cursus_users.of_user(person) {
            if u32::from(self.cursus_users.row(member).cursus) == self.main_cursus {
                let member = self.cursus_users.row_mut(member);
                member.level = member.level.saturating_add(21);
                member.updated = now;
                moved.cursus_users.push(member.id);
            }
        }
        for member in self.memberships.of_user(self.people.id(person)) {
            self.memberships.score(member, 50);
        }
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
        let mut world = World::invent(42, 200);
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
        let run = || World::invent(42, 200).move_on(Moves { updates: 10, departures: 6, ..Moves::default() });
        let (first, second) = (run(), run());
        assert_eq!(first.updates, second.updates);
        assert_eq!(first.vanished.len() + first.alumni.len() + first.no_students.len(), 6);
        assert_eq!(first.departures, second.departures);
    }
}
