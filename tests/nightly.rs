//! The nightly script.

use end_to_end::{HANGING, NIGHTLY, World};
use serde_json::{Value, json};
use testkit::{Run, Workdir};

const SCRIPT: &str = "scripts/cron/nightly_stable_tables.sh";

fn nightly(world: &World) -> Run {
    world.workdir.script(SCRIPT, &[])
}

/// The nightly of what does not hang on the students.
fn stable(world: &World) -> Run {
    world.workdir.script(SCRIPT, &NIGHTLY)
}

/// The counters that say whether a load wrote anything, summed over all loads since the one with this id, and how many
/// records wait.
fn written_since(world: &World, id: &str) -> (String, String) {
    let query = "SELECT sum(inserted + updated + deleted + released) FROM ops.loads WHERE id > ";
    (
        world.database.value(&format!("{query}{id}")),
        world.database.value("SELECT count(*) FROM ops.quarantine"),
    )
}

#[test]
fn forty_thousand_students_are_mirrored_field_by_field_at_the_calls_their_lists_need() {
    let mut world = World::new(&["--students", "40000", "--per-second", "20", "--per-hour", "100000"]);
    // Room for a machine that is busy with other tests; `limits` shows the pace without it.
    world.workdir.set("PACE_SHARE", "0.8");
    assert!(stable(&world).expect(0).stderr.is_empty(), "quiet when all is well");
    for table in NIGHTLY {
        world.assert_mirrored(table);
    }
    assert!(world.rows("users") >= 40_000);
    let active: u64 = world.database.value("SELECT count(*) FROM users WHERE active").parse().unwrap();
    assert!((15_000..25_000).contains(&active), "active? is read: {active}");

    let stats = world.mock.stats();
    assert_eq!(stats["throttled"], 0, "{stats}");
    assert_eq!(stats["limit_violations"], 0, "{stats}");
    assert!(stats["max_in_any_second"].as_u64() <= Some(20), "{stats}");
    assert_eq!(stats["by_path"], expected_calls(&world), "⌈rows/100⌉ calls a list and nothing else");
}

