//! 1,700 projects, 538 of them in the main cursus, each with dozens of campuses written out in full.

use super::project::Project;
use super::table::find_sorted;
use super::{World, campus, cursus, project_sessions};
use crate::json::Json;
use crate::resource::{ALL, Cell, Field, Kind, Parent, Resource};

/// What a project shows of another one.
fn write_relative(world: &World, row: u32, json: &mut Json) {
    let project = at(world, row);
    json.object(|json| {
        json.text("name", &project.name);
        json.int("id", i64::from(project.id));
        json.maybe_text("slug", project.slug.as_deref());
        json.text("url", &format!("{}/v2/projects/{}", world.base(), project.id));
    });
}

fn write(world: &World, row: u32, json: &mut Json) {
    let project = at(world, row);
    json.object(|json| {
        json.int("id", i64::from(project.id));
        json.text("name", &project.name);
        json.maybe_text("slug", project.slug.as_deref());
        json.maybe_int("difficulty", project.difficulty);
        match project.parent {
            Some(parent) => write_relative(world, parent, json.key("parent")),
            None => json.null("parent"),
        }
        json.key("children").array(|json| {
            project.children.iter().take(32).for_each(|child| write_relative(world, *child, json));
        });
        json.empty_array("attachments");
        json.time("created_at", project.created);
        json.time("updated_at", project.updated);
        json.flag("exam", project.exam);
        json.maybe_int("git_id", project.repository.as_ref().map(|_| 1));
        json.maybe_text("repository", project.repository.as_deref());
        json.text("recommendation", "forbidden");
        json.key("cursus")
            .array(|json| project.cursus.iter().for_each(|row| cursus::write(world, *row, json)));
        json.key("campus").array(|json| write_campuses(world, project.campuses, json));
        json.empty_array("videos");
        json.key("project_sessions").array(|json| {
            world
                .sessions
                .of_project(row)
                .iter()
                .for_each(|session| project_sessions::write(world, *session, json));
        });
    });
}

fn write_campuses(world: &World, campuses: u128, json: &mut Json) {
    let rows = (0..world.campuses.len() as u32).filter(|row| campuses & (1 << row) != 0);
    rows.for_each(|row| campus::write_at(world, row, json, true));
}

fn at(world: &World, row: u32) -> &Project {
    &world.projects[row as usize]
}

pub(crate) static RESOURCE: Resource = Resource {
    name: "projects",
    fields: FIELDS,
    default_sort: &["position", "-id"],
    order_undocumented: false,
    filters_undocumented: false,
    parents: &[
        Parent {
            name: "cursus",
            belongs: |world, row, cursus| at(world, row).cursus.contains(&cursus),
            index: None,
        },
        Parent {
            name: "projects",
            belongs: |world, row, parent| at(world, row).parent == Some(parent),
            index: None,
        },
    ],
    size: |world| world.projects.len(),
    listed: |_, _| true,
    find: |world, text| {
        let slug = Some(text);
        let by_slug = || {
            world.projects.iter().position(|project| project.slug.as_deref() == slug).map(|row| row as u32)
        };
        find_sorted(&world.projects, |project| i64::from(project.id), text).or_else(by_slug)
    },
    search: None,
    write,
    write_alone: write,
    version: |_| 0,
};

const FIELDS: &[Field] = &[
    Field::new("id", Kind::Int, ALL, |world, row| Cell::Int(i64::from(at(world, row).id))),
    Field::new("name", Kind::Text, ALL, |world, row| Cell::from(at(world, row).name.as_str())),
    Field::new("created_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).created)),
    Field::new("updated_at", Kind::Time, ALL, |world, row| Cell::Time(at(world, row).updated)),
    Field::new("visible", Kind::Bool, ALL, |_, _| Cell::Bool(true)),
    Field::new("exam", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).exam)),
    Field::new("parent_id", Kind::Int, ALL, |world, row| {
        Cell::maybe_int(at(world, row).parent.map(|parent| i64::from(at(world, parent).id)))
    }),
    Field::new("slug", Kind::Text, ALL, |world, row| Cell::from(at(world, row).slug.as_deref())),
    Field::new("inherited_team", Kind::Bool, ALL, |_, _| Cell::Bool(false)),
    Field::new("position", Kind::Int, ALL, |world, row| Cell::Int(at(world, row).position)),
    Field::new("has_git", Kind::Bool, ALL, |world, row| Cell::Bool(at(world, row).repository.is_some())),
    Field::new("has_mark", Kind::Bool, ALL, |_, _| Cell::Bool(true)),
    Field::new("description", Kind::Text, ALL, |_, _| Cell::Null),
    Field::new("difficulty", Kind::Int, ALL, |world, row| Cell::maybe_int(at(world, row).difficulty)),
];
