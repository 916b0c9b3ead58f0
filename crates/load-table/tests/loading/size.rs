//! Memory does not grow with the input.

use crate::mirror::Mirror;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Enrolments as the list gives them, 350 bytes each, but without tables to refer to: that work is the server's.
const ENROLMENTS: &str = r#"
about = "Enrolments that refer to nothing"
table = "enrolments"
group = "users"
key = ["id"]
version = "updated_at"
columns = [
    { name = "id", type = "bigint", null = false },
    { name = "user_id", type = "bigint", from = "/user/id", null = false },
    { name = "status", type = "text", one_of = ["finished", "in_progress"] },
    { name = "final_mark", type = "integer" },
    { name = "validated", type = "boolean", from = "/validated?" },
    { name = "cursus_ids", type = "jsonb" },
    { name = "updated_at", type = "timestamptz" },
]
[fetch]
path = "/v2/projects_users"
"#;

/// More than are remembered when they are passed over.
const ROWS: u64 = 1_300_000;

/// In KiB.
const MOST: u64 = 32 * 1024;

#[test]
fn a_million_records_need_no_more_memory_than_a_few() {
    let mut mirror = Mirror::without_tables();
    mirror.workdir.write("catalog/01_enrolments.toml", ENROLMENTS);
    let folder = mirror.workdir.path("catalog").display().to_string();
    mirror.workdir.set("CATALOG_DIR", &folder);
    let _made = mirror.workdir.run("init-db", &[]).expect(0);
    write_rows(&mirror, 0..ROWS);
    assert_eq!(load(&mirror)["inserted"], ROWS);
    assert_eq!(load(&mirror)["unchanged"], ROWS);
    // The last row comes first, so that all others are passed over, and some of them forgotten.
    write_rows(&mirror, [0, ROWS - 1].into_iter().chain(1..ROWS - 1));
    assert_eq!(load(&mirror)["unchanged"], ROWS);
    assert_eq!(mirror.count("enrolments"), ROWS);
}

#[test]
fn long_records_that_are_rejected_need_no_more_memory_either() {
    let mirror = Mirror::new();
    let pad = "x".repeat(1 << 17);
    let record = |id| format!("{{\"id\":{id},\"name\":[],\"pad\":\"{pad}\"}}\n");
    mirror.workdir.write("projects.ndjson", &(0..600).map(record).collect::<String>());
    for arguments in [&["projects", "projects.ndjson"][..], &["projects"]] {
        let mut command = mirror.workdir.command("load-table");
        let stdin = std::fs::File::open(mirror.workdir.path("projects.ndjson")).unwrap();
        let output = in_little_memory(command.args(arguments).stdin(stdin));
        assert_eq!(output.status.code(), Some(65), "{output:?}");
    }
}

/// Loads the rows in little memory.
fn load(mirror: &Mirror) -> Value {
    let mut command = mirror.workdir.command("load-table");
    let output = in_little_memory(command.args(["enrolments", "rows.ndjson"]));
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn in_little_memory(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let peak = watch(&mut child);
    let output = child.wait_with_output().unwrap();
    assert!(peak > 1024, "nothing was measured");
    assert!(peak < MOST, "{peak} KiB resident");
    output
}

fn write_rows(mirror: &Mirror, ids: impl Iterator<Item = u64>) {
    let mut file = BufWriter::new(std::fs::File::create(mirror.workdir.path("rows.ndjson")).unwrap());
    let mut line = String::new();
    for id in ids {
        line.clear();
        let (user, mark, status) =
            (id % 40_000, id % 126, if id % 3 == 0 { "in_progress" } else { "finished" });
        let rest = r#""occurrence":0,"current_team_id":null,"project":{"id":1337,"name":"A project","slug":"a-project","parent_id":null},"marked_at":"2025-06-01T10:11:12.131Z","marked":true,"retriable_at":null"#;
        writeln!(
            line,
            r#"{{"id":{id},"user":{{"id":{user},"kind":"student"}},"status":"{status}","final_mark":{mark},"validated?":{},"cursus_ids":[21],"updated_at":"2025-06-01T10:11:12.131Z",{rest}}}"#,
            id % 2 == 0
        )
        .unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
    file.flush().unwrap();
}

/// The highest resident size that a process reached, in KiB, read until it ends.
fn watch(child: &mut Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|size| size.parse().ok());
        peak = peak.max(size.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(10));
    }
    peak
}
