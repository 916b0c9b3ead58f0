//! What is on the screen, held against the database and the manifests.
//!
//! - `numbers`: every number, where it comes from. `live`: what moved in a window.
//! - `away`: what cannot be read, and how long it is waited for.
//! - `calls`: calls of the API, and what came back. `running`: stages and their progress. `backlog`: who waits.
//! - `log`: the log of alerts, and the file that it is compared with.
//! - `metrics`: both formats. `bounded`: how much is read, however much there is.
//! - `watch`: the dashboard on a terminal.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod away;
mod backlog;
mod bounded;
mod calls;
mod live;
mod log;
mod metrics;
mod numbers;
mod running;
mod watch;

use catalog::Catalog;
use exports::{Place, Scope};
use serde_json::Value;
use testkit::{Database, Mock, Run, Workdir};

/// Reference data that were mirrored by jobs, and one of them that failed.
struct Mirror {
    database: Database,
    workdir: Workdir,
    mock: Mock,
}

const TABLES: [&str; 4] = ["cursus", "campuses", "achievements", "campus_achievements"];

impl Mirror {
    fn new() -> Self {
        let mock = Mock::start(&["--students", "40"]);
        let database = Database::create();
        let workdir = Workdir::with(&mock, &database);
        drop(workdir.run("init-db", &[]).expect(0));
        for table in TABLES {
            drop(workdir.run("fetch-cursus", &["--export", table]).expect(0));
            let job = format!("load_{table}");
            drop(workdir.run("job-run", &["--job", &job, "--", "load-table", table, "--export"]).expect(0));
        }
        Self { database, workdir, mock }
    }

    fn json(&self, code: i32) -> Value {
        look(&self.workdir, &["--json"]).expect(code).json()
    }
}

/// What an export says of itself.
fn manifest(workdir: &Workdir, table: &str) -> Value {
    let catalog = Catalog::load().unwrap();
    let resource = catalog.find(table).unwrap();
    let cursus = catalog.is_of_cursus(resource).then_some(21);
    let place = Place::new(&workdir.path("exports"), &resource.file, Scope { cursus, campus: None });
    serde_json::from_slice(&std::fs::read(place.manifest()).unwrap()).unwrap()
}

/// The screen, on a disk that is never full.
fn look(workdir: &Workdir, arguments: &[&str]) -> Run {
    let roomy = ["--threshold", "disk_used_percent=101:102"];
    workdir.run("pipeline-status", &[arguments, &roomy].concat())
}

fn line<'a>(status: &'a Value, table: &str) -> &'a Value {
    let lines = status["resources"].as_array().unwrap();
    lines.iter().find(|line| line["table"] == table).unwrap()
}

fn alerts<'a>(status: &'a Value, subject: &str) -> Vec<&'a str> {
    let alerts = status["alerts"].as_array().unwrap().iter();
    alerts.filter(|alert| alert["subject"] == subject).map(|alert| alert["name"].as_str().unwrap()).collect()
}

/// Whether a text has nothing in it that could drive a terminal.
fn is_harmless(text: &str) -> bool {
    text.chars().all(|character| character == '\n' || !character.is_control())
}
