//! The invented world: everything the API shows, a pure function of the seed, until it moves.

mod achievements;
mod badges;
mod campus;
mod campus_users;
mod coalitions;
mod cursus;
mod cursus_users;
mod enrolment;
mod enrolments;
mod memberships;
mod moves;
mod names;
mod people;
mod person;
mod project;
mod project_sessions;
mod projects;
mod session_rules;
mod table;
mod teams;
mod titles;
mod user_json;
mod users;
mod work;
mod zones;

pub(crate) use moves::{MovedSoFar, Moves};

use crate::moment::{Clock, DAY, END_OF_PAST};
use crate::resource::Resource;
use people::People;
use std::collections::HashSet;
use table::Table;

/// All lists, each described by data in the file of its family.
pub(crate) static RESOURCES: [&Resource; 14] = [
    &cursus::RESOURCE,
    &campus::RESOURCE,
    &achievements::RESOURCE,
    &projects::RESOURCE,
    &project_sessions::RESOURCE,
    &users::RESOURCE,
    &coalitions::RESOURCE,
    &coalitions::BLOCS,
    &cursus_users::RESOURCE,
    &enrolments::RESOURCE,
    &badges::RESOURCE,
    &memberships::RESOURCE,
    &campus_users::RESOURCE,
    &titles::RESOURCE,
];

/// The resource of a path segment.
pub(crate) fn resource(name: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.name == name).copied()
}

/// Everything there is. Reference data is written out at its real size; people and what hangs on them are compact rows,
/// their texts invented again whenever somebody asks.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    clock: Clock,
    /// Counts moves that change what lists of anything but people contain, or their order.
    pub(crate) structure: u64,
    /// Counts moves of people's own fields.
    pub(crate) facts: u64,
    /// Moves so far: the number that chance depends on.
    moves: u64,
    pub(crate) moved: MovedSoFar,
    /// Ids of the people who vanished.
    gone: HashSet<u32>,
    main_cursus: u32,
    cursus: Vec<cursus::Cursus>,
    campuses: Vec<campus::Campus>,
    titles: Vec<titles::Title>,
    achievements: Vec<achievements::Achievement>,
    projects: Vec<project::Project>,
    sessions: project_sessions::Sessions,
    blocs: Vec<coalitions::Bloc>,
    coalitions: Vec<coalitions::Coalition>,
    /// Ids of coalitions that people can join, by row of their campus.
    joinable: Vec<Vec<u32>>,
    people: People,
    campus_users: Table<campus_users::CampusUser>,
    cursus_users: Table<cursus_users::CursusUser>,
    enrolments: Table<enrolment::Enrolment>,
    badges: Table<badges::Badge>,
    memberships: Table<memberships::Membership>,
}

impl World {
    /// Invents a world with so many non-alumni students in the main cursus, some of them without a primary campus.
    pub(crate) fn invent(seed: u64, students: u32, without_campus: u32) -> Self {
        let cursus = cursus::invent(seed);
        let row_of = |id| cursus.iter().position(|cursus| cursus.id == id).unwrap_or(0) as u32;
        let (main_cursus, piscine) = (row_of(cursus::MAIN), row_of(cursus::PISCINE));
        let mut campuses = campus::invent(seed);
        let achievements = achievements::invent(seed, &campuses);
        let projects = project::invent(seed, &cursus, campuses.len());
        let (blocs, coalitions) = coalitions::invent(seed, campuses.len());
        let joinable = memberships::choices(&blocs, &coalitions, campuses.len());
        let people = People::invent(seed, students, without_campus, &campuses);
        for (row, campus) in campuses.iter_mut().enumerate() {
            campus.users = people.of_campus(row as u32).len() as u32;
        }
        Self {
            seed,
            clock: Clock::new(),
            structure: 0,
            facts: 0,
            moves: 0,
            moved: MovedSoFar::default(),
            gone: HashSet::new(),
            main_cursus,
            titles: titles::invent(seed),
            sessions: project_sessions::invent(seed, &projects, main_cursus, campuses.len()),
            campus_users: campus_users::invent(seed, &people.rows, campuses.len()),
            cursus_users: cursus_users::invent(seed, &people.rows, &cursus),
            enrolments: enrolment::invent(seed, &people.rows, &projects, main_cursus, piscine),
            badges: badges::invent(seed, &people.rows, &achievements),
            memberships: memberships::invent(seed, &people.rows, &joinable),
            cursus,
            campuses,
            achievements,
            projects,
            blocs,
            coalitions,
            joinable,
            people,
        }
    }

