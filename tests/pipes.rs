//! What people type into a shell.

use end_to_end::World;

fn with_campuses() -> World {
    let world = World::new(&["--students", "300"]);
    drop(world.mirror("fetch-cursus", "campus"));
    world
}

#[test]
fn fetch_pipes_into_load() {
    let world = with_campuses();
    drop(world.workdir.shell("set -o pipefail; fetch-users users | load-table users").expect(0));
    world.assert_mirrored("users");
}

#[test]
fn a_file_is_loaded_from_stdin() {
    let world = with_campuses();
    let run = world.workdir.shell("fetch-users users >u.ndjson && load-table users <u.ndjson").expect(0);
    assert_eq!(run.json()["inserted"].as_u64(), Some(world.rows("users")));
    world.assert_mirrored("users");
}

#[test]
fn records_keep_the_shape_of_the_api() {
    let world = with_campuses();
    let run = world.workdir.shell("fetch-cursus campus").expect(0);
    let mut records = run.records();
    records.sort_by_key(|record| record["id"].as_u64());
    assert_eq!(records, world.mock.all("/v2/campus"));
    assert!(run.stderr.starts_with("fetch-cursus: campus: rows "), "{run:#?}");
    assert_eq!(run.stderr.lines().count(), 1, "no bar without a terminal");
}

#[test]
fn a_reader_that_leaves_stops_the_fetching() {
    let world = with_campuses();
    world.mock.forget();
    world.mock.switch(r#"{"latency": 50}"#);
    let run = world.workdir.shell("fetch-users users | head -1; exit ${PIPESTATUS[0]}").expect(74);
    assert_eq!(run.stdout.lines().count(), 1);
    let run = run.complains(&["fetch-users: users: stdout: ", "pipe"]);
    let calls = world.mock.count("calls");
    assert!(calls < 40, "{calls} calls for one line: {run:#?}");
}

#[test]
fn a_full_disk_is_no_success() {
    let world = with_campuses();
    let run = world.workdir.shell("fetch-cursus campus >/dev/full").expect(74);
    drop(run.complains(&["stdout", "No space left"]));
    let run =
        world.workdir.shell("fetch-cursus campus | load-table campus >/dev/full; exit ${PIPESTATUS[1]}");
    drop(run.expect(74));
}

#[test]
fn one_campus_is_one_list() {
    let world = with_campuses();
    let campus = world.mock.all("/v2/campus").into_iter().find(|campus| {
        let id = campus["id"].as_u64().unwrap();
        !world.mock.all(&format!("/v2/cursus/21/users?filter[kind]=student&filter[alumni?]=false&filter[primary_campus_id]={id}")).is_empty()
    });
    let number = campus.unwrap()["id"].as_u64();
    let id = number.unwrap().to_string();
    world.mock.forget();
    let run = world.run("fetch-users", &["users", "--campus", &id]).expect(0);
    assert!(run.records().iter().all(|record| record["campus_id"].as_u64() == number));
    assert_eq!(world.mock.count("calls"), run.records().len().div_ceil(100) as u64);
    drop(world.run("fetch-users", &["--export", "users", "--campus", &id]).expect(0));
    assert!(world.workdir.path(&format!("exports/08_users/cursus_21/campus_{id}/all.ndjson")).exists());
    drop(
        world
            .run("fetch-cursus", &["coalitions", "--campus", &id])
            .expect(2)
            .complains(&["--campus does not apply"]),
    );
}

#[test]
fn any_path_of_the_api_comes_as_ndjson() {
    let world = with_campuses();
    let run = world.run("fetch-cursus", &["--path", "/v2/achievements"]).expect(0);
    assert_eq!(run.records(), world.mock.all("/v2/achievements"));
    let run = world
        .run("fetch-cursus", &["--path", "/v2/users?filter[kind]=student&filter[alumni?]=true&per_page=7"])
        .expect(0);
    assert_eq!(run.records().len(), 7);
    let run = world.run("fetch-cursus", &["--path", "/v2/cursus/21"]).expect(0);
    assert_eq!(run.json()["slug"], "42cursus");
    drop(world.run("fetch-cursus", &["--path", "/v2/users/0"]).expect(1).complains(&["/v2/users/0", "404"]));
    let run = world.run("fetch-cursus", &["--path", "/v2/projects_users?filter[campus_id]=1"]).expect(1);
    drop(run.complains(&["Attributes campus_id doesn't exists"]));
}

#[test]
fn derived_resources_cost_no_call() {
    let world = with_campuses();
    drop(world.run("fetch-cursus", &["--export", "achievements", "projects"]).expect(0));
    world.mock.forget();
    for name in ["campus_achievements", "campus_projects", "project_sessions"] {
        let printed = world.run("fetch-cursus", &[name]).expect(0);
        drop(world.run("fetch-cursus", &["--export", name]).expect(0));
        assert!(!printed.stdout.is_empty());
    }
    assert_eq!(world.mock.count("calls") + world.mock.count("token_calls"), 0);
}

#[test]
fn what_is_not_there_yet_is_named_with_the_command_that_makes_it() {
    let world = World::new(&["--students", "50"]);
    let run = world.run("fetch-users", &["users"]).expect(78);
    drop(run.complains(&["exports/02_campus/all.ndjson is not there yet", "fetch-cursus --export campus"]));
    let run = world.run("fetch-cursus", &["project_sessions"]).expect(78);
    drop(run.complains(&["fetch-cursus --export projects"]));
}

#[test]
fn tools_read_dotenv_and_never_run_it() {
    let world = with_campuses();
    let mut workdir = testkit::Workdir::new();
    let text = format!(
        "API_ROOT={}\nCLIENT_ID=u-s4t2ud-mock\nCLIENT_SECRET='s-s4t2ud-mock'\nX='`touch ran`'\nY='$(touch ran)'\n",
        world.mock.url()
    );
    workdir.write(".env", &text);
    drop(workdir.run("fetch-cursus", &["cursus"]).expect(0));
    assert!(!workdir.path("ran").exists());
    workdir.set("CLIENT_SECRET", "s-s4t2ud-other");
    workdir.set("STATE_DIR", &workdir.path("other-state").display().to_string());
    drop(workdir.run("fetch-cursus", &["cursus"]).expect(77).complains(&["secret"]));
}
