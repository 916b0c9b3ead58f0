//! The live script: follows what changed, at a call a table, and loses nothing.

use end_to_end::{HANGING, NIGHTLY, World};
use testkit::Run;

const LIVE: &str = "scripts/cron/live_db_sync.sh";
const NIGHTLY_SCRIPT: &str = "scripts/cron/nightly_stable_tables.sh";

/// What moves in the lists that are followed.
const MOVES: &str =
    r#"{"updates": 130, "newcomers": 3, "enrolments": 20, "marks": 30, "badges": 15, "memberships": 5}"#;

/// A world that is mirrored whole.
fn mirrored(arguments: &[&str]) -> World {
    let world = World::new(arguments);
    drop(world.workdir.script(NIGHTLY_SCRIPT, &NIGHTLY).expect(0));
    for table in HANGING {
        drop(world.mirror("fetch-users", table));
    }
    world
}

fn live(world: &World) -> Run {
    world.workdir.script(LIVE, &[])
}

/// Checks the tables that are followed; scores of coalitions move without a trace.
fn assert_followed(world: &World) {
    for table in ["users", "cursus_users", "projects_users", "achievements_users"] {
        world.assert_mirrored(table);
    }
    let members = world.rows("coalitions_users");
    assert_eq!(members as usize, world.mock.all("/v2/coalitions_users").len() - strangers(world));
}

/// Memberships of people who are not mirrored.
fn strangers(world: &World) -> usize {
    let students: Vec<String> =
        world.database.rows("SELECT id FROM users").iter().map(|row| row["id"].to_string()).collect();
    let members = world.mock.all("/v2/coalitions_users");
    members.iter().filter(|member| !students.contains(&member["user_id"].to_string())).count()
}

#[test]
fn what_changed_is_in_the_mirror_after_one_run_and_an_idle_run_costs_a_call_a_table() {
    let world = mirrored(&["--students", "400"]);
    drop(live(&world).expect(0));
    for _ in 0..2 {
        drop(world.mock.moves(MOVES));
        let run = live(&world).expect(0);
        assert!(run.stderr.is_empty() && run.stdout.is_empty(), "quiet when all is well: {run:#?}");
        assert_followed(&world);
    }
    // Past the overlap nothing is left to read; here it is switched past by asking from now on.
    world.database.execute("UPDATE ops.watermarks SET watermark = now()");
    world.mock.forget();
    let loads = world.database.value("SELECT max(id) FROM ops.loads");
    drop(live(&world).expect(0));
    assert_eq!(world.mock.count("calls"), 5, "{}", world.mock.stats());
    let written = "SELECT sum(inserted + updated + deleted), count(*) FROM ops.loads WHERE id > ";
    assert_eq!(
        world.database.value(&format!("SELECT (t).sum || ' ' || (t).count FROM ({written}{loads}) t")),
        "0 5"
    );
}

#[test]
fn a_gap_of_any_length_is_caught_up_whatever_kills_it() {
    let world = mirrored(&["--students", "900"]);
    // Since the end of the mock's past: every row that ever moved is a change.
    world.database.execute("UPDATE ops.watermarks SET watermark = '2025-11-01'; UPDATE users SET wallet = -1; UPDATE projects_users SET status = NULL");
    let before = world.mock.count("calls");
    for milliseconds in [150, 300, 450] {
        // What the killed script was running ends a moment later, and holds its lock until then.
        let line = format!(
            "setsid {}/../{LIVE} & sleep 0.{milliseconds}; kill -KILL -- -$! 2>/dev/null; wait; \
             flock \"$LOGS_DIR/.live_db_sync.lock\" true",
            env!("CARGO_MANIFEST_DIR")
        );
        let _killed = world.workdir.shell(&line);
        drop(world.mock.moves(MOVES));
    }
    drop(live(&world).expect(0));
    assert_eq!(
        world.database.value("SELECT count(*) FROM users WHERE updated_at > '2025-11-01' AND wallet = -1"),
        "0"
    );
    assert_eq!(
        world
            .database
            .value("SELECT count(*) FROM projects_users WHERE updated_at > '2025-11-01' AND status IS NULL"),
        "0"
    );
    assert!(world.mock.count("calls") > before);
}

