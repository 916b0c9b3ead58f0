//! A mirror with students of whom everything is everywhere: rows, quarantine, exports, interrupted walks, the backlog.

use exports::{Draft, Effort, Facts, Kind, Page, Place, Scope, Snapshot, Walk, Window};
use serde_json::{Value, json};
use std::io::Read;
use testkit::{Database, Run, Workdir, places_in_files};

pub(crate) const CURSUS: Scope = Scope { cursus: Some(21), campus: None };
const FUTURE: &str = "2999-01-01T00:00:00.000+01:00";

pub(crate) struct Desk {
    pub(crate) database: Database,
    pub(crate) workdir: Workdir,
}

/// What names a student.
pub(crate) fn words(id: u64) -> Vec<String> {
    ["login", "mail", "first", "last", "display", "seat", "picture"]
        .map(|word| format!("{word}of{id}q"))
        .to_vec()
}

/// A student as the list of users gives one.
pub(crate) fn user(id: u64) -> Value {
    let word = |word: &str| format!("{word}of{id}q");
    json!({
        "id": id, "email": word("mail"), "login": word("login"), "first_name": word("first"), "last_name": word("last"),
        "displayname": word("display"), "location": word("seat"), "image": {"link": word("picture"), "versions": {}},
        "kind": "student", "alumni?": false, "campus_id": 1, "updated_at": "2025-06-01T00:00:00.000Z",
        "anonymize_date": FUTURE, "data_erasure_date": FUTURE,
    })
}

/// What a student does on a project, in a team with another one.
pub(crate) fn project_user(id: u64, user: u64, other: u64) -> Value {
    let member =
        |id: u64| json!({"id": id, "login": format!("loginof{id}q"), "url": format!("/loginof{id}q")});
    json!({
        "id": id, "project": {"id": 7}, "user": self::user(user),
        "teams": [{"id": id, "name": format!("loginof{other}q's group"), "users": [member(user), member(other)]}],
    })
}

fn badge(id: u64, user: u64) -> Value {
    json!({"id": id, "user_id": user, "achievement_id": 3, "login": format!("loginof{user}q")})
}

