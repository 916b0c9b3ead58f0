//! What the tables should hold, made from the mock's own world, row by row: the real world does not fit into memory.

use catalog::{Catalog, Column, Resource, Type};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use testkit::Mock;

const STUDENTS: &str = "/v2/cursus/21/users?filter[kind]=student&filter[alumni?]=false";

/// The mock's world as the mirror means it; written by hand, without what the catalog says of fetching.
pub(crate) struct Truth<'a> {
    mock: &'a Mock,
    pub(crate) catalog: Catalog,
    /// Primary campus by user.
    campuses: OnceCell<HashMap<u64, Value>>,
}

impl<'a> Truth<'a> {
    pub(crate) fn of(mock: &'a Mock) -> Self {
        Self { mock, catalog: Catalog::load().expect("the catalog"), campuses: OnceCell::new() }
    }

    /// Each row that a table should hold; `window` is another parameter of its list, such as a range.
    pub(crate) fn each(&self, resource: &Resource, window: Option<&str>, give: &mut dyn FnMut(Value)) {
        let references =
            resource.columns.iter().filter_map(|column| Some((column, column.references.as_deref()?)));
        let parents: Vec<(&Column, HashSet<i64>)> =
            references.map(|(column, parent)| (column, self.ids(parent))).collect();
        self.each_record(&resource.table, window, &mut |record| {
            let row = row_of(resource, &record);
            // A row whose parent is not mirrored waits in quarantine, and is not in the table.
            let has_parent = |(column, ids): &(&Column, HashSet<i64>)| {
                row[&column.name].as_i64().is_none_or(|id| ids.contains(&id))
            };
            if parents.iter().all(has_parent) {
                give(row);
            }
        });
    }

    fn ids(&self, table: &str) -> HashSet<i64> {
        let resource = self.catalog.find(table).expect("a resource");
        let mut ids = HashSet::new();
        self.each(resource, None, &mut |row| ids.extend(row["id"].as_i64()));
        ids
    }

    fn each_record(&self, table: &str, window: Option<&str>, give: &mut dyn FnMut(Value)) {
        let list = |path: &str, give: &mut dyn FnMut(Value)| {
            let mark = if path.contains('?') { '&' } else { '?' };
            let window = window.map(|window| format!("{mark}{window}")).unwrap_or_default();
            self.mock.each(&format!("{path}{window}"), give);
        };
        match table {
            "cursus" => list("/v2/cursus", give),
            "campuses" => list("/v2/campus", give),
            "achievements" => list("/v2/achievements", give),
            "campus_achievements" => self.campus_achievements().into_iter().for_each(give),
            "projects" => list("/v2/cursus/21/projects", give),
            "campus_projects" => list("/v2/cursus/21/projects", &mut |project| {
                let campuses = project["campus"].as_array().expect("campuses");
                let pair = |campus: &Value| json!({"campus_id": campus["id"], "project_id": project["id"]});
                campuses.iter().map(pair).for_each(&mut *give);
            }),
            "project_sessions" => list("/v2/cursus/21/projects", &mut |project| {
                let sessions = project["project_sessions"].as_array().cloned().unwrap_or_default();
                sessions.into_iter().for_each(&mut *give);
            }),
            "coalitions" => list("/v2/coalitions", give),
            "users" => list(STUDENTS, &mut |record| give(self.stamped(record, "/id"))),
            "cursus_users" => list("/v2/cursus/21/cursus_users", &mut |record| self.in_scope(record, give)),
            "projects_users" => {
                list("/v2/projects_users?filter[cursus]=21", &mut |record| self.in_scope(record, give));
            }
            other => list(&format!("/v2/{other}"), &mut |record| give(self.stamped(record, "/user_id"))),
        }
    }

    fn campus_achievements(&self) -> Vec<Value> {
        let campuses = self.mock.all("/v2/campus");
        let mut pairs = Vec::new();
        self.mock.each("/v2/achievements", &mut |achievement| {
            for name in achievement["campus"].as_array().expect("names") {
                let name = name.as_str().expect("a name").trim();
                let here = |campus: &&Value| campus["name"].as_str().map(str::trim) == Some(name);
                let pair =
                    |campus: &Value| json!({"campus_id": campus["id"], "achievement_id": achievement["id"]});
                pairs.extend(campuses.iter().find(here).map(pair));
            }
        });
        pairs
    }

    /// Gives a record that belongs to a student who is no alumnus.
    fn in_scope(&self, record: Value, give: &mut dyn FnMut(Value)) {
        if record["user"]["kind"] == "student" && record["user"]["alumni?"] == false {
            give(self.stamped(record, "/user/id"));
        }
    }

    /// Adds a record's campus: the primary one of the user whose id stands at `pointer`.
    fn stamped(&self, mut record: Value, pointer: &str) -> Value {
        let campuses = self.campuses.get_or_init(|| {
            let mut campuses = HashMap::new();
            self.mock.each("/v2/campus_users?filter[is_primary]=true", &mut |link| {
                campuses.extend(link["user_id"].as_u64().map(|user| (user, link["campus_id"].clone())));
            });
            campuses
        });
        let user = record.pointer(pointer).and_then(Value::as_u64).expect("a user's id");
        record["campus_id"] = campuses.get(&user).cloned().unwrap_or_default();
        record
    }
}

/// The row that a record makes.
fn row_of(resource: &Resource, record: &Value) -> Value {
    let mut row = Map::new();
    for column in &resource.columns {
        let value = record.pointer(&column.from).cloned().unwrap_or_default();
        row.insert(column.name.clone(), normal(column, value));
    }
    Value::Object(row)
}

/// A row as PostgreSQL shows it, without what is ours.
pub(crate) fn normal_row(resource: &Resource, mut row: Value) -> Value {
    let mut normalised = Map::new();
    for column in &resource.columns {
        normalised.insert(column.name.clone(), normal(column, row[&column.name].take()));
    }
    Value::Object(normalised)
}

/// One spelling for each value: instants in UTC, numbers as numbers, the API's `{}` for nothing as null.
fn normal(column: &Column, value: Value) -> Value {
    match (column.kind, &value) {
        (Type::Timestamptz, Value::String(text)) => {
            let instant: DateTime<Utc> =
                text.parse().unwrap_or_else(|error| panic!("{}: {text}: {error}", column.name));
            Value::from(instant.timestamp_micros())
        }
        (Type::Double, Value::Number(number)) => json!(number.as_f64()),
        (Type::Text, Value::Object(nothing)) if nothing.is_empty() => Value::Null,
        _ => value,
    }
}

/// The key of a row, as text.
pub(crate) fn key_of(resource: &Resource, row: &Value) -> String {
    resource.key.iter().map(|name| row[name].to_string()).collect::<Vec<_>>().join(",")
}
