//! Rows that differ wait on the disk of temporary files until the table is read.

use crate::mirror::{Mirror, campuses, text, user, with};
use serde_json::json;
use std::path::Path;
use std::process::{Child, Stdio};

/// So many that their rows need more than a mebibyte.
const STUDENTS: u64 = 9000;

/// A mirror, and a file in which every student differs.
fn changed() -> Mirror {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.load("users", &text((1..=STUDENTS).map(user)));
    let changed = (1..=STUDENTS).map(|id| with(user(id), json!({"wallet": 6})));
    mirror.workdir.write("users.ndjson", &text(changed));
    mirror
}

#[test]
fn without_room_for_rows_that_differ_nothing_is_written_and_the_way_out_is_told() {
    let mirror = changed();
    let before = mirror.versions("users");
    let load = "load-table users users.ndjson";
    // No file may grow past 100 KiB, and the signal that says so is an error instead.
    for (obstacle, problem) in [
        ("trap '' XFSZ; ulimit -f 100", "File too large"),
        ("export TMPDIR=/nowhere", "No such file or directory"),
    ] {
        let run = mirror.workdir.shell(&format!("{obstacle}; {load}")).expect(74);
        drop(run.complains(&["load-table: users: no room for rows that wait", "TMPDIR", problem]));
        assert!(before == mirror.versions("users"), "{obstacle}");
    }
    let run = mirror.workdir.shell(&format!("mkdir room; TMPDIR=room {load}")).expect(0);
    assert_eq!(run.json()["updated"], STUDENTS);
}

#[test]
fn rows_that_a_file_does_not_tell_of_need_no_room() {
    let mut mirror = Mirror::new();
    let coalition = |id: u64| {
        json!({"id": id, "name": "x".repeat(100), "slug": null, "image_url": null, "cover_url": null, "color": null,
            "score": null, "user_id": null})
    };
    let all = 1..=20 * STUDENTS;
    mirror.load("coalitions", &text(all.clone().map(coalition)));
    mirror.workdir.write("half.ndjson", &text(all.step_by(2).map(coalition)));
    mirror.workdir.set("TMPDIR", "/nowhere");
    let summary = mirror.workdir.run("load-table", &["coalitions", "half.ndjson"]).expect(0).json();
    assert_eq!(summary["unchanged"], 10 * STUDENTS);
}

#[test]
fn whoever_is_killed_leaves_no_file_behind() {
    let mut mirror = changed();
    let room = mirror.workdir.path("room");
    std::fs::create_dir(&room).unwrap();
    mirror.workdir.set("TMPDIR", &room.display().to_string());
    let mut waited = 0;
    for round in 0..10 {
        let mut command = mirror.workdir.command("load-table");
        let mut child =
            command.args(["users", "users.ndjson", "--dry-run"]).stdout(Stdio::null()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if holds_file(&child, &room) {
                waited += 1;
                break;
            }
        }
        assert_eq!(std::fs::read_dir(&room).unwrap().count(), 0, "round {round}: a file with a name");
        child.kill().unwrap();
        let _ended = child.wait().unwrap();
        assert_eq!(std::fs::read_dir(&room).unwrap().count(), 0, "round {round}");
    }
    assert!(waited > 0, "nothing waited on the disk");
}

/// Whether a process has a file open that is, or was, in a folder.
fn holds_file(child: &Child, folder: &Path) -> bool {
    let open = std::fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
    open.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|path| path.starts_with(folder))
}
