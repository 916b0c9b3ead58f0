//! Where people are erased from, and what stays of others.

use crate::desk::{Desk, effort, project_user, read, user, words};
use serde_json::{Value, json};

/// Everything that names a student, as sorted names of places: `users`, `exports/08_users/cursus_21/all.ndjson`.
fn places(traces: &[String]) -> Vec<String> {
    let place = |trace: &String| {
        let place = trace.split(": ").next().unwrap();
        match place.split_once("/exports/") {
            Some((_, below)) => format!("exports/{below}"),
            None => place.rsplit_once('.').map_or(place, |(table, _)| table).to_owned(),
        }
    };
    let mut places: Vec<String> = traces.iter().map(place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn somebody_who_is_everywhere_is_nowhere_afterwards_and_nobody_else_is_touched() {
    let desk = Desk::full();
    let full = [
        "exports/08_users/cursus_21/all.ndjson",
        "exports/08_users/cursus_21/changes.ndjson",
        "exports/11_projects_users/cursus_21/all.ndjson",
        "exports/11_projects_users/cursus_21/all.ndjson.part",
        "exports/12_achievements_users/cursus_21/all.ndjson",
        "ops.quarantine",
        "public.achievements_users",
        "public.projects_users",
        "public.users",
    ];
    assert_eq!(places(&desk.traces_of(11)), full);
    let others = [desk.traces_of(10), desk.traces_of(12)];

    let report = desk.report(&["erase", "11"]);
    assert_eq!(desk.traces_of(11), Vec::<String>::new(), "{report:#}");
    assert_eq!([desk.traces_of(10), desk.traces_of(12)], others, "all of the others is where it was");
    assert_eq!(report["requested"], json!([11]));
    assert_eq!(report["tables"], json!({"users": 1, "projects_users": 1, "achievements_users": 1}));
    assert_eq!(report["quarantine"], json!({"deleted": 3, "cleansed": 1}));
    // Waiting and processed, in both stores.
    assert_eq!((&report["backlog"], &report["left"]), (&json!(4), &json!([])));
    for store in ["files", "postgres"] {
        let run = desk.workdir.shell(&format!("BACKLOG_STORE={store} backlog about 11 12 --json")).expect(0);
        assert_eq!(run.records().len(), 1, "the other one still waits: {run:#?}");
    }
    let again = desk.report(&["run"]);
    assert_eq!(
        (&again["tables"], &again["exports"], &again["kept_away"]),
        (&json!({}), &json!({}), &json!(1))
    );
}

#[test]
fn exports_are_whole_with_manifests_that_fit() {
    let desk = Desk::full();
    let report = desk.report(&["erase", "11"]);
    assert_eq!(desk.exported("08_users"), [user(10), user(12)]);
    assert_eq!(read(&desk.place("08_users").changes()), [user(12)]);
    let enrolments = desk.exported("11_projects_users");
    assert_eq!(enrolments[0], project_user(1, 10, 12));
    let team = json!([{"id": 3, "name": "3b3-11's group", "users": [
        {"id": 10, "login": "loginof10q", "url": "/loginof10q"}, {"id": 11, "login": "3b3-11"}]}]);
    assert_eq!((enrolments.len(), &enrolments[1]["teams"]), (2, &team));
    assert_eq!(enrolments[1]["user"], user(10), "whose record it is stays");
    assert_eq!(desk.exported("12_achievements_users").len(), 2, "a badge's own number is nobody's");
    let file = desk.place("11_projects_users").data().display().to_string();
    // The interrupted walk is counted with the export.
    assert_eq!(report["exports"][&file], json!({"dropped": 2, "replaced": 2}));
    assert_eq!(desk.workdir.read("exports/08_users/cursus_21/looked_up.ndjson").matches("\"id\"").count(), 1);

    let mut walk = desk.resume("11_projects_users");
    assert_eq!(walk.position().unwrap().list, 3, "the walk goes on where it was");
    let page = exports::Page { list: 3, number: 1, total: Some(1), last: true, date: None };
    walk.add(page, &[project_user(4, 12, 10).to_string()], effort()).unwrap();
    walk.publish(effort()).unwrap();
    let ids: Vec<Value> =
        desk.exported("11_projects_users").iter().map(|record| record["id"].clone()).collect();
    assert_eq!(ids, [1, 3, 4]);
}

#[test]
fn old_records_bring_nobody_back_whatever_they_come_from() {
    let desk = Desk::full();
    drop(desk.purge(&["erase", "11"]).expect(0));
    let old = desk.load("users", &[user(10), user(11)], 0);
    assert_eq!((&old["erased"], &old["inserted"]), (&json!(1), &json!(0)));
    let hanging = desk.load("projects_users", &[project_user(2, 11, 10)], 0);
    assert_eq!((&hanging["erased"], &hanging["quarantined"]), (&json!(1), &json!(0)));
    desk.publish("08_users", &[user(10), user(11), user(12)]);
    let run = desk.workdir.run("load-table", &["users", "--export"]).expect(0);
    assert_eq!(run.json()["erased"], 1);
    assert_eq!(desk.database.places_of(&words(11)), Vec::<String>::new());
    let report = desk.report(&["run"]);
    assert_eq!(
        report["exports"].as_object().unwrap().len(),
        1,
        "what was fetched again goes again: {report:#}"
    );
    assert_eq!(desk.traces_of(11), Vec::<String>::new());
}

#[test]
fn who_left_leaves_no_traces_behind_the_next_night() {
    let desk = Desk::full();
    // A walk of today lacks the student.
    desk.publish("08_users", &[user(10), user(12)]);
    desk.database.execute("UPDATE users SET ingested_at = now() - interval '2 days'");
    let summary = desk.workdir.run("load-table", &["users", "--export"]).expect(0).json();
    assert_eq!(summary["deleted"], 1);
    assert!(!desk.traces_of(11).is_empty());
    let report = desk.report(&["run"]);
    assert_eq!(desk.traces_of(11), Vec::<String>::new(), "{report:#}");
    assert_eq!((&report["tables"], &report["kept_away"]), (&json!({}), &json!(1)));
}

#[test]
fn a_file_that_nobody_knows_is_named() {
    let desk = Desk::full();
    desk.workdir.write("exports/08_users/cursus_21/copy.ndjson", "{}");
    desk.workdir.write("exports/old/all.ndjson", "{}");
    let report = desk.report(&["run"]);
    let unknown: Vec<_> = report["unknown_files"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert!(unknown.len() == 2 && unknown[0].contains("copy") && unknown[1].contains("old"), "{unknown:?}");
    assert!(desk.purge(&["run"]).expect(0).stdout.contains("not looked into"));
}

#[test]
fn dead_rows_are_taken_off_the_disk() {
    let desk = Desk::full();
    drop(desk.purge(&["erase", "11"]).expect(0));
    let file = "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('users')";
    desk.database.execute("CHECKPOINT");
    let bytes = desk.database.value(&format!("SELECT encode(pg_read_binary_file(({file})), 'escape')"));
    assert!(bytes.contains("loginof10q") && !bytes.contains("loginof11q"));
}
