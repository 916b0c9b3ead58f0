//! What people type.

use crate::desk::{Desk, user, words};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use testkit::{Workdir, places_in_files};

#[test]
fn everything_about_somebody_is_printed_and_nothing_of_others() {
    let desk = Desk::full();
    let lines = desk.purge(&["export", "11"]).expect(0).records();
    let place = |line: &Value| {
        let place = line["place"].as_str().unwrap();
        place.rsplit_once("/exports/").map_or(place.to_owned(), |(_, below)| below.to_owned())
    };
    let mut places: Vec<String> = lines.iter().map(place).collect();
    places.dedup();
    let expected = [
        "users",
        "coalitions",
        "projects_users",
        "achievements_users",
        "ops.quarantine",
        "backlog (files)",
        "backlog (postgres)",
        "08_users/cursus_21/all.ndjson",
        "08_users/cursus_21/looked_up.ndjson",
        "08_users/cursus_21/changes.ndjson",
        "11_projects_users/cursus_21/all.ndjson",
        "11_projects_users/cursus_21/all.ndjson.part",
        "12_achievements_users/cursus_21/all.ndjson",
    ];
    assert_eq!(places, expected);
    let within =
        |line: &&Value| line["record"] == json!({"id": 11, "login": "loginof11q", "url": "/loginof11q"});
    assert_eq!(lines.iter().filter(within).count(), 2, "of a team of others, the member alone");
    drop(desk.purge(&["erase", "11"]).expect(0));
    let left = desk.purge(&["export", "11"]).expect(0).records();
    assert_eq!(left.iter().map(place).collect::<Vec<_>>(), ["coalitions", "ops.tombstones"], "keys stay");
    let run = desk.purge(&["export", "4711"]).expect(0).complains(&["nothing is held about 4711"]);
    assert_eq!(run.stdout, "");
}

#[test]
fn who_asked_to_be_erased_comes_back_only_when_somebody_allows_it() {
    let desk = Desk::new();
    let run = desk.workdir.feed("purge-people", &["erase", "-"], "11\n\n12\n4711\n").expect(0);
    assert!(run.stdout.starts_with("0 due, 3 asked for, 3 are kept away\nrows: users 2\n"), "{run:#?}");
    let list = desk.purge(&["list"]).expect(0).stdout;
    assert_eq!(list.lines().filter(|line| line.ends_with("  request")).count(), 3, "{list}");
    assert_eq!(desk.load("users", &[user(11), user(12)], 0)["erased"], 2);
    assert_eq!(desk.purge(&["allow", "11", "10"]).expect(0).stdout, "1 may be mirrored again\n");
    assert_eq!(desk.load("users", &[user(11), user(12)], 0)["inserted"], 1);
    let stones = desk.purge(&["list", "--json"]).expect(0);
    assert_eq!(
        desk.workdir.read("backups/tombstones.ndjson"),
        stones.stdout,
        "the file says what the table says"
    );
    assert!(stones.records()[0]["lifted_at"].is_string(), "{stones:#?}");
    drop(desk.purge(&["run"]).expect(0));
    assert_eq!(desk.count("users"), 2, "who is allowed stays");
}