pub(crate) fn text(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

impl Desk {
    /// Tables, three students, and nothing else yet.
    pub(crate) fn new() -> Self {
        let (database, mut workdir) = (Database::create(), Workdir::new());
        workdir.set("DATABASE_URL", &database.url());
        let desk = Self { database, workdir };
        drop(desk.workdir.run("init-db", &[]).expect(0));
        desk.load("campus", &[json!({"id": 1, "name": "Here"})], 0);
        desk.load("projects", &[json!({"id": 7, "name": "loginless"})], 0);
        desk.load("achievements", &[json!({"id": 3, "name": "x"})], 0);
        desk.load("users", &[user(10), user(11), user(12)], 0);
        desk
    }

    /// Everything everywhere.
    pub(crate) fn full() -> Self {
        let desk = Self::new();
        let enrolments = [project_user(1, 10, 12), project_user(2, 11, 10), project_user(3, 10, 11)];
        let badges = [badge(1, 10), badge(2, 11), badge(11, 12)];
        desk.load("projects_users", &enrolments, 0);
        desk.load("achievements_users", &badges, 0);
        desk.load("coalitions", &[json!({"id": 5, "name": "c", "user_id": 11})], 0);
        desk.fill_quarantine();
        desk.publish("08_users", &[user(10), user(11), user(12)]);
        desk.publish("11_projects_users", &enrolments);
        desk.publish("12_achievements_users", &badges);
        let changes = desk.place("08_users").changes();
        self::publish(&changes, &[user(11), user(12)]);
        desk.interrupt("11_projects_users", &enrolments);
        let at = "2026-01-01T00:00:00Z";
        let notes = [10, 11].map(|id| json!({"id": id, "at": at, "stamp": {"campus_id": 1}}));
        desk.workdir.write("exports/08_users/cursus_21/looked_up.ndjson", &text(&notes));
        for store in ["files", "postgres"] {
            let line = format!("printf '11\\n12\\n' | BACKLOG_STORE={store} backlog add - loginless");
            drop(desk.workdir.shell(&line).expect(0));
            drop(desk.workdir.shell(&format!("BACKLOG_STORE={store} backlog mark-processed 11")).expect(0));
            drop(desk.workdir.shell(&format!("BACKLOG_STORE={store} backlog add 11 loginless")).expect(0));
        }
        desk
    }

    /// Records that wait: typed ones for parents, others as they were written; and a student who waits for a campus.
    fn fill_quarantine(&self) {
        let project = |record: Value| with(record, json!({"project": {"id": 99}}));
        let mark = |record: Value| with(record, json!({"final_mark": "x"}));
        self.load(
            "projects_users",
            &[project(project_user(21, 11, 12)), project(project_user(22, 12, 11))],
            3,
        );
        for record in
            [mark(project_user(31, 11, 12)), mark(project_user(32, 12, 11)), mark(project_user(33, 12, 10))]
        {
            self.load("projects_users", &[record], 3);
        }
        // A number that came as a text: nobody can say whose it is but who reads with care.
        let odd =
            project_user(34, 11, 12).to_string().replace("\"user\":{\"id\":11,", "\"user\":{\"id\":\"11\",");
        drop(self.workdir.feed("load-table", &["projects_users"], &(odd + "\n")).expect(3));
        self.load("projects_users", &[project_user(41, 999, 12)], 3);
    }

    pub(crate) fn load(&self, table: &str, records: &[Value], code: i32) -> Value {
        self.workdir.feed("load-table", &[table], &text(records)).expect(code).json()
    }

    pub(crate) fn place(&self, resource: &str) -> Place {
        Place::new(&self.workdir.path("exports"), resource, CURSUS)
    }

    pub(crate) fn publish(&self, resource: &str, records: &[Value]) {
        publish(&self.place(resource), records);
    }

    /// Leaves a walk of as many lists as there are records, but for a last one that was not begun.
    pub(crate) fn interrupt(&self, resource: &str, records: &[Value]) {
        let mut walk = self.resume(resource);
        for (list, record) in records.iter().enumerate() {
            let page = Page { list, number: 1, total: Some(1), last: true, date: None };
            walk.add(page, &[record.to_string()], effort()).unwrap();
        }
    }

    pub(crate) fn resume(&self, resource: &str) -> Walk {
        Walk::open(&self.place(resource), "q", chrono::Utc::now()).unwrap()
    }

    /// Gives a student dates of erasure, by the database's clock.
    pub(crate) fn erase_at(&self, id: u64, when: &str) {
        self.database.execute(&format!("UPDATE users SET data_erasure_date = {when} WHERE id = {id}"));
    }

    pub(crate) fn purge(&self, arguments: &[&str]) -> Run {
        self.workdir.run("purge-people", arguments)
    }

    /// What a run reports.
    pub(crate) fn report(&self, arguments: &[&str]) -> Value {
        self.purge(&[arguments, &["--json"]].concat()).expect(0).json()
    }

    /// Where a student is named, in the database and in files.
    pub(crate) fn traces_of(&self, id: u64) -> Vec<String> {
        let mut traces = self.database.places_of(&words(id));
        traces.extend(places_in_files(&self.workdir.path(""), &words(id)));
        traces
    }

    pub(crate) fn count(&self, from: &str) -> u64 {
        self.database.value(&format!("SELECT count(*) FROM {from}")).parse().unwrap()
    }

    /// The records of a resource's export, which has to fit its manifest.
    pub(crate) fn exported(&self, resource: &str) -> Vec<Value> {
        read(&self.place(resource))
    }
}

/// The records of an export, which has to fit its manifest.
pub(crate) fn read(place: &Place) -> Vec<Value> {
    let snapshot = Snapshot::open(place).unwrap().unwrap();
    let rows = snapshot.manifest.rows;
    let mut text = String::new();
    snapshot.into_reader().read_to_string(&mut text).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows, records.len() as u64);
    records
}

pub(crate) fn publish(place: &Place, records: &[Value]) {
    let mut draft = Draft::open(place).unwrap();
    records.iter().for_each(|record| draft.write(&record.to_string()).unwrap());
    let started = chrono::Utc::now() - chrono::TimeDelta::days(1);
    let window = (place.kind() == Kind::Changes).then_some(Window { from: started, to: None });
    let (kind, complete, total, query) = (place.kind(), true, Some(records.len() as u64), String::new());
    let (unresolved, calls, retries, throttled) = (0, 1, 0, 0);
    let facts =
        Facts { kind, complete, total, unresolved, query, calls, retries, throttled, started, window };
    draft.publish(facts).unwrap();
}

pub(crate) fn effort() -> Effort {
    Effort { calls: 1, retries: 0, throttled: 0 }
}

pub(crate) fn with(mut record: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("{members} is no object") };
    record.as_object_mut().unwrap().extend(members);
    record
}
