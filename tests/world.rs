//! What the end-to-end tests share: a mock, a database, the tools, and a comparison of both ends of the line.

use catalog::{Catalog, Column, Resource, Type};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use testkit::{Database, Mock, Run, Workdir};

/// One mock, one database, and a folder whose tools know both.
#[derive(Debug)]
pub struct World {
    /// The API.
    pub mock: Mock,
    /// The mirror.
    pub database: Database,
    /// Where the tools run.
    pub workdir: Workdir,
}

impl World {
    /// A world with empty tables; `arguments` go to the mock.
    #[must_use]
    pub fn new(arguments: &[&str]) -> Self {
        let mock = Mock::start(arguments);
        let database = Database::create();
        let workdir = Workdir::with(&mock, &database);
        let world = Self { mock, database, workdir };
        drop(world.run("init-db", &[]).expect(0));
        world
    }

    /// Runs a tool.
    pub fn run(&self, tool: &str, arguments: &[&str]) -> Run {
        self.workdir.run(tool, arguments)
    }

    /// Fetches a resource into its export and loads it; gives the summary of the load.
    #[must_use]
    pub fn mirror(&self, tool: &str, name: &str) -> Value {
        drop(self.run(tool, &["--export", "--force", name]).expect(0));
        self.load(name)
    }

    /// Loads an export; gives the summary.
    #[must_use]
    pub fn load(&self, name: &str) -> Value {
        let run = self.run("load-table", &[name, "--export"]);
        assert!(matches!(run.code, 0 | 3), "{run:#?}");
        run.json()
    }

