//! Ten days ahead: people whose date has come are gone everywhere, and nothing that is kept brings them back.
//!
//! The clock is that of libfaketime, for the tools and for the PostgreSQL server, which is a private one for that reason.

use catalog::{Catalog, Personal};
use serde_json::Value;
use std::path::{Path, PathBuf};
use testkit::{Database, Mock, Run, Workdir, places_in_files};

const STUDENTS: &[&str] = &["--students", "1000"];
const NIGHTLY: &str = "scripts/cron/nightly_stable_tables.sh";
const DUE: &str = "least(data_erasure_date, anonymize_date) <= now() + interval '10 days'";

/// A mirror of the mock's world, on a server whose clock can be set.
struct House {
    workdir: Workdir,
    database: Database,
}

impl House {
    fn new(mock: &Mock) -> Self {
        let mut workdir = Workdir::with(mock, &Database::at(""));
        // Another user runs the server.
        let reachable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(workdir.path(""), reachable).unwrap();
        workdir.set("DATABASE_URL", "");
        workdir.set("DB_DIR", &workdir.path("postgres").display().to_string());
        drop(workdir.script("scripts/db.sh", &["start"]).expect(0));
        let url = workdir.script("scripts/db.sh", &["url"]).expect(0).stdout.trim().to_owned();
        workdir.set("DATABASE_URL", &url);
        drop(workdir.run("init-db", &[]).expect(0));
        Self { workdir, database: Database::at(&url) }
    }

    /// Sets the clock of everything that is started from now on, the server included.
    fn travel(&mut self, offset: &str) {
        drop(self.workdir.script("scripts/db.sh", &["stop"]).expect(0));
        self.workdir.set("LD_PRELOAD", &faketime().display().to_string());
        self.workdir.set("FAKETIME", offset);
        self.workdir.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        drop(self.workdir.script("scripts/db.sh", &["start"]).expect(0));
    }

    /// Where words stand: in any table, and in all files but the server's own.
    fn places_of(&self, words: &[String]) -> Vec<String> {
        let mut places = self.database.places_of(words);
        for folder in ["exports", "logs", "state", "backups"] {
            places.extend(places_in_files(&self.workdir.path(folder), words));
        }
        places
    }

    fn nightly(&self) -> Run {
        let run = self.workdir.script(NIGHTLY, &[]);
        assert!(matches!(run.code, 0 | 3), "{run:#?}");
        run
    }

    fn rows(&self, from: &str) -> u64 {
        self.database.value(&format!("SELECT count(*) FROM {from}")).parse().unwrap()
    }

    fn copy(&self, from: &str, to: &str) {
        let line = format!("rm -rf {to}; cp -a {from} {to}");
        drop(self.workdir.shell(&line).expect(0));
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _stopped = self.workdir.script("scripts/db.sh", &["stop"]);
    }
}

/// The library that lies to a process about the time.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let libraries = folders.map(|folder| folder.join("faketime/libfaketime.so.1"));
    libraries.into_iter().find(|path| path.exists()).expect("apt-get install faketime")
}

/// What the catalog calls personal of some people, where no text of anybody else holds the same.
fn words_of(mock: &Mock, ids: &[i64]) -> Vec<String> {
    let everybody = mock.all("/v2/users");
    let catalog = Catalog::load().unwrap();
    let columns = catalog.people().unwrap().columns.iter();
    let personal: Vec<_> = columns.filter(|column| column.personal != Personal::No).collect();
    let texts = |user: &Value| {
        let texts = personal.iter().filter_map(|column| user.pointer(&column.from)?.as_str());
        texts.map(str::to_owned).filter(|text| text.len() > 5).collect::<Vec<_>>()
    };
    let is_meant = |user: &&Value| user["id"].as_i64().is_some_and(|id| ids.contains(&id));
    let others: Vec<String> = everybody.iter().filter(|user| !is_meant(user)).flat_map(texts).collect();
    let mut words = Vec::new();
    for user in everybody.iter().filter(is_meant) {
        let own = texts(user).into_iter().filter(|text| !others.iter().any(|other| other.contains(text)));
        let own: Vec<String> = own.collect();
        assert!(own.len() >= 3, "{user} has too little of its own");
        words.extend(own);
    }
    words
}

