//! What leaves the API leaves the mirror; what only seems to leave stays.

use end_to_end::World;

fn mirrored() -> World {
    let world = World::new(&["--students", "1200"]);
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-users", "users"));
    world
}

#[test]
fn departures_leave_with_what_hangs_on_them() {
    let world = mirrored();
    drop(world.mirror("fetch-cursus", "cursus"));
    drop(world.mirror("fetch-users", "cursus_users"));
    world.mock.moves(r#"{"departures": 20}"#);
    let summary = world.mirror("fetch-users", "users");
    assert_eq!(summary["deleted"], 20, "{summary}");
    assert!(summary["cascaded"]["cursus_users"].as_u64() >= Some(20), "{summary}");
    world.assert_mirrored("users");
}

#[test]
fn a_fetch_that_is_cut_to_a_quarter_deletes_nothing() {
    let world = mirrored();
    let before = world.rows("users");
    // As stdin: half a stream is only ever added to what is there.
    let quarter = before / 4;
    let line = format!("head -n {quarter} exports/08_users/cursus_21/all.ndjson | load-table users");
    assert_eq!(world.workdir.shell(&line).expect(0).json()["deleted"], 0);
    // As an export whose file was cut behind its manifest's back.
    let export = world.workdir.read("exports/08_users/cursus_21/all.ndjson");
    let cut: String = export.lines().take(quarter as usize).flat_map(|line| [line, "\n"]).collect();
    world.workdir.write("exports/08_users/cursus_21/all.ndjson", &cut);
    drop(
        world.run("load-table", &["users", "--export"]).expect(65).complains(&["does not fit its manifest"]),
    );
    assert_eq!(world.rows("users"), before);
}

#[test]
fn a_complete_export_that_lacks_too_much_is_refused() {
    let world = mirrored();
    let before = world.rows("users");
    world.mock.moves(r#"{"departures": 300}"#);
    drop(world.run("fetch-users", &["--export", "--force", "users"]).expect(0));
    drop(world.run("load-table", &["users", "--export"]).expect(65).complains(&["--max-prune", "300"]));
    assert_eq!(world.rows("users"), before);
    drop(world.run("load-table", &["users", "--export", "--max-prune", "0.5"]).expect(0));
    world.assert_mirrored("users");
}

#[test]
fn a_campus_that_closes_does_not_take_its_students_along_unasked() {
    let world = mirrored();
    let before = world.rows("users");
    world.database.execute("INSERT INTO campuses (id, ingested_at) VALUES (999, now() - interval '1 day')");
    world.database.execute("UPDATE users SET campus_id = 999 WHERE id % 4 = 0");
    let run = world.run("load-table", &["campus", "--export"]).expect(65);
    drop(run.complains(&["rows of users would go", "--max-prune"]));
    assert_eq!((world.rows("users"), world.rows("campuses")), (before, 79));
    assert_eq!(world.run("load-table", &["campus", "--export", "--no-prune"]).expect(0).json()["deleted"], 0);
    let run = world.run("load-table", &["campus", "--export", "--max-prune", "0.5"]).expect(0);
    assert_eq!(run.json()["cascaded"]["users"].as_u64(), Some(before - world.rows("users")));
    assert_eq!(world.rows("campuses"), 78);
}

#[test]
fn an_export_of_one_campus_adds_and_updates_and_never_deletes() {
    let world = mirrored();
    let campus =
        world.database.value("SELECT campus_id FROM users GROUP BY 1 ORDER BY count(*) DESC LIMIT 1");
    // A student who moved there last is missing in the export of the campus before; what hangs on him must stay.
    world.database.execute(&format!(
        "INSERT INTO users (id, campus_id, ingested_at) VALUES (900000001, {campus}, now() - interval '1 day')"
    ));
    drop(world.run("fetch-users", &["--export", "users", "--campus", &campus]).expect(0));
    let run = world.run("load-table", &["users", "--export", "--campus", &campus]).expect(0);
    assert_eq!(run.json()["deleted"], 0, "{run:#?}");
    assert_eq!(world.database.value("SELECT count(*) FROM users WHERE id = 900000001"), "1");
    assert_eq!(world.mirror("fetch-users", "users")["deleted"], 1, "an export of everything does");
    drop(world.run("fetch-users", &["users", "--campus", "999999"]).expect(2).complains(&["999999"]));
}

#[test]
fn an_export_of_another_cursus_or_of_last_week_is_refused() {
    let world = mirrored();
    let manifest = world.workdir.read("exports/08_users/cursus_21/all.manifest.json");
    let data = world.workdir.read("exports/08_users/cursus_21/all.ndjson");
    world.workdir.write(
        "exports/08_users/cursus_9/all.manifest.json",
        &manifest.replace(r#""cursus": 21"#, r#""cursus": 9"#),
    );
    world.workdir.write("exports/08_users/cursus_9/all.ndjson", &data);
    let run = world.run("load-table", &["users", "--export", "--cursus", "9"]).expect(65);
    drop(run.complains(&["the table holds cursus 21"]));

    world.mock.moves(r#"{"newcomers": 3}"#);
    assert_eq!(world.mirror("fetch-users", "users")["inserted"], 3);
    world.workdir.write("exports/08_users/cursus_21/all.manifest.json", &manifest);
    world.workdir.write("exports/08_users/cursus_21/all.ndjson", &data);
    drop(world.run("load-table", &["users", "--export"]).expect(65).complains(&["older than the walk of"]));
    let run = world.workdir.shell("load-table users < exports/08_users/cursus_21/all.ndjson").expect(0);
    assert_eq!(run.json()["deleted"], 0);
    world.assert_mirrored("users");
}

#[test]
fn a_list_that_comes_back_empty_deletes_nothing() {
    let world = mirrored();
    let before = world.rows("users");
    world.mock.faults(r#"[{"kind": "empty", "path": "/users"}]"#);
    let run = world.run("fetch-users", &["--export", "--force", "users"]);
    if run.code == 0 {
        drop(world.run("load-table", &["users", "--export"]).expect(65));
    }
    assert_eq!(world.rows("users"), before);
}

#[test]
fn a_row_waits_for_its_parent_and_comes_when_it_comes() {
    let world = World::new(&["--students", "300"]);
    drop(world.run("fetch-cursus", &["--export", "campus"]).expect(0));
    drop(world.run("fetch-users", &["--export", "users"]).expect(0));
    let run = world.run("load-table", &["users", "--export"]).expect(3);
    let students = run.json()["quarantined"].as_u64().unwrap();
    assert!(students >= 300 && world.rows("users") == 0, "{run:#?}");
    // A whole feed can wait for one parent: this is no reason to refuse it.
    let summary = world.load("campus");
    assert_eq!(summary["released_elsewhere"]["users"].as_u64(), Some(students), "{summary}");
    world.assert_mirrored("users");
    assert_eq!(world.database.value("SELECT count(*) FROM ops.quarantine"), "0");
}