    /// Moves the days of erasure along with the calendar, because the invented past ends on a fixed day: nobody is due
    /// yet, and as in any other month, some people will be in the next.
    pub(crate) fn catch_up_with_erasure(&mut self) {
        let today = self.now() / DAY;
        let passed = today - END_OF_PAST / DAY;
        for person in &mut self.people.rows {
            let earliest = today + 2 + i64::from(person.id % 30);
            person.erasure = (i64::from(person.erasure) + passed).max(earliest) as u16;
        }
    }

    /// Milliseconds since 1970; never goes back.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Where the addresses in records point: nowhere.
    pub(crate) const fn base(&self) -> &'static str {
        "https://api.example.invalid"
    }

    /// Whether the person in a row has not vanished.
    fn is_there(&self, person: u32) -> bool {
        self.gone.is_empty() || !self.people.row(person).gone
    }

    /// Whether a user id belongs to somebody who vanished. Strangers never vanish: they were never there.
    fn is_gone(&self, user_id: u32) -> bool {
        !self.gone.is_empty() && self.gone.contains(&user_id)
    }

    fn person_row(&self, id: i64) -> Option<u32> {
        self.people.find_id(u32::try_from(id).ok()?)
    }

    fn campus_row(&self, id: i64) -> Option<u32> {
        self.campuses.iter().position(|campus| i64::from(campus.id) == id).map(|row| row as u32)
    }

    /// The achievement of a badge, as a row.
    fn achievement_of(&self, badge: u32) -> Option<u32> {
        Some(u32::from(self.badges.row(badge).achievement))
            .filter(|row| (*row as usize) < self.achievements.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{RESOURCES, World};
    use crate::json::Json;
    use crate::resource::{Cell, FILTER, SORT};

    #[test]
    fn every_row_of_every_list_is_an_object_with_rising_ids() {
        let world = World::invent(42, 100, 0);
        for resource in RESOURCES {
            let mut last = 0;
            for row in 0..(resource.size)(&world) as u32 {
                let mut json = Json::default();
                (resource.write)(&world, row, &mut json);
                let value: serde_json::Value = serde_json::from_slice(&json.into_bytes()).unwrap();
                let id = value["id"].as_i64().unwrap();
                let field = resource.field("id").unwrap();
                assert_eq!((field.get)(&world, row), Cell::Int(id), "{}", resource.name);
                assert!(id > last, "{} {id} after {last}", resource.name);
                last = id;
            }
            assert!(last > 0, "{} has no row", resource.name);
        }
    }

    #[test]
    fn a_world_is_the_same_for_the_same_seed_only() {
        let first = |seed| {
            let world = World::invent(seed, 100, 0);
            let mut json = Json::default();
            RESOURCES.iter().for_each(|resource| (resource.write)(&world, 7, &mut json));
            json.into_bytes()
        };
        assert_eq!(first(42), first(42));
        assert_ne!(first(42), first(43));
    }

    #[test]
    fn what_the_default_order_needs_can_be_sorted_unless_it_is_undocumented() {
        for resource in RESOURCES {
            for key in resource.default_sort {
                let field = resource.field(key.trim_start_matches('-')).unwrap();
                assert!(field.can(SORT) || resource.order_undocumented, "{} {key}", resource.name);
            }
            let listed = resource.fields.iter().filter(|field| field.can(FILTER)).count();
            assert!(listed > 0 || resource.name == "titles", "{}", resource.name);
        }
    }
}
