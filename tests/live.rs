//! Following what changed: fetching only, no database.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use testkit::{Mock, Run, Workdir};

/// The mock, and a folder whose tools speak to it.
struct School {
    mock: Mock,
    workdir: Workdir,
}

impl School {
    /// A school whose students have been exported.
    fn new(arguments: &[&str]) -> Self {
        let school = Self::without_exports(arguments);
        drop(school.workdir.run("fetch-cursus", &["--export", "campus"]).expect(0));
        drop(school.fetch(&["--export", "users"]).expect(0));
        school.mock.forget();
        school
    }

    fn without_exports(arguments: &[&str]) -> Self {
        let mock = Mock::start(arguments);
        let mut workdir = Workdir::new();
        workdir.set("API_ROOT", mock.url());
        workdir.set("CLIENT_ID", "u-s4t2ud-mock");
        workdir.set("CLIENT_SECRET", "s-s4t2ud-mock");
        Self { mock, workdir }
    }

    fn fetch(&self, arguments: &[&str]) -> Run {
        self.workdir.run("fetch-users", arguments)
    }

    /// Calls since the last time this was asked.
    fn calls(&self) -> u64 {
        let calls = self.mock.count("calls");
        self.mock.forget();
        calls
    }

    /// An instant before which nothing of what follows happens.
    fn now(&self) -> String {
        // The mock's clock is this host's, and its instants have milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(5));
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        std::thread::sleep(std::time::Duration::from_millis(5));
        now
    }

    /// What is printed of the changes since an instant.
    fn changes(&self, resource: &str, since: &str) -> Vec<Value> {
        self.fetch(&[resource, "--since", since]).expect(0).records()
    }
}

fn ids(records: &[Value], pointer: &str) -> BTreeSet<u64> {
    records.iter().filter_map(|record| record.pointer(pointer).and_then(Value::as_u64)).collect()
}

fn ids_of(moved: &Value) -> BTreeSet<u64> {
    moved.as_array().unwrap().iter().filter_map(Value::as_u64).collect()
}

#[test]
fn idle_costs_one_call_a_resource() {
    let school = School::new(&["--students", "300"]);
    let now = school.now();
    let live = school.workdir.run("init-db", &["--list", "--live"]).expect(0);
    let tables: Vec<_> = live.stdout.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(tables.len(), 5, "{live:#?}");
    for table in tables {
        assert_eq!(school.changes(table, &now), [] as [Value; 0]);
        assert_eq!(school.calls(), 1, "{table}");
    }
}

