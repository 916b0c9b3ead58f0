//! Who loads, and how: each a name and a command for each phase.

use crate::generate::Snapshot;
use crate::peers::{self, Peers};
use catalog::Resource;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::Command;
use warehouse::{literal, quoted};

/// What everybody's time is divided by: raw `\copy` of prepared text into the same empty table in the same round.
pub(crate) const FLOOR: &str = "raw \\copy";
/// What is measured.
pub(crate) const OURS: &str = "load-table";

/// The schema of the mirror's own tables.
pub(crate) const MIRROR: &str = "public";

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Into an empty table.
    Init,
    /// The same again.
    Same,
    /// A second snapshot.
    Delta,
}

pub(crate) const PHASES: [Phase; 3] = [Phase::Init, Phase::Same, Phase::Delta];

/// One load that is asked for.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) phase: Phase,
    pub(crate) snapshot: &'a Snapshot,
    /// The database, as libpq takes it.
    pub(crate) url: &'a str,
    /// What `CATALOG_DIR` is to be.
    pub(crate) catalog: PathBuf,
}

/// Somebody who loads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// The command for a task; none where it has nothing to do in that phase.
    pub(crate) command: fn(&Task<'_>, &Peers) -> Option<Command>,
    /// What it needs that is not always there.
    pub(crate) needs: Needs,
    /// Whether every round of large tables waits for it.
    pub(crate) pace: Pace,
    /// The schema of its table.
    pub(crate) schema: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    Jq,
    Peers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Usual,
    /// Takes minutes for a million rows: one round of them.
    Slow,
}

const OWN: Contender =
    Contender { name: OURS, command: ours, needs: Needs::Nothing, pace: Pace::Usual, schema: MIRROR };

pub(crate) const CONTENDERS: [Contender; 9] = [
    OWN,
    Contender { name: FLOOR, command: floor, ..OWN },
    Contender { name: "floor: binary \\copy", command: binary, ..OWN },
    Contender { name: "floor: text to a stage, joined", command: joined, ..OWN },
    Contender { name: "floor: reading the table", command: reading, ..OWN },
    Contender { name: "DuckDB 1.5.5, same join", command: peers::duckdb, needs: Needs::Peers, ..OWN },
    Contender { name: "jq + psql, ON CONFLICT", command: peers::jq, needs: Needs::Jq, ..OWN },
    Contender {
        name: "jq + sling 1.4.11",
        command: peers::sling,
        needs: Needs::Peers,
        pace: Pace::Slow,
        schema: "sling",
    },
    Contender {
        name: "dlt 1.31.0, upsert",
        command: peers::dlt,
        needs: Needs::Peers,
        pace: Pace::Slow,
        schema: "dlt",
    },
];

fn ours(task: &Task<'_>, _: &Peers) -> Option<Command> {
    let mut command = Command::new(sibling::program("load-table"));
    command.arg(&task.resource.table).arg(&task.snapshot.ndjson).env("CATALOG_DIR", &task.catalog);
    Some(command)
}

fn floor(task: &Task<'_>, _: &Peers) -> Option<Command> {
    (task.phase == Phase::Init).then(|| psql(task, &[copy_from(task, &task.table())]))
}

fn binary(task: &Task<'_>, _: &Peers) -> Option<Command> {
    let file = literal(&task.snapshot.binary.display().to_string());
    let copy = format!("\\copy {} ({}) FROM {file} (FORMAT binary)", task.table(), task.columns());
    (task.phase == Phase::Init).then(|| psql(task, &[copy]))
}

fn joined(task: &Task<'_>, _: &Peers) -> Option<Command> {
    let stage = format!("CREATE TEMP TABLE stage AS SELECT {} FROM {} LIMIT 0", task.columns(), task.table());
    let merge = if task.phase == Phase::Init {
        // PostgreSQL plans a join with an empty table so that it takes forty times as long.
        format!("INSERT INTO {} ({}) SELECT * FROM stage", task.table(), task.columns())
    } else {
        join(task, "stage")
    };
    Some(psql(task, &[stage, copy_from(task, "stage"), "ANALYZE stage (id)".to_owned(), merge]))
}

fn reading(task: &Task<'_>, _: &Peers) -> Option<Command> {
    let copy =
        format!("\\copy (SELECT {} FROM {}) TO '/dev/null' (FORMAT binary)", task.columns(), task.table());
    (task.phase == Phase::Same).then(|| psql(task, &[copy]))
}

fn copy_from(task: &Task<'_>, table: &str) -> String {
    format!("\\copy {table} ({}) FROM {}", task.columns(), literal(&task.snapshot.text.display().to_string()))
}

/// The statements that bring a table to what a stage holds, and write only what differs.
pub(crate) fn join(task: &Task<'_>, stage: &str) -> String {
    let (table, columns) = (task.table(), task.columns());
    let (theirs, ours) = (task.each("s."), task.each("t."));
    format!(
        "UPDATE {table} t SET ({columns}) = ROW({theirs}) FROM {stage} s
             WHERE t.id = s.id AND ROW({ours}) IS DISTINCT FROM ROW({theirs});
         INSERT INTO {table} ({columns}) SELECT {columns} FROM {stage} s
             WHERE NOT EXISTS (SELECT FROM {table} t WHERE t.id = s.id)"
    )
}

/// psql with commands in one session and one transaction.
pub(crate) fn psql(task: &Task<'_>, commands: &[String]) -> Command {
    let mut command = Command::new("psql");
    command.args(["-Xq1v", "ON_ERROR_STOP=1", task.url]);
    for text in commands {
        command.arg("-c").arg(text);
    }
    command
}

impl Task<'_> {
    pub(crate) fn table(&self) -> String {
        format!("public.{}", quoted(&self.resource.table))
    }

    pub(crate) fn columns(&self) -> String {
        self.each("")
    }

    fn each(&self, prefix: &str) -> String {
        let columns = self.resource.columns.iter().map(|column| format!("{prefix}{}", quoted(&column.name)));
        columns.collect::<Vec<_>>().join(", ")
    }
}
