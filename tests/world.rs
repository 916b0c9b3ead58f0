//! What the end-to-end tests share: a mock, a database, the tools, and a comparison of both ends of the line.

mod dice;
mod truth;
mod victims;

use catalog::Resource;
use serde_json::Value;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use testkit::{Database, Mock, Run, Workdir};
use truth::Truth;

pub use dice::{Dice, number};

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
        Self::on(Database::create(), arguments)
    }

    /// A world whose mirror is this database.
    #[must_use]
    pub fn on(database: Database, arguments: &[&str]) -> Self {
        let mock = Mock::start(arguments);
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

    /// Stands for everything that a table says, but for when it was written; for tables that do not change meanwhile.
    #[must_use]
    pub fn digest(&self, table: &str) -> String {
        let row = "md5((to_jsonb(t) - 'ingested_at')::text)";
        self.database.value(&format!(
            "SELECT count(*) || ' ' || md5(string_agg({row}, '' ORDER BY {row})) FROM {table} t"
        ))
    }

    /// Checks that a table holds the mock's world, row by row and field by field.
    ///
    /// # Panics
    /// When it does not; the message shows the first differences.
    pub fn assert_mirrored(&self, table: &str) {
        let truth = Truth::of(&self.mock);
        let resource = truth.catalog.find(table).expect("a resource");
        let mut found = HashMap::new();
        self.database.each(&format!("SELECT * FROM {}", resource.table), |row| {
            let row = truth::normal_row(resource, row);
            found.insert(truth::key_of(resource, &row), digest(&row));
        });
        let (mut differences, mut compared) = (Vec::new(), 0);
        truth.each(resource, None, &mut |row| {
            compared += 1;
            let key = truth::key_of(resource, &row);
            match found.remove(&key) {
                Some(same) if same == digest(&row) => {}
                _ if differences.len() == 3 => {}
                other => differences.push((key, row, other.is_some())),
            }
        });
        let tell = |(key, row, is_there): &(String, Value, bool)| match is_there {
            false => format!("missing: {row}"),
            true => format!("expected {row}\n   found {}", self.row(resource, key)),
        };
        let mut differences: Vec<String> = differences.iter().map(tell).collect();
        differences.extend(found.keys().take(3).map(|key| format!("surplus: {key}")));
        assert!(differences.is_empty(), "{table}: {}", differences.join("\n"));
        assert!(compared > 0, "{table}: the mock's world is empty, nothing was compared");
    }

    /// Keys and times of the rows of a table that moved at or after an instant, as the mirror should know them.
    #[must_use]
    pub fn moved(&self, table: &str, since: &str) -> Vec<(i64, i64)> {
        let truth = Truth::of(&self.mock);
        let resource = truth.catalog.find(table).expect("a resource");
        let mut moved = Vec::new();
        truth.each(resource, Some(&format!("range[updated_at]={since},2100-01-01")), &mut |row| {
            moved.extend(row["id"].as_i64().zip(row["updated_at"].as_i64()));
        });
        moved
    }

    /// How many rows of [`World::moved`] a table does not know, or only as they were before.
    #[must_use]
    pub fn unseen(&self, table: &str, since: &str, moved: &[(i64, i64)]) -> usize {
        let query = format!(
            "SELECT id, (extract(epoch FROM updated_at) * 1000000)::bigint AS at FROM {table}
            WHERE updated_at >= '{since}'"
        );
        let mut known = HashMap::new();
        self.database.each(&query, |row| {
            known.insert(row["id"].as_i64(), row["at"].as_i64());
        });
        moved.iter().filter(|(id, at)| known.get(&Some(*id)).copied().flatten() < Some(*at)).count()
    }

    /// A row of a table as it is compared.
    fn row(&self, resource: &Resource, key: &str) -> Value {
        let columns = resource.key.join(" || ',' || ");
        let query = format!("SELECT * FROM {} WHERE {columns} = '{key}'", resource.table);
        self.database.rows(&query).pop().map(|row| truth::normal_row(resource, row)).unwrap_or_default()
    }
}

/// Stands for a row: a table of a million rows is compared without holding it.
fn digest(row: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
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
