//! `projects_users`: who does which project. By far the largest list: about twenty for each student.

use super::enrolment::{Enrolment, NO_MARK};
use super::{World, teams, user_json};
use crate::json::Json;
use crate::resource::{ALL, Cell, FILTER, Field, Kind, LISTED_IDS, LIVE, Parent, Resource};

fn write(world: &World, row: u32, json: &mut Json) {
    json.object(|json| {
        write_keys(world, row, json);
        user_json::write(world, at(world, row).person, json.key("user"));
        json.key("teams").array(|json| teams::write_all(world, at(world, row), json));
    });
}

/// An enrolment inside a full user: neither the user nor the teams.
pub(crate) fn write_short(world: &World, row: u32, json: &mut Json) {
    json.object(|json| write_keys(world, row, json));
}

fn write_keys(world: &World, row: u32, json: &mut Json) {
    let enrolment = at(world, row);
    let project = &world.projects[usize::from(enrolment.project)];
    json.int("id", i64::from(enrolment.id));
    json.int("occurrence", i64::from(enrolment.occurrence));
    json.maybe_int("final_mark", (enrolment.mark != NO_MARK).then_some(i64::from(enrolment.mark)));
    json.text("status", enrolment.status.name());
    match enrolment.validated() {
        Some(validated) => json.flag("validated?", validated),
        None => json.null("validated?"),
    }
    json.maybe_int("current_team_id", teams::current(enrolment));
    json.key("project").object(|json| {
        json.int("id", i64::from(project.id));
        json.text("name", &project.name);
        json.maybe_text("slug", project.slug.as_deref());
        json.maybe_int(
            "parent_id",
            project.parent.map(|parent| i64::from(world.projects[parent as usize].id)),
        );
    });
    json.key("cursus_ids").array(|json| cursus_ids(world, enrolment).iter().for_each(|id| json.value(*id)));
    json.maybe_time("marked_at", enrolment.marked_at());
    json.flag("marked", enrolment.marked > 0);
    json.maybe_time("retriable_at", enrolment.retriable_at());
    json.time("created_at", enrolment.created_at());
    json.time("updated_at", enrolment.updated);
}

fn cursus_ids(world: &World, enrolment: &Enrolment) -> Vec<i64> {
    let rows = &world.projects[usize::from(enrolment.project)].cursus;
    rows.iter().map(|row| i64::from(world.cursus[*row as usize].id)).collect()
}

fn at(world: &World, row: u32) -> &Enrolment {
    world.enrolments.row(row)
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "projects_users",
    fields: FIELDS,
    default_sort: &["id"],
    order_undocumented: true,
    filters_undocumented: false,
    parents: &[
        Parent {
            name: "users",
            belongs: |world, row, user| at(world, row).person == user,
            index: Some(|world, user| world.enrolments.of_user(user)),
        },
        Parent {
            name: "projects",
            belongs: |world, row, project| u32::from(at(world, row).project) == project,
            index: None,
        },
    ],
    size: |world| world.enrolments.len(),
    listed: |world, row| world.is_there(at(world, row).person),
    find: |world, text| world.enrolments.find(text),
    search: None,
    write,
    write_alone: write,
    version: |world| world.structure,
};

/// `sort` is not documented for any of these; `-marked_at` is known to work, the rest is a switch.
const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))).indexed(
        |world, id| u32::try_from(id).ok().and_then(|id| world.enrolments.find_id(id)).into_iter().collect(),
    ),
    Field::new("project_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(world.projects[usize::from(at(world, row).project)].id))
    }),
    Field::new("user_id", Kind::Int, ALL, |world, row| {
        Cell::Int(i64::from(world.people.id(at(world, row).person)))
    })
    .indexed(|world, id| world.person_row(id).map_or_else(Vec::new, |user| world.enrolments.of_user(user))),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created_at())),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).updated))
        .since(|world, instant| world.enrolments.since(instant)),
    Field::new("occurrence", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).occurrence))),
    Field::new("final_mark", Kind::Int, ALL, |world, row| {
        Cell::maybe_int(Some(at(world, row).mark).filter(|mark| *mark != NO_MARK).map(i64::from))
    }),
    Field::new("retriable_at", Kind::Time, ALL, |world, row| Cell::maybe_time(at(world, row).retriable_at())),
    Field::new("marked_at", Kind::Time, ALL, |world, row| Cell::maybe_time(at(world, row).marked_at())),
    Field::new("status", Kind::Text, ALL, |world, row| Cell::from(at(world, row).status.name())),
    Field::new("cursus", Kind::Ids, FILTER | LISTED_IDS, |world, row| {
        Cell::Ids(world.projects[usize::from(at(world, row).project)].cursus_ids)
    }),
    Field::new("campus", Kind::Int, FILTER | LISTED_IDS, |world, row| {
        let campus = world.people.row(at(world, row).person).campus;
        Cell::Int(i64::from(world.campuses[usize::from(campus)].id))
    })
    .indexed(|world, id| {
        let people = world.campus_row(id).map_or(&[][..], |row| world.people.of_campus(row));
        people.iter().flat_map(|person| world.enrolments.of_user(*person)).collect()
    }),
    Field::new("retriable", Kind::Bool, FILTER | LIVE, |world, row| {
        Cell::Bool(at(world, row).retriable_at().is_none_or(|retriable| retriable <= world.now()))
    }),
    Field::new("marked", Kind::Bool, FILTER, |world, row| Cell::Bool(at(world, row).marked > 0)),
];