#[test]
fn students_without_a_campus_are_mirrored_and_stay() {
    for ends in ["inclusive", "exclusive"] {
        let world = World::new(&["--students", "600", "--without-campus", "9", "--range-ends", ends]);
        assert!(stable(&world).expect(0).stderr.is_empty(), "quiet when all is well");
        world.assert_mirrored("users");
        assert_eq!(world.database.value("SELECT count(*) FROM users WHERE campus_id IS NULL"), "9");
        // Live work sees them too; the next full walk does not take them for departures.
        world.mock.moves(r#"{"updates": 600, "silent": 50}"#);
        drop(world.workdir.script("scripts/cron/live_db_sync.sh", &[]).expect(0));
        drop(world.run("fetch-users", &["--export", "--force", "users"]).expect(0));
        assert_eq!(world.load("users")["deleted"], 0);
        world.assert_mirrored("users");
        drop(world.run("fetch-users", &["--export", "cursus_users"]).expect(0));
        drop(world.load("cursus_users"));
        world.assert_mirrored("cursus_users");
        // As a stream too.
        let printed = world.run("fetch-users", &["users"]).expect(0).records();
        assert_eq!(printed.iter().filter(|user| user["campus_id"].is_null()).count(), 9);
        assert_eq!(u64::try_from(printed.len()), Ok(world.rows("users")));
    }
}

/// ⌈rows/100⌉ calls for each list, one for a list that is empty.
fn expected_calls(world: &World) -> Value {
    let pages = |rows: usize| rows.div_ceil(100).max(1);
    let list = |path: &str| pages(world.mock.all(path).len());
    // The undivided list is asked whether anybody is in none of the others.
    let mut users = 1;
    for campus in world.mock.all("/v2/campus") {
        let id = &campus["id"];
        let query = format!("filter[kind]=student&filter[alumni?]=false&filter[primary_campus_id]={id}");
        users += list(&format!("/v2/cursus/21/users?{query}"));
    }
    json!({
        "/v2/cursus": list("/v2/cursus"),
        "/v2/campus": list("/v2/campus"),
        "/v2/achievements": list("/v2/achievements"),
        "/v2/cursus/21/projects": list("/v2/cursus/21/projects"),
        "/v2/cursus/21/users": users,
        "/v2/coalitions": list("/v2/coalitions"),
    })
}

#[test]
fn the_second_run_fetches_nothing_and_writes_nothing() {
    let world = World::new(&["--students", "300"]);
    // What hangs on the students points at some achievements and projects that nobody may see.
    drop(nightly(&world).expect(3));
    let calls = world.mock.count("calls");
    let last = world.database.value("SELECT max(id) FROM ops.loads");
    let newest = world.database.value("SELECT max(ingested_at) FROM users");
    let nothing = ("0".to_owned(), world.database.value("SELECT count(*) FROM ops.quarantine"));
    drop(nightly(&world).expect(3));
    assert_eq!(world.mock.count("calls"), calls);
    assert_eq!(written_since(&world, &last), nothing);
    assert_eq!(world.database.value("SELECT max(ingested_at) FROM users"), newest);

    let everything = ["cursus", "campus", "achievements", "projects", "coalitions"];
    drop(world.run("fetch-cursus", &[&["--export", "--force"], everything.as_slice()].concat()).expect(0));
    assert!(world.mock.count("calls") > calls, "--force fetches again");
    drop(nightly(&world).expect(3));
    assert_eq!(written_since(&world, &last), nothing, "the same data again writes nothing");
}

#[test]
fn a_world_that_moved_is_mirrored_again() {
    let world = World::new(&["--students", "800"]);
    drop(stable(&world).expect(0));
    let moved = r#"{"updates": 60, "silent": 40, "departures": 5, "anonymise": 3, "newcomers": 8}"#;
    world.mock.moves(moved);
    drop(world.run("fetch-cursus", &["--export", "--force"]).expect(0));
    drop(world.run("fetch-users", &["--export", "--force", "users"]).expect(0));
    let summary = world.load("users");
    drop(stable(&world).expect(0));
    for table in NIGHTLY {
        world.assert_mirrored(table);
    }
    assert_eq!(summary["inserted"], 8, "{summary}");
    assert!(summary["deleted"].as_u64() >= Some(5), "departures: {summary}");
    let changed = summary["updated"].as_u64().unwrap();
    assert!((70..=100).contains(&changed), "silent changes are seen too: {summary}");
}

#[test]
fn what_hangs_on_the_students_is_mirrored_by_their_ids() {
    let world = World::new(&["--students", "400"]);
    drop(stable(&world).expect(0));
    world.mock.forget();
    for table in HANGING {
        drop(world.mirror("fetch-users", table));
        world.assert_mirrored(table);
    }
    let levels = world.database.value("SELECT count(*) FROM cursus_users WHERE level > 0");
    assert_ne!(levels, "0");
    // Strangers' rows, three times as many, are never asked for: one call for each hundred students of a campus.
    let stats = world.mock.stats();
    let query = "SELECT sum(ceil(n / 100.0))::int FROM (SELECT count(*) n FROM users GROUP BY campus_id) c";
    let batches: u64 = world.database.value(query).parse().unwrap();
    assert_eq!(stats["by_path"]["/v2/cursus/21/cursus_users"].as_u64(), Some(batches));
    assert_eq!(stats["throttled"], 0);
}

#[test]
fn a_stage_that_fails_does_not_stop_those_that_do_not_need_it() {
    let world = World::new(&["--students", "200"]);
    world.mock.faults(r#"[{"kind": "html403", "path": "/v2/cursus/21/projects"}]"#);
    let mut impatient = world;
    impatient.workdir.set("RUST_LOG", "error");
    let run = nightly(&impatient).expect(69);
    for table in ["cursus", "campuses", "achievements", "campus_achievements", "users", "coalitions"] {
        impatient.assert_mirrored(table);
    }
    assert_eq!(impatient.rows("projects") + impatient.rows("project_sessions"), 0);
    assert!(run.stderr.contains("projects: GET /v2/cursus/21/projects"), "{run:#?}");
    assert!(run.stderr.contains("project_sessions: skipped, it needs projects"), "{run:#?}");
    let log = impatient.workdir.read("logs/nightly_stable_tables.log");
    assert!(log.contains("exit 69: fetch-cursus --export projects"), "{log}");

    impatient.mock.faults("[]");
    drop(nightly(&impatient).expect(3));
    impatient.assert_mirrored("project_sessions");
}

#[test]
fn tables_are_mirrored_side_by_side_and_none_before_those_it_needs() {
    let world = World::new(&["--students", "300", "--latency", "100"]);
    drop(nightly(&world).expect(3));
    let value = |query: &str| world.database.value(query);
    let stages =
        "(SELECT split_part(job_name, '_', 1) AS what, substr(job_name, strpos(job_name, '_') + 1) AS name,
         started_at, completed_at FROM ops.job_executions WHERE parent_run IS NOT NULL)";
    let beside = format!(
        "SELECT count(*) FROM {stages} f JOIN {stages} l ON f.what = 'fetch' AND l.what = 'load' AND f.name <> l.name
           AND (f.started_at, f.completed_at) OVERLAPS (l.started_at, l.completed_at)"
    );
    assert_ne!(value(&beside), "0", "one is loaded while another is fetched");
    let listed = world.run("init-db", &["--list"]).expect(0).stdout;
    let mut needed = 0;
    for line in listed.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        for need in columns[2].split_whitespace() {
            let early = format!(
                "SELECT count(*) FROM {stages} f JOIN {stages} l ON f.name = '{}' AND l.name = '{need}'
                   AND l.what = 'load' AND f.started_at < l.completed_at",
                columns[0]
            );
            assert_eq!(value(&early), "0", "{} is mirrored after {need}", columns[0]);
            needed += 1;
        }
    }
    assert!(needed > 10, "{listed}");
}

#[test]
fn only_the_tables_that_are_named_are_mirrored_and_a_misspelt_one_is_refused() {
    let world = World::new(&["--students", "100"]);
    drop(world.workdir.script(SCRIPT, &["cursus", "coalitions"]).expect(0));
    assert_eq!(
        world.database.value("SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM ops.loads"),
        "coalitions cursus"
    );
    let run = world.workdir.script(SCRIPT, &["cursus", "coalition"]).expect(2);
    drop(run.complains(&["no table coalition"]));
}

#[test]
fn a_second_copy_leaves_at_once_and_says_so() {
    let workdir = Workdir::new();
    workdir.write("logs/.nightly_stable_tables.lock", "");
    let lock = std::fs::File::open(workdir.path("logs/.nightly_stable_tables.lock")).unwrap();
    lock.lock().unwrap();
    let run = workdir.script(SCRIPT, &[]).expect(75);
    drop(run.complains(&["another copy is running"]));
}

#[test]
fn the_script_says_when_there_is_no_database() {
    let mut world = World::new(&["--students", "100"]);
    world.workdir.set("DATABASE_URL", "postgresql:///nowhere?host=/nonexistent&user=nobody");
    let run = nightly(&world).expect(69);
    assert!(run.stderr.contains("cannot reach PostgreSQL"), "{run:#?}");
    assert!(world.workdir.path("exports/01_cursus/all.ndjson").exists(), "fetching needs no database");
}