#[test]
fn a_first_run_looks_back_as_far_as_it_is_told_and_the_next_one_joins() {
    let world = World::new(&["--students", "100"]);
    drop(world.workdir.script(NIGHTLY_SCRIPT, &["cursus", "campuses"]).expect(0));
    drop(world.mock.moves(r#"{"updates": 7}"#));
    drop(world.workdir.script(LIVE, &["600"]).expect(0));
    assert_eq!(world.rows("users"), 7);
    let since = world
        .database
        .value("SELECT count(*) FROM ops.watermarks WHERE watermark > now() - interval '3 minutes'");
    assert_eq!(since, "5", "each table is followed from now on");
    drop(world.workdir.script(LIVE, &["soon"]).expect(2).complains(&["soon is no number of seconds"]));
}

#[test]
fn a_window_made_by_hand_is_read_besides() {
    let mut world = mirrored(&["--students", "300"]);
    world.database.execute("UPDATE users SET wallet = -1; UPDATE ops.watermarks SET watermark = now()");
    let old = world
        .database
        .value("SELECT count(*) FROM users WHERE updated_at BETWEEN '2025-06-01' AND '2025-12-01'");
    world.workdir.set("UPDATED_RANGE", "2025-06-01T00:00:00Z,2025-12-01T00:00:00Z");
    let run = live(&world);
    // What refers to nothing that is mirrored waits, as it does at night.
    assert!(matches!(run.code, 0 | 3), "{run:#?}");
    assert_eq!(world.database.value("SELECT count(*) FROM users WHERE wallet <> -1"), old);
    assert_ne!(old, "0");
    assert_eq!(
        world.database.value("SELECT count(*) FROM ops.watermarks WHERE watermark > '2025-12-31'"),
        "13"
    );
}

#[test]
fn a_window_of_the_env_file_is_read_once_although_records_wait() {
    let world = mirrored(&["--students", "200"]);
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts");
    drop(world.workdir.shell(&format!("mkdir project && cp -r {scripts} project/")).expect(0));
    world.workdir.write("project/.env", "UPDATED_RANGE=2020-01-01,2026-01-01\n");
    world.database.execute("DELETE FROM projects WHERE id = (SELECT min(project_id) FROM projects_users)");
    world.database.execute("UPDATE ops.watermarks SET watermark = now()");
    let live = || world.workdir.shell("project/scripts/cron/live_db_sync.sh");
    drop(live().expect(3));
    world.database.execute("UPDATE ops.watermarks SET watermark = now()");
    world.mock.forget();
    drop(live().expect(0));
    assert_eq!(world.mock.count("calls"), 5, "a call a table, and the window is not read again");
}

#[test]
fn a_catalog_that_cannot_be_read_is_no_success() {
    let mut world = World::new(&["--students", "20"]);
    world.workdir.set("CATALOG_DIR", "/nonexistent");
    let run = live(&world);
    assert!(run.code != 0 && run.stderr.contains("/nonexistent"), "{run:#?}");
}

#[test]
fn a_window_that_is_none_is_named_and_what_changed_is_followed_all_the_same() {
    let mut world = mirrored(&["--students", "50"]);
    drop(world.mock.moves(MOVES));
    world.workdir.set("UPDATED_RANGE", "yesterday");
    let run = live(&world).expect(2);
    assert_eq!(run.stderr.matches("'yesterday' for '--since").count(), 1, "{run:#?}");
    assert_followed(&world);
}

#[test]
fn an_api_that_is_away_stops_the_run_at_the_first_table() {
    let world = mirrored(&["--students", "50"]);
    world.mock.faults(r#"[{"kind": "html503"}]"#);
    let run = live(&world).expect(69);
    assert_eq!(run.stderr.matches("no usable answer").count(), 1, "{run:#?}");
    world.mock.faults("[]");
    drop(world.mock.moves(MOVES));
    drop(live(&world).expect(0));
    assert_followed(&world);
}

#[test]
fn a_second_copy_leaves_without_a_word() {
    let world = World::new(&["--students", "20"]);
    world.workdir.write("logs/.live_db_sync.lock", "");
    let lock = std::fs::File::open(world.workdir.path("logs/.live_db_sync.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(live(&world).expect(75).stderr, "");
}
