//! A disk that is full.

use crate::desk::{Desk, Store};

#[test]
fn a_full_disk_is_said_and_what_was_there_stays() {
    let desk = Desk::new(Store::Files);
    desk.add(1..=100);
    let backlog = testkit::tool("backlog");
    // No file may grow past 8 KiB, and the signal that says so is an error instead.
    let shell = |line: &str| {
        desk.workdir.shell(&format!(
            "trap '' XFSZ; ulimit -f 8; {}",
            line.replace("backlog", &backlog.display().to_string())
        ))
    };
    let run = shell("seq 1000 3000 | backlog add -").expect(74);
    assert!(run.stderr.contains("pending_users.jsonl"), "{run:#?}");
    let mut found = desk.ids("list");
    found.sort_unstable();
    assert_eq!(found, (1..=100).collect::<Vec<_>>());
    drop(desk.run(&["process"]).expect(0));
    assert_eq!(desk.counts(), [0, 0, 100]);
}
