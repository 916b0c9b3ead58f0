//! Pipes: readers that leave, and writers that die in the middle.

use crate::fault::{Fault, dice, rounds};
use crate::tools::{PRINTING, prepare};
use end_to_end::World;
use std::process::Stdio;
use testkit::Run;

/// A world with everything that the printing tools print.
fn printing() -> World {
    let world = World::new(&["--students", "40"]);
    prepare(&world);
    drop(world.run("backlog", &["add", "1"]).expect(0));
    world
}

/// Says in one line that it could not write.
fn fails_to_print(run: Run, words: &str) {
    let run = run.expect(74);
    assert!(run.stderr.contains("stdout: ") || run.stderr.contains("standard output: "), "{run:#?}");
    drop(run.complains(&[words]));
}

#[test]
fn what_prints_says_so_when_nobody_reads() {
    let world = printing();
    let mut fault = Fault::of(13);
    for line in PRINTING {
        // The reader has left before the first byte.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = world.workdir.command("/bin/bash");
        command
            .args(["-c", &format!("exec {line}")])
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(74), "{line}: {said}");
        assert!(said.contains("Broken pipe") && said.lines().count() == 1, "{line}: {said}");
        fault.happened(1);
    }
    fault.survived(&world, &["campuses", "users"]);
}

#[test]
fn what_prints_says_so_when_the_disk_is_full() {
    let world = printing();
    let mut fault = Fault::of(10);
    for line in PRINTING {
        fails_to_print(world.workdir.shell(&format!("{line} >/dev/full")), "No space left on device");
        fault.happened(1);
    }
    fault.survived(&world, &["campuses", "users"]);
}

#[test]
fn half_of_what_a_dying_fetch_prints_is_added_and_nothing_is_deleted() {
    let world = printing();
    let (mut dice, seed) = dice();
    let mut fault = Fault::of(14);
    let ids = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM users";
    for _ in 0..rounds(2) {
        world.mock.moves(r#"{"updates": 10}"#);
        let (before, lines) = (world.database.value(ids), 1 + dice.below(30));
        // Who hands the records on is killed behind so many lines.
        let dying = format!("fetch-users users 2>fetch.log | {{ head -n {lines}; kill -9 $BASHPID; }}");
        let line = format!("{dying} | load-table users; echo \"${{PIPESTATUS[*]}}\" >codes");
        let run = world.workdir.shell(&line).expect(0);
        let codes = world.workdir.read("codes");
        assert!(codes.starts_with("74 137 "), "{seed}, {lines} lines: {codes} {run:#?}");
        fault.happened(1);
        assert_eq!(run.json()["read"], lines, "{seed}");
        assert_eq!((&run.json()["deleted"], world.database.value(ids)), (&0.into(), before), "{seed}");
    }
    drop(world.workdir.shell("set -o pipefail; fetch-users users | load-table users").expect(0));
    fault.survived(&world, &["users"]);
}

#[test]
fn a_record_that_its_dying_writer_cut_is_refused_with_all_before_it() {
    let world = printing();
    let mut fault = Fault::of(14);
    world.database.execute("UPDATE users SET wallet = -1");
    let half = "(head -n 3; head -c 40; exit 69) <exports/08_users/cursus_21/all.ndjson";
    let run = world.workdir.shell(&format!("{half} | load-table users; exit ${{PIPESTATUS[1]}}"));
    drop(
        run.expect(65)
            .complains(&["load-table: users: stdin line 4 column 40: not JSON", "nothing was written"]),
    );
    fault.happened(1);
    assert_eq!(world.database.value("SELECT count(*) FROM users WHERE wallet <> -1"), "0");
    drop(world.load("users"));
    fault.survived(&world, &["users"]);
}