#[test]
fn tombstones_survive_the_database() {
    let desk = Desk::new();
    drop(desk.purge(&["erase", "11"]).expect(0));
    drop(desk.purge(&["erase", "12"]).expect(0));
    drop(desk.purge(&["allow", "12"]).expect(0));
    // The database is put back to what it was before, but for somebody who was erased meanwhile elsewhere.
    desk.database.execute("TRUNCATE ops.tombstones");
    desk.database
        .execute("INSERT INTO ops.tombstones VALUES (10, now(), 'request'), (12, '2020-01-01', 'request')");
    for record in [user(11), user(12)] {
        desk.database.execute(&format!(
            "INSERT INTO users (id, login) VALUES ({}, {}) ON CONFLICT (id) DO NOTHING",
            record["id"],
            record["login"].to_string().replace('"', "'")
        ));
    }
    assert_eq!(
        desk.purge(&["remember"]).expect(0).stdout,
        "2 are kept away, 2 of the tombstones were news to the database\n"
    );
    assert_eq!(desk.count("users"), 3, "nobody is erased by that");
    assert_eq!(desk.report(&["run"])["tables"], json!({"users": 2}));
    assert_eq!(desk.database.value("SELECT string_agg(id::text, ' ') FROM users"), "12");
    assert_eq!(desk.workdir.read("backups/tombstones.ndjson").lines().count(), 3);
    for path in ["backups", "backups/tombstones.ndjson", "backups/tombstones.lock"] {
        let mode = std::fs::metadata(desk.workdir.path(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
}

#[test]
fn what_is_no_id_is_refused_without_being_repeated() {
    let desk = Desk::new();
    for bad in ["loginof11q", "11x", "0", "2147483648", "1180591620717411303424", ""] {
        for command in ["erase", "export", "allow"] {
            let run = desk.purge(&[command, bad]).expect(2).complains(&["logins and names are not taken"]);
            assert!(bad.is_empty() || !run.stderr.contains(bad) || bad == "0", "{run:#?}");
        }
        let run = desk.workdir.feed("purge-people", &["erase", "-"], &format!("11\n{bad}x\n")).expect(65);
        drop(run.complains(&["standard input, line 2"]));
    }
    drop(desk.purge(&["erase"]).expect(2));
    drop(desk.purge(&["run", "--max-erase", "2"]).expect(2));
    assert_eq!((desk.count("users"), desk.count("ops.tombstones")), (3, 0));
}

#[test]
fn what_is_wrong_is_told_with_its_exit_code() {
    let mut desk = Desk::new();
    drop(desk.workdir.shell("purge-people run > /dev/full").expect(74).complains(&["standard output"]));
    drop(desk.purge(&["erase", "11"]).expect(0));
    drop(desk.workdir.shell("purge-people list > /dev/full").expect(74).complains(&["standard output"]));
    desk.workdir.write("backups/tombstones.ndjson", "{\"user_id\": 11}\n");
    let run = desk.purge(&["run"]).expect(65);
    drop(run.complains(&["tombstones.ndjson: line 1: missing field `erased_at`"]));
    desk.database.execute("DROP TABLE ops.tombstones");
    drop(std::fs::remove_file(desk.workdir.path("backups/tombstones.ndjson")));
    drop(desk.purge(&["run"]).expect(78).complains(&["run init-db"]));
    desk.workdir.set("BACKUPS_DIR", "/proc/nowhere");
    drop(desk.purge(&["run"]).expect(74).complains(&["/proc/nowhere"]));
    desk.workdir.set("BACKUPS_DIR", &desk.workdir.path("backups").display().to_string());
    desk.workdir.set("DATABASE_URL", "postgresql:///nowhere?host=/nonexistent&user=nobody");
    drop(desk.purge(&["run"]).expect(69).complains(&["cannot reach PostgreSQL"]));
}

#[test]
fn a_catalog_without_people_has_nobody_to_erase() {
    let mut workdir = Workdir::new();
    let things = "about = \"x\"\ntable = \"things\"\ngroup = \"cursus\"\nkey = [\"id\"]\n\
        columns = [{ name = \"id\", type = \"bigint\", null = false }]\n[fetch]\npath = \"/v2/things\"\n";
    workdir.write("catalog/01_things.toml", things);
    workdir.set("CATALOG_DIR", &workdir.path("catalog").display().to_string());
    let database = testkit::Database::create();
    workdir.set("DATABASE_URL", &database.url());
    drop(workdir.run("init-db", &[]).expect(0));
    drop(workdir.run("purge-people", &["run"]).expect(78).complains(&["erase_at"]));
    drop(workdir.feed("load-table", &["things"], "{\"id\":1}\n").expect(0));
}

#[test]
fn no_log_and_no_report_names_anybody() {
    let mut desk = Desk::full();
    desk.workdir.set("RUST_LOG", "trace");
    let run = desk.purge(&["erase", "11", "12", "--json"]).expect(0);
    let said = run.stdout + &run.stderr;
    for word in [words(10), words(11), words(12)].concat() {
        assert!(!said.contains(&word), "{word}: {said}");
    }
    let named = places_in_files(&desk.workdir.path("logs"), &[words(10), words(11), words(12)].concat());
    assert_eq!(named, Vec::<String>::new());
}