#[test]
fn ten_days_ahead_due_people_are_gone_everywhere_and_old_exports_bring_nobody_back() {
    let mock = Mock::start(STUDENTS);
    let mut house = House::new(&mock);
    drop(house.nightly());
    let due: Vec<i64> = house
        .database
        .rows(&format!("SELECT id FROM users WHERE {DUE} ORDER BY id"))
        .iter()
        .map(|row| row["id"].as_i64().unwrap())
        .collect();
    assert!(due.len() > 1, "too few are due: {due:?}");
    // What is found about them names them by their ids, which stay.
    house.database.execute(&format!("UPDATE users SET ingested_at = now() - interval '1 day' WHERE {DUE}"));
    house
        .database
        .execute(&format!("DELETE FROM cursus_users WHERE user_id IN (SELECT id FROM users WHERE {DUE})"));
    drop(house.workdir.run("check-integrity", &["run"]));
    let found = "ops.integrity_violations WHERE check_name = 'cursus_membership' AND resolved_at IS NULL";
    assert_eq!(house.rows(found), due.len() as u64);
    drop(house.workdir.run("load-table", &["cursus_users", "--export"]));
    assert_eq!(house.rows("users WHERE least(data_erasure_date, anonymize_date) <= now()"), 0);
    let words = words_of(&mock, &due);
    let before = house.places_of(&words);
    for place in
        ["public.users.login", "public.projects_users.user_email", "/11_projects_users/", "/08_users/"]
    {
        assert!(before.iter().any(|found| found.contains(place)), "{place}: {before:?}");
    }
    house.copy("exports", "kept");

    house.travel("+10d");
    assert_eq!(
        house.rows(&format!("users WHERE {}", DUE.replace(" + interval '10 days'", ""))),
        due.len() as u64
    );
    let report = house.workdir.run("purge-people", &["run", "--json"]).expect(0).json();
    assert_eq!(report["due"], serde_json::json!(due));
    assert_eq!(house.places_of(&words), Vec::<String>::new(), "{report:#}");
    drop(house.workdir.run("init-db", &["--check"]).expect(0));

    assert_last_weeks_exports_bring_nobody_back(&house, &due, &words);

    // Ten days later the API still gives them, as they were: what is fetched anew is purged at the nightly's end.
    drop(house.nightly());
    assert_eq!(house.places_of(&words), Vec::<String>::new());
    let stage =
        "SELECT status FROM ops.job_executions WHERE job_name = 'purge_people' ORDER BY id DESC LIMIT 1";
    assert_eq!(house.database.value(stage), "completed");
    let erased = "SELECT sum(erased) FROM ops.loads WHERE kind = 'full' AND table_name = 'users'";
    assert_ne!(house.database.value(erased), "0", "the nightly met them");

    assert_who_returns_is_mirrored_again(&mut house, &due);
}

/// Loads what was kept, as exports and as streams.
fn assert_last_weeks_exports_bring_nobody_back(house: &House, due: &[i64], words: &[String]) {
    house.copy("kept", "exports");
    let tables = house.workdir.run("init-db", &["--list"]).expect(0).stdout;
    let mut erased = 0;
    for table in tables.lines().map(|line| line.split('\t').next().unwrap()) {
        let run = house.workdir.run("load-table", &[table, "--export"]);
        assert!(matches!(run.code, 0 | 3), "{run:#?}");
        erased += run.json()["erased"].as_u64().unwrap();
    }
    assert!(erased > due.len() as u64, "{erased} records turned away");
    let folder = house.workdir.path("kept/08_users/cursus_21/all.ndjson").display().to_string();
    let stream = house.workdir.run("load-table", &["users", &folder]).expect(0).json();
    assert_eq!(stream["erased"].as_u64(), Some(due.len() as u64));
    assert_eq!(house.database.places_of(words), Vec::<String>::new());
    drop(house.workdir.run("purge-people", &["run"]).expect(0));
    assert_eq!(house.places_of(words), Vec::<String>::new(), "and the files are clean again");
}

/// The same people, who have been seen since: the API gives them later dates, though their `updated_at` did not move.
fn assert_who_returns_is_mirrored_again(house: &mut House, due: &[i64]) {
    let later = Mock::start_in(&house.workdir, STUDENTS);
    house.workdir.set("API_ROOT", later.url());
    drop(house.workdir.run("fetch-users", &["--export", "--force", "users"]).expect(0));
    let summary = house.workdir.run("load-table", &["users", "--export"]).expect(0).json();
    assert_eq!((summary["erased"].as_u64(), summary["inserted"].as_u64()), (Some(0), Some(due.len() as u64)));
    assert_eq!(house.rows("ops.tombstones WHERE lifted_at IS NULL"), 0);
    drop(house.workdir.run("purge-people", &["run"]).expect(0));
    assert_eq!(house.rows("users"), 1000);
}

#[test]
fn the_script_of_cron_is_on_record_and_says_nothing_when_all_is_well() {
    let database = Database::create();
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", &database.url());
    drop(workdir.run("init-db", &[]).expect(0));
    database.execute("INSERT INTO users (id, data_erasure_date) VALUES (7, now())");
    let run = workdir.script("scripts/cron/purge_people.sh", &[]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let log = workdir.read("logs/purge_people.log");
    assert!(log.contains("exit 0\n1 due, 0 asked for, 1 are kept away\nrows: users 1\n"), "{log}");
    let job = "SELECT status || job_type FROM ops.job_executions WHERE job_name = 'purge_people'";
    assert_eq!(database.value(job), "completedpurge");
    workdir.set("DATABASE_URL", "postgresql:///nowhere?host=/nonexistent&user=nobody");
    let run = workdir.script("scripts/cron/purge_people.sh", &[]).expect(69);
    assert!(run.stderr.contains("cannot reach PostgreSQL"), "{run:#?}");
}

#[test]
fn the_search_finds_what_is_there() {
    let folder = Workdir::new();
    folder.write("logs/deep/er", "…needle…");
    assert_eq!(
        places_in_files(Path::new(&folder.path("logs")), &["needle".to_owned(), "hay".to_owned()]).len(),
        1
    );
    let database = Database::create();
    database
        .execute("CREATE SCHEMA ops; CREATE TABLE ops.a (x text); CREATE TABLE b (y jsonb, \"order\" text)");
    database.execute(
        "INSERT INTO ops.a VALUES ('a needle'); INSERT INTO b VALUES ('[{\"k\": \"needle\"}]', 'needle')",
    );
    let found = database.places_of(&["needle".to_owned(), "hay".to_owned()]);
    assert_eq!(found, ["ops.a.x: needle", "public.b.order: needle", "public.b.y: needle"]);
}