#[test]
fn changed_users_come_in_a_call_for_a_hundred() {
    let school = School::new(&["--students", "3000"]);
    // All of one move change in one millisecond: a tie costs its pages by id, and a call to find that it is one.
    for (updates, calls) in [(1, 1), (60, 1), (250, 5)] {
        let since = school.now();
        let moved = school.mock.moves(&format!(r#"{{"updates": {updates}}}"#));
        let changes = school.changes("users", &since);
        assert_eq!(ids(&changes, "/id"), ids_of(&moved["updates"]));
        assert!(changes.iter().all(|user| user.get("campus_id").is_none()), "a known campus is left alone");
        assert_eq!(school.calls(), calls, "{updates} updates");
    }
}

/// The lists that hang on people: name, path, pointer to whose a record is.
const HANGING: [(&str, &str, &str); 4] = [
    ("cursus_users", "/v2/cursus/21/cursus_users", "/user/id"),
    ("projects_users", "/v2/projects_users?filter[cursus]=21", "/user/id"),
    ("achievements_users", "/v2/achievements_users", "/user_id"),
    ("coalitions_users", "/v2/coalitions_users", "/user_id"),
];

const STUDENTS: &str = "/v2/cursus/21/users?filter[kind]=student&filter[alumni?]=false";

impl School {
    /// Checks that the changes since an instant are those of the mock's world that belong to students, with their
    /// campus; returns the fetch.
    fn assert_followed(&self, (name, path, owner): (&str, &str, &str), since: &str) -> Run {
        let mark = if path.contains('?') { '&' } else { '?' };
        let wanted = self.mock.all(&format!("{path}{mark}range[updated_at]={since},2999-01-01"));
        let students = ids(&self.mock.all(STUDENTS), "/id");
        let belongs = |record: &&Value| {
            record.pointer(owner).and_then(Value::as_u64).is_some_and(|id| students.contains(&id))
        };
        let wanted: Vec<Value> = wanted.iter().filter(belongs).cloned().collect();
        let run = self.fetch(&[name, "--since", since]).expect(0);
        let found = run.records();
        assert_eq!(ids(&found, "/id"), ids(&wanted, "/id"), "{name}: {}", run.stderr);
        self.assert_stamped(&found, owner);
        run
    }

    /// Checks that each record carries its owner's primary campus.
    fn assert_stamped(&self, records: &[Value], owner: &str) {
        let links = self.mock.all("/v2/campus_users?filter[is_primary]=true");
        let campuses: BTreeMap<_, _> =
            links.iter().map(|link| (link["user_id"].as_u64(), &link["campus_id"])).collect();
        for record in records {
            let owner = record.pointer(owner).and_then(Value::as_u64);
            assert_eq!(Some(&&record["campus_id"]), campuses.get(&owner), "{record}");
        }
    }
}

#[test]
fn what_hangs_on_students_is_followed_and_stamped_with_their_campus() {
    let school = School::new(&["--students", "400"]);
    let since = school.now();
    let moves = r#"{"newcomers": 6, "enrolments": 40, "marks": 60, "badges": 50, "memberships": 20}"#;
    school.mock.moves(moves);
    for list in HANGING {
        assert!(!school.assert_followed(list, &since).stdout.is_empty(), "{}", list.0);
    }
}

#[test]
fn newcomers_are_stamped_with_their_campus_and_looked_up_once() {
    let school = School::new(&["--students", "400"]);
    let since = school.now();
    let moved = school.mock.moves(r#"{"newcomers": 9, "updates": 5}"#);
    let newcomers = ids_of(&moved["newcomers"]);
    let (new, old): (Vec<_>, Vec<_>) = school
        .changes("users", &since)
        .into_iter()
        .partition(|user| newcomers.contains(&user["id"].as_u64().unwrap()));
    assert_eq!(new.len(), 9);
    school.assert_stamped(&new, "/id");
    assert_eq!(ids(&old, "/id"), ids_of(&moved["updates"]));
    assert!(old.iter().all(|user| user.get("campus_id").is_none()));
    assert_eq!(school.calls(), 2, "a page of changes, a page of campuses");
    // Who they are is known now: their enrolments, and themselves again.
    drop(school.assert_followed(HANGING[0], &since));
    assert_eq!(school.calls(), 1);
    let again = school.changes("users", &since);
    let again: Vec<_> =
        again.into_iter().filter(|user| newcomers.contains(&user["id"].as_u64().unwrap())).collect();
    school.assert_stamped(&again, "/id");
    assert_eq!((again.len(), school.calls()), (9, 1));
}

#[test]
fn strangers_are_dropped_and_remembered() {
    let school = School::new(&["--students", "300"]);
    let long_ago = "2025-10-01";
    let run = school.assert_followed(HANGING[2], long_ago);
    assert!(run.stderr.contains(", of strangers ") && run.stderr.contains(", people looked up "), "{run:#?}");
    let first = school.calls();
    let run = school.assert_followed(HANGING[2], long_ago);
    assert!(run.stderr.contains(", of strangers ") && !run.stderr.contains("looked up"), "{run:#?}");
    let second = school.calls();
    assert!(second < first, "{second} calls after {first}");
    // Those who come with the evidence are not even looked up.
    let run = school.assert_followed(HANGING[0], long_ago);
    assert!(run.stderr.contains(", of strangers ") && !run.stderr.contains("looked up"), "{run:#?}");
    let path = "exports/08_users/cursus_21/looked_up.ndjson";
    assert!(!school.workdir.read(path).is_empty());
}

#[test]
fn without_an_export_of_students_everybody_is_looked_up() {
    let school = School::without_exports(&["--students", "200"]);
    let run = school.assert_followed(HANGING[3], "2025-12-01");
    assert!(run.stderr.contains(", people looked up "), "{run:#?}");
}

#[test]
fn nothing_is_lost_whatever_the_api_grants() {
    for switches in [
        ["--projects-users-sort", "refuse"],
        ["--projects-users-order", "shuffle"],
        ["--x-total", "off"],
        ["--range-ends", "exclusive"],
    ] {
        let hard = ["--projects-users-sort", "refuse", "--projects-users-order", "shuffle"];
        let mut arguments = vec!["--students", "300"];
        arguments.extend(switches);
        if switches[0].starts_with("--x") || switches[0].starts_with("--range") {
            arguments.extend(hard);
        }
        let school = School::new(&arguments);
        for _ in 0..3 {
            school.mock.moves(r#"{"marks": 200, "enrolments": 90}"#);
        }
        for list in HANGING {
            // Thousands of rows long ago, hundreds within an instant.
            drop(school.assert_followed(list, "2025-09-01"));
        }
    }
}

#[test]
fn a_window_becomes_an_export_of_changes_even_when_it_is_empty() {
    let school = School::new(&["--students", "300"]);
    let since = school.now();
    let manifest = |school: &School| -> Value {
        let text = school.workdir.read("exports/08_users/cursus_21/changes.manifest.json");
        serde_json::from_str(&text).unwrap()
    };
    drop(school.fetch(&["users", "--export", "--since", &since]).expect(0));
    let empty = manifest(&school);
    assert_eq!(
        (&empty["rows"], &empty["kind"], &empty["complete"]),
        (&0.into(), &"changes".into(), &true.into())
    );
    assert_eq!(empty["window"]["to"], Value::Null);
    let moved = school.mock.moves(r#"{"updates": 7}"#);
    drop(school.fetch(&["users", "--export", "--since", &since, "--until", "2999-01-01"]).expect(2));
    drop(school.fetch(&["users", "--export", "--since", &since, "--until", "2998-01-01"]).expect(0));
    let changes = manifest(&school);
    assert_eq!((&changes["rows"], &changes["window"]["to"]), (&7.into(), &"2998-01-01T00:00:00Z".into()));
    let lines = school.workdir.read("exports/08_users/cursus_21/changes.ndjson");
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ids(&records, "/id"), ids_of(&moved["updates"]));
    assert!(school.workdir.path("exports/08_users/cursus_21/all.ndjson").exists());
    school.mock.forget();
    drop(school.fetch(&["--export", "--since", &since]).expect(0));
    assert_eq!(school.calls(), 5, "all that can be followed");
}

#[test]
fn a_catching_up_that_is_killed_goes_on_at_its_cursor() {
    let school = School::new(&["--students", "3000", "--latency", "40"]);
    let catch_up = ["--export", "users", "--since", "2024-01-01"];
    let killed = 4;
    for kill in 1..=killed {
        let mut command = school.workdir.command("fetch-users");
        let mut child = command.args(catch_up).stderr(std::process::Stdio::null()).spawn().unwrap();
        while school.mock.count("calls") < kill * 4 {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let run = school.fetch(&catch_up).expect(0);
    let wanted = school.mock.all(&format!("{STUDENTS}&range[updated_at]=2024-01-01,2999-01-01"));
    let lines = school.workdir.read("exports/08_users/cursus_21/changes.ndjson");
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ids(&records, "/id"), ids(&wanted, "/id"));
    assert!(run.stderr.contains(", resumed"), "{run:#?}");
    // Each run that was killed may have asked for one page that it did not store.
    let pages = wanted.len() as u64 / 99 + 2;
    let calls = school.calls();
    assert!(calls <= pages + killed, "{calls} calls for {pages} pages, killed {killed} times");
}

#[test]
fn a_long_walk_goes_on_although_the_students_are_exported_again() {
    let school = School::new(&["--students", "1500", "--latency", "30"]);
    let walk = ["--export", "achievements_users"];
    let mut command = school.workdir.command("fetch-users");
    let mut child = command.args(walk).stderr(std::process::Stdio::null()).spawn().unwrap();
    // Calls run ahead of the pages that are stored.
    let stored = school.workdir.path("exports/12_achievements_users/cursus_21/all.walk.json");
    while school.mock.count("calls") < 20 || !stored.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    school.mock.moves(r#"{"newcomers": 5}"#);
    drop(school.fetch(&["--export", "--force", "users"]).expect(0));
    let run = school.fetch(&walk).expect(0);
    assert!(run.stderr.contains(", resumed at list"), "{run:#?}");
    // Fresh for most of a day, whoever is exported meanwhile.
    drop(school.fetch(&["--export", "--force", "users"]).expect(0));
    school.mock.forget();
    drop(school.fetch(&walk).expect(0));
    assert_eq!(school.calls(), 0);
    assert!(!school.workdir.path("exports/12_achievements_users/cursus_21/all.plan.json").exists());
}

#[test]
fn a_full_walk_holds_what_hangs_on_students_who_came_since_they_were_exported() {
    let school = School::new(&["--students", "300"]);
    let since = school.now();
    let newcomers = ids_of(&school.mock.moves(r#"{"newcomers": 4}"#)["newcomers"]);
    assert_eq!(ids(&school.changes("users", &since), "/id"), newcomers);
    let walked = school.fetch(&["cursus_users"]).expect(0).records();
    assert!(ids(&walked, "/user/id").is_superset(&newcomers), "their rows would be deleted else");
    school.assert_stamped(&walked, "/user/id");
    // The same where the export is newer than what is remembered.
    drop(school.fetch(&["--export", "--force", "users"]).expect(0));
    let again = school.fetch(&["cursus_users"]).expect(0).records();
    assert_eq!(again.len(), walked.len());
}

#[test]
fn records_of_given_students_come_a_hundred_to_a_call() {
    let school = School::new(&["--students", "500"]);
    let students: Vec<u64> = ids(&school.mock.all(STUDENTS), "/id").into_iter().collect();
    let everybody = ids(&school.mock.all("/v2/users"), "/id");
    let strangers: Vec<u64> = everybody.into_iter().filter(|id| !students.contains(id)).take(3).collect();
    let asked: Vec<u64> = students.iter().take(150).chain(&strangers).copied().collect();
    let words: Vec<_> = asked.iter().map(u64::to_string).collect();
    let wanted: BTreeSet<u64> = students.iter().take(150).copied().collect();

    let run = school.fetch(&["users", "--ids", &words.join(",")]).expect(0);
    assert_eq!(ids(&run.records(), "/id"), wanted);
    school.assert_stamped(&run.records(), "/id");
    assert!(run.stderr.contains("3 of 153 ids are no students of the scope"), "{run:#?}");
    assert_eq!(school.calls(), 4, "two of people, two of their campuses");

    for (name, path, owner) in HANGING {
        let run = school.workdir.feed("fetch-users", &[name, "--ids", "-"], &words.join("\n")).expect(0);
        let of_wanted =
            |record: &&Value| wanted.contains(&record.pointer(owner).and_then(Value::as_u64).unwrap());
        let expected: Vec<Value> = school.mock.all(path).iter().filter(of_wanted).cloned().collect();
        assert_eq!(ids(&run.records(), "/id"), ids(&expected, "/id"), "{name}");
        school.assert_stamped(&run.records(), owner);
        // Two lists, each with its pages, and nobody is looked up again.
        assert!(school.calls() <= expected.len() as u64 / 100 + 2, "{name}: {run:#?}");
    }
    let run = school.workdir.feed("fetch-users", &["users", "--ids", "-"], "").expect(0);
    assert!(run.stdout.is_empty() && school.calls() == 0, "{run:#?}");
}

#[test]
fn what_makes_no_window_and_no_ids_is_a_usage_error() {
    let school = School::without_exports(&["--students", "50"]);
    for (arguments, words) in [
        (["users", "--since", "yesterday"].as_slice(), "2025-12-13T02:35:00Z"),
        (&["users", "--since", ""], "2025-12-13"),
        (&["users", "--since", "2025-12-13", "--until", "2025-12-12"], "--until is before --since"),
        (&["users", "--until", "2025-12-12"], "--since"),
        (&["users", "--since", "2025-12-13", "--campus", "1"], "--campus"),
        (&["users", "--since", "2025-12-13", "--export", "--force"], "--force"),
        (&["users", "--since", "2025-12-13", "--export", "--max-age", "1"], "--max-age"),
        (&["--since", "2025-12-13"], "name one resource"),
        (&["users", "--ids", ""], "names nobody"),
        (&["users", "--ids", "1,x"], "`x` is no id"),
        (&["users", "--ids", "0"], "`0` is no id"),
        (&["users", "--ids", "-3"], "`-3` is no id"),
        (&["users", "--ids", "1", "--export"], "--export"),
        (&["users", "--ids", "1", "--since", "2025-12-13"], "--since"),
        (&["--ids", "1"], "name one resource"),
    ] {
        let run = school.fetch(arguments).expect(2);
        assert!(run.stderr.contains(words), "{run:#?}");
    }
    assert_eq!(school.calls(), 0);
}
