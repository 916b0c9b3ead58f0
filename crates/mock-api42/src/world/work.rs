//! What people do while the world moves: begin projects and finish them, earn badges, join coalitions.

use super::moves::{Moved, Moves};
use super::person::Role;
use super::{World, badges, enrolment, memberships};
use crate::chance::Chance;
use std::collections::BTreeSet;

impl World {
    /// What people do: projects, achievements, coalitions.
    pub(super) fn work(&mut self, wanted: Moves, chance: &mut Chance, moved: &mut Moved) {
        let mut anybody = BTreeSet::new();
        let now = self.now();
        for _ in 0..wanted.enrolments {
            let Some(row) = self.student(chance, &mut anybody) else { break };
            let projects: Vec<u16> = (0..self.projects.len() as u16)
                .filter(|project| self.projects[usize::from(*project)].cursus.contains(&self.main_cursus))
                .collect();
            let number = self.enrolments.push(enrolment::fresh(row, *chance.pick(&projects), now));
            moved.enrolments.push(self.enrolments.row(number).id);
        }
        for _ in 0..wanted.marks {
            self.mark(chance, moved);
        }
        for _ in 0..wanted.badges {
            let Some(row) = self.student(chance, &mut anybody) else { break };
            let (user_id, achievement) =
                (self.people.id(row), chance.below(self.achievements.len() as u64) as u16);
            let badge = badges::Badge {
                created: (now / 1_000) as u32,
                updated: now,
                id: 0,
                user_id,
                achievement,
                count: u16::MAX,
            };
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
        (enrolment.status, enrolment.mark) = (enrolment::Status::Finished, chance.between(60, 125) as i16);
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
