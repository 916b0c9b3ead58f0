//! What a load writes, counted: rows, and bytes of the server's log. Counts are the same on a busy machine.

use crate::mirror::{CURSUS, Mirror, campuses, lines, user, with};
use serde_json::{Value, json};
use testkit::{Database, Server, Workdir};

const STUDENTS: u64 = 20_000;
const NEW: u64 = 17;
const MIB: u64 = 1 << 20;

/// The ways in which records come.
const WAYS: [&str; 3] = ["a file", "a stream", "an export"];

/// A moment of the server.
struct Mark {
    log_position: String,
    transaction: String,
}

impl Mark {
    fn now(mirror: &Mirror) -> Self {
        let log_position = mirror.value("SELECT pg_current_wal_insert_lsn()");
        Self { log_position, transaction: mirror.value("SELECT pg_snapshot_xmax(pg_current_snapshot())") }
    }

    fn logged(&self, mirror: &Mirror) -> u64 {
        let since = format!("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{}')", self.log_position);
        mirror.value(&since).parse().unwrap()
    }

    fn written(&self, mirror: &Mirror, table: &str) -> u64 {
        mirror.count(&format!("{table} WHERE xmin::text::bigint >= {}", self.transaction))
    }
}

fn load(mirror: &Mirror, way: &str, records: &[Value]) -> Value {
    let lines = lines(records.iter().cloned());
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let run = match way {
        "a file" => {
            mirror.workdir.write("users.ndjson", &text);
            mirror.workdir.run("load-table", &["users", "users.ndjson"])
        }
        "a stream" => mirror.feed(&["users"], &text),
        _ => {
            mirror.export("08_users", CURSUS, &lines);
            mirror.load_export("users", &[])
        }
    };
    run.expect(0).json()
}

#[test]
fn twenty_thousand_rows_again_write_no_row_and_less_than_a_mebibyte_of_log() {
    // A server of its own: the log is one for all databases.
    let server = Server::start();
    let (database, mut workdir) = (Database::create_on(&server), Workdir::new());
    workdir.set("DATABASE_URL", &database.url());
    let mirror = Mirror { database, workdir };
    mirror.database.execute("ALTER SYSTEM SET autovacuum = off");
    mirror.database.execute("SELECT pg_reload_conf()");
    let _tables = mirror.workdir.run("init-db", &[]).expect(0);
    mirror.load("campus", &campuses());
    let students: Vec<_> = (1..=STUDENTS).map(user).collect();
    let before = Mark::now(&mirror);
    load(&mirror, "a file", &students);
    assert_eq!(before.written(&mirror, "users"), STUDENTS);
    assert!(before.logged(&mirror) > 4 * MIB, "nothing was measured");
    // What is written first after a checkpoint is logged by whole pages: the worst case.
    for way in WAYS {
        mirror.database.execute("CHECKPOINT");
        let before = Mark::now(&mirror);
        assert_eq!(load(&mirror, way, &students)["unchanged"], STUDENTS, "{way}");
        let logged = before.logged(&mirror);
        assert_eq!(before.written(&mirror, "users"), 0, "{way}");
        assert_eq!(before.written(&mirror, "ops.loads"), 1, "{way}");
        assert!(logged < MIB, "{way}: {logged} bytes");
    }
}

#[test]
fn of_twenty_thousand_rows_exactly_those_are_written_that_differ() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let mut students: Vec<_> = (1..=STUDENTS).map(user).collect();
    load(&mirror, "a file", &students);
    for (nth, way) in WAYS.into_iter().enumerate() {
        let mut changed = 0;
        for student in students.iter_mut().skip(nth).step_by(23) {
            changed += 1;
            *student = with(student.clone(), json!({"wallet": 100 + nth}));
            // Of three changes, one does not move it.
            if changed % 3 > 0 {
                student["updated_at"] = json!(format!("2025-07-0{}T00:00:00.000Z", nth + 1));
            }
        }
        let next = students.len() as u64 + 1;
        students.extend((next..next + NEW).map(user));
        let before = Mark::now(&mirror);
        let summary = load(&mirror, way, &students);
        assert_eq!(summary["updated"], changed, "{way}");
        assert_eq!(summary["inserted"], NEW, "{way}");
        assert_eq!(before.written(&mirror, "users"), changed + NEW, "{way}");
    }
}