    /// How many rows a table holds.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.database.value(&format!("SELECT count(*) FROM {table}")).parse().expect("a number")
    }

    /// Checks that a table holds the mock's world, row by row and field by field.
    ///
    /// # Panics
    /// When it does not; the message shows the first differences.
    pub fn assert_mirrored(&self, table: &str) {
        let catalog = Catalog::load().expect("the catalog");
        let resource = catalog.find(table).expect("a resource");
        let expected = rows_by_key(resource, self.expected(&catalog, resource));
        let query = format!("SELECT * FROM {}", resource.table);
        let found = rows_by_key(
            resource,
            self.database.rows(&query).into_iter().map(|row| normal_row(resource, row)),
        );
        let mut differences = Vec::new();
        for (key, row) in &expected {
            match found.get(key) {
                None => differences.push(format!("missing: {row}")),
                Some(other) if other != row => differences.push(format!("expected {row}\n   found {other}")),
                Some(_) => {}
            }
        }
        differences.extend(
            found.keys().filter(|key| !expected.contains_key(*key)).map(|key| format!("surplus: {key}")),
        );
        differences.truncate(3);
        assert!(differences.is_empty(), "{table}: {}", differences.join("\n"));
        assert!(!expected.is_empty(), "{table}: the mock's world is empty, nothing was compared");
    }

    /// The rows that a table should hold, made from the mock's own world.
    fn expected(&self, catalog: &Catalog, resource: &Resource) -> Vec<Value> {
        let records = self.records(&resource.table);
        let rows = records.iter().map(|record| row_of(resource, record));
        let parents: HashMap<&str, Vec<i64>> = resource
            .columns
            .iter()
            .filter_map(|column| column.references.as_deref())
            .map(|parent| (parent, self.ids(catalog, parent)))
            .collect();
        // A row whose parent is not mirrored waits in quarantine, and is not in the table.
        let has_parents = |row: &Value| {
            resource.columns.iter().all(|column| match (&column.references, row[&column.name].as_i64()) {
                (Some(parent), Some(id)) => parents[parent.as_str()].binary_search(&id).is_ok(),
                _ => true,
            })
        };
        rows.filter(has_parents).collect()
    }

    fn ids(&self, catalog: &Catalog, table: &str) -> Vec<i64> {
        let resource = catalog.find(table).expect("a resource");
        let mut ids: Vec<i64> =
            self.expected(catalog, resource).iter().filter_map(|row| row["id"].as_i64()).collect();
        ids.sort_unstable();
        ids
    }

    /// The records that a table is made of, as the API means them; written by hand, without the catalog.
    fn records(&self, table: &str) -> Vec<Value> {
        let students = "filter[kind]=student&filter[alumni?]=false";
        match table {
            "cursus" => self.mock.all("/v2/cursus"),
            "campuses" => self.mock.all("/v2/campus"),
            "achievements" => self.mock.all("/v2/achievements"),
            "campus_achievements" => self.campus_achievements(),
            "projects" => self.mock.all("/v2/cursus/21/projects"),
            "campus_projects" => self.campus_projects(),
            "project_sessions" => {
                let projects = self.mock.all("/v2/cursus/21/projects");
                projects
                    .iter()
                    .flat_map(|project| project["project_sessions"].as_array().cloned().unwrap_or_default())
                    .collect()
            }
            "users" => self.stamped(self.mock.all(&format!("/v2/cursus/21/users?{students}")), "/id"),
            "coalitions" => self.mock.all("/v2/coalitions"),
            "cursus_users" => self.stamped(in_scope(self.mock.all("/v2/cursus/21/cursus_users")), "/user/id"),
            "projects_users" => {
                let records = self.mock.all("/v2/projects_users?filter[cursus]=21");
                self.stamped(in_scope(records), "/user/id")
            }
            other => self.stamped(self.mock.all(&format!("/v2/{other}")), "/user_id"),
        }
    }

    fn campus_achievements(&self) -> Vec<Value> {
        let campuses = self.mock.all("/v2/campus");
        let mut pairs = Vec::new();
        for achievement in self.mock.all("/v2/achievements") {
            for name in achievement["campus"].as_array().expect("names") {
                let name = name.as_str().expect("a name").trim();
                let campus =
                    campuses.iter().find(|campus| campus["name"].as_str().map(str::trim) == Some(name));
                pairs.extend(
                    campus.map(
                        |campus| json!({"campus_id": campus["id"], "achievement_id": achievement["id"]}),
                    ),
                );
            }
        }
        pairs
    }

    fn campus_projects(&self) -> Vec<Value> {
        let mut pairs = Vec::new();
        for project in self.mock.all("/v2/cursus/21/projects") {
            for campus in project["campus"].as_array().expect("campuses") {
                pairs.push(json!({"campus_id": campus["id"], "project_id": project["id"]}));
            }
        }
        pairs
    }

    /// Adds each record's campus: the primary one of the user whose id stands at `pointer`.
    fn stamped(&self, records: Vec<Value>, pointer: &str) -> Vec<Value> {
        let links = self.mock.all("/v2/campus_users?filter[is_primary]=true");
        let campuses: HashMap<u64, &Value> =
            links.iter().filter_map(|link| Some((link["user_id"].as_u64()?, &link["campus_id"]))).collect();
        let stamp = |mut record: Value| {
            let user = record.pointer(pointer).and_then(Value::as_u64).expect("a user's id");
            record["campus_id"] = campuses.get(&user).copied().cloned().unwrap_or_default();
            record
        };
        records.into_iter().map(stamp).collect()
    }
}

/// Records of students who are no alumni.
fn in_scope(records: Vec<Value>) -> Vec<Value> {
    let fits = |record: &Value| record["user"]["kind"] == "student" && record["user"]["alumni?"] == false;
    records.into_iter().filter(fits).collect()
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
fn normal_row(resource: &Resource, mut row: Value) -> Value {
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

fn rows_by_key(resource: &Resource, rows: impl IntoIterator<Item = Value>) -> BTreeMap<String, Value> {
    let key =
        |row: &Value| resource.key.iter().map(|name| row[name].to_string()).collect::<Vec<_>>().join(",");
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// The tables that the nightly script mirrors, parents first.
pub const NIGHTLY: [&str; 9] = [
    "cursus",
    "campuses",
    "achievements",
    "campus_achievements",
    "projects",
    "campus_projects",
    "project_sessions",
    "users",
    "coalitions",
];

/// The tables that hang on the students.
pub const HANGING: [&str; 4] = ["cursus_users", "projects_users", "achievements_users", "coalitions_users"];
