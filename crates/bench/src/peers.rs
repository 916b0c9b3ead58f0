//! Loaders of others, each the way its manual recommends, given the same columns.

use crate::contender::{Phase, Task, join};
use catalog::Type;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the peers are.
#[derive(Debug)]
pub(crate) struct Peers {
    /// A Python environment made by `scripts/bench.sh --install-peers`.
    pub(crate) folder: PathBuf,
}

impl Peers {
    pub(crate) fn are_there(&self) -> bool {
        self.folder.join("complete").exists()
    }

    pub(crate) fn is_jq_there() -> bool {
        Command::new("jq").arg("--version").output().is_ok_and(|output| output.status.success())
    }

    fn script(&self, name: &str, task: &Task<'_>) -> Command {
        let mut command = Command::new(self.folder.join("bin/python"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name);
        let columns = task.resource.columns.iter();
        let columns = columns.map(|column| {
            json!({"name": column.name, "type": column.kind.to_string(), "path": path_of(&column.from)})
        });
        let phase = if task.phase == Phase::Init { "init" } else { "again" };
        command.arg(path).args([phase, &task.resource.table]).arg(&task.snapshot.ndjson).arg(task.url);
        command.arg(json!(columns.collect::<Vec<_>>()).to_string()).arg(join(task, "public._stage"));
        command
    }
}

/// `/image/link` → `image`, `link`.
fn path_of(pointer: &str) -> Vec<&str> {
    pointer.split('/').skip(1).collect()
}

pub(crate) fn duckdb(task: &Task<'_>, peers: &Peers) -> Option<Command> {
    Some(peers.script("duckdb_join.py", task))
}

pub(crate) fn dlt(task: &Task<'_>, peers: &Peers) -> Option<Command> {
    Some(peers.script("dlt_upsert.py", task))
}

/// The old way at its best: one jq, one psql, one statement.
pub(crate) fn jq(task: &Task<'_>, _: &Peers) -> Option<Command> {
    let (table, columns) = (task.table(), task.columns());
    let excluded = task.columns().replace(", ", ", excluded.");
    let commands = [
        format!("CREATE TEMP TABLE stage AS SELECT {columns} FROM {table} LIMIT 0"),
        "\\copy stage FROM pstdin (FORMAT csv)".to_owned(),
        format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM stage
             ON CONFLICT (id) DO UPDATE SET ({columns}) = ROW(excluded.{excluded})"
        ),
    ];
    let psql = "psql -Xq1v ON_ERROR_STOP=1 \"$3\" -c \"$4\" -c \"$5\" -c \"$6\"";
    let mut command = bash(&format!("jq -r \"$1\" \"$2\" | {psql}"));
    command.arg(jq_program(task)).arg(&task.snapshot.ndjson).arg(task.url).args(commands);
    Some(command)
}

/// sling reads CSV with a header from jq: of NDJSON it makes one JSON column, or columns by names of its own.
pub(crate) fn sling(task: &Task<'_>, peers: &Peers) -> Option<Command> {
    let names: Vec<_> = task.resource.columns.iter().map(|column| column.name.as_str()).collect();
    let types = task.resource.columns.iter().map(|column| {
        let kind = match column.kind {
            Type::Bigint => "bigint",
            Type::Integer => "integer",
            Type::Double => "float",
            Type::Text => "text",
            Type::Boolean => "bool",
            Type::Timestamptz => "timestampz",
            Type::Jsonb => "json",
        };
        (column.name.clone(), json!(kind))
    });
    let types = serde_json::Value::Object(types.collect()).to_string();
    let site = peers.folder.join("lib").display().to_string();
    let sling = "\"$(echo \"$5\"/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64)\" run";
    let options = "--src-stream stdin --src-options '{format: csv, empty_as_null: true}' --tgt-conn BENCH --tgt-object \"sling.$6\" --columns \"$7\"";
    let mut command = bash(&format!(
        "{{ echo \"$3\"; jq -r \"$1\" \"$2\"; }} | BENCH=\"$4\" {sling} {options} --mode incremental --primary-key id"
    ));
    command.arg(jq_program(task)).arg(&task.snapshot.ndjson).arg(names.join(",")).arg(task.url);
    command.arg(site).arg(&task.resource.table).arg(types);
    Some(command)
}

fn bash(script: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; {script}"), "bench"]);
    command
}

/// The columns of a record as CSV; an empty text is quoted, null is not.
fn jq_program(task: &Task<'_>) -> String {
    let fields = task.resource.columns.iter().map(|column| {
        let steps: String = path_of(&column.from).iter().map(|step| format!("[{}]", json!(step))).collect();
        let json = if column.kind == Type::Jsonb { " | if . == null then null else tojson end" } else { "" };
        format!("(.{steps}{json})")
    });
    format!("[{}] | @csv", fields.collect::<Vec<_>>().join(", "))
}
