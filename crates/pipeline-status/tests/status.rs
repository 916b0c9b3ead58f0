//! What is on the screen, held against the database and the manifests.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

use catalog::Catalog;
use exports::{Place, Scope};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use testkit::{Database, Mock, Run, Workdir};

/// Reference data that were mirrored by jobs, and one of them that failed.
struct Mirror {
    database: Database,
    workdir: Workdir,
    _mock: Mock,
}

const TABLES: [&str; 4] = ["cursus", "campuses", "achievements", "campus_achievements"];

impl Mirror {
    fn new() -> Self {
        let mock = Mock::start(&["--students", "40"]);
        let database = Database::create();
        let workdir = Workdir::with(&mock, &database);
        drop(workdir.run("init-db", &[]).expect(0));
        for table in TABLES {
            drop(workdir.run("fetch-cursus", &["--export", table]).expect(0));
            let job = format!("load_{table}");
            drop(workdir.run("job-run", &["--job", &job, "--", "load-table", table, "--export"]).expect(0));
        }
        Self { database, workdir, _mock: mock }
    }

    fn json(&self, code: i32) -> Value {
        look(&self.workdir, &["--json"]).expect(code).json()
    }
}

/// What an export says of itself.
fn manifest(workdir: &Workdir, table: &str) -> Value {
    let catalog = Catalog::load().unwrap();
    let resource = catalog.find(table).unwrap();
    let cursus = catalog.is_of_cursus(resource).then_some(21);
    let place = Place::new(&workdir.path("exports"), &resource.file, Scope { cursus, campus: None });
    serde_json::from_slice(&std::fs::read(place.manifest()).unwrap()).unwrap()
}

/// The screen, on a disk that is never full.
fn look(workdir: &Workdir, arguments: &[&str]) -> Run {
    let roomy = ["--threshold", "disk_used_percent=101:102"];
    workdir.run("pipeline-status", &[arguments, &roomy].concat())
}

fn line<'a>(status: &'a Value, table: &str) -> &'a Value {
    let lines = status["resources"].as_array().unwrap();
    lines.iter().find(|line| line["table"] == table).unwrap()
}

fn alerts<'a>(status: &'a Value, subject: &str) -> Vec<&'a str> {
    let alerts = status["alerts"].as_array().unwrap().iter();
    alerts.filter(|alert| alert["subject"] == subject).map(|alert| alert["name"].as_str().unwrap()).collect()
}

#[test]
fn every_number_is_that_of_the_database_and_of_the_manifest() {
    let mirror = Mirror::new();
    mirror.database.execute(
        "INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, load_id)
         SELECT 'campuses', n::text, CASE WHEN n > 2 THEN 'type' ELSE 'parent' END, 'r', 1 FROM generate_series(1, 7) n;
         INSERT INTO ops.watermarks VALUES ('users', now() - interval '700 s', 1)",
    );
    let status = mirror.json(1);
    for table in TABLES {
        let (line, query) = (line(&status, table), |sql: &str| mirror.database.value(sql));
        let count = query(&format!("SELECT count(*) FROM {table}"));
        assert_ne!(count, "0");
        assert_eq!(line["mirror"]["rows"].to_string(), count);
        assert_eq!(line["mirror"]["rows_counted"], true);
        let loads = format!("SELECT max(finished_at) = '{{}}' FROM ops.loads WHERE table_name = '{table}'");
        for key in ["last_load", "last_change"] {
            assert_eq!(query(&loads.replace("{}", line["mirror"][key].as_str().unwrap())), "true", "{line}");
        }
        let manifest = manifest(&mirror.workdir, table);
        for key in ["rows", "bytes", "complete", "finished", "calls", "throttled"] {
            assert_eq!(line["export"][key], manifest[key], "{key}");
        }
        assert!(alerts(&status, table).is_empty(), "{status}");
    }
    assert_eq!(
        line(&status, "campuses")["mirror"]["quarantine"],
        serde_json::json!({"parent": 2, "type": 5})
    );
    let lag = line(&status, "users")["mirror"]["live_lag_seconds"].as_f64().unwrap();
    assert!((700.0..3600.0).contains(&lag), "{lag}");
    assert!(alerts(&status, "users").contains(&"live_lag_seconds"));
    let jobs = status["jobs"]["summary"].as_object().unwrap();
    assert_eq!(jobs["load_campuses"]["status"], "completed");
    assert_eq!(
        status["quota"]["used"].to_string(),
        mirror.workdir.run("api-token", &["budget", "--json"]).expect(0).json()["used"].to_string()
    );
    assert!(status["token"]["expires_in"].as_i64().unwrap() > 0, "{status}");
    // What was never fetched is not green.
    assert_eq!(status["status"], "unknown");
    assert_eq!(alerts(&status, "projects"), ["export", "table"]);
    let screen = look(&mirror.workdir, &[]).expect(1).stdout;
    assert!(screen.contains("2 parent, 5 type") && screen.starts_with("mirror42  UNKNOWN"), "{screen}");
    let nagios = look(&mirror.workdir, &["check"]).expect(3).stdout;
    assert!(nagios.starts_with("MIRROR42 UNKNOWN - ") && nagios.lines().count() == 1, "{nagios}");
    let text = mirror.workdir.run("pipeline-status", &["--prometheus"]).expect(1).stdout;
    let rows = mirror.database.value("SELECT count(*) FROM campuses");
    assert!(text.contains(&format!("mirror42_table_rows{{table=\"campuses\"}} {rows}\n")), "{text}");
}

#[test]
fn without_the_database_the_files_are_shown_and_nothing_is_green() {
    let mut mirror = Mirror::new();
    let rows = line(&mirror.json(1), "campuses")["export"]["rows"].clone();
    mirror.workdir.set("DATABASE_URL", "postgresql:///mirror42?host=/nowhere&user=nobody");
    let run = mirror.workdir.run("pipeline-status", &["--json", "--write-metrics"]).expect(69);
    let status = run.json();
    assert_eq!(status["status"], "critical");
    let campuses = line(&status, "campuses");
    assert_eq!((&campuses["export"]["rows"], campuses["mirror"].is_null()), (&rows, true));
    for part in ["database", "jobs"] {
        assert!(status[part]["error"].as_str().unwrap().contains("cannot reach PostgreSQL"), "{status}");
    }
    assert_eq!(mirror.workdir.read("logs/metrics_latest.json"), run.stdout);
    let left = mirror.workdir.shell("ls -A logs | grep metrics").stdout;
    assert_eq!(left, "metrics_latest.json\n");
    drop(mirror.workdir.run("pipeline-status", &["check"]).expect(2));
    drop(mirror.workdir.run("pipeline-status", &["live"]).expect(69).complains(&["cannot reach PostgreSQL"]));
    let text = mirror.workdir.run("pipeline-status", &["--prometheus"]).expect(69).stdout;
    assert!(text.contains("mirror42_database_up 0\n") && !text.contains("mirror42_table_rows"), "{text}");
    let watched =
        mirror.workdir.run("pipeline-status", &["--watch", "--interval", "1", "--count", "2"]).expect(69);
    assert_eq!(watched.stdout.matches("mirror42  CRITICAL").count(), 2, "{watched:?}");
}

#[test]
fn a_fresh_machine_is_unknown() {
    let database = Database::create();
    let mut workdir = Workdir::new();
    let status = look(&workdir, &["--json"]).expect(78).json();
    assert_eq!(status["status"], "unknown");
    drop(look(&workdir, &["check"]).expect(3));
    workdir.set("DATABASE_URL", &database.url());
    let run = workdir.run("pipeline-status", &[]).expect(78);
    assert!(run.stdout.contains("run init-db") && run.stdout.starts_with("mirror42  UNKNOWN"), "{run:?}");
    drop(workdir.run("init-db", &[]).expect(0));
    assert_eq!(look(&workdir, &["--json"]).expect(1).json()["status"], "unknown");
    drop(workdir.run("pipeline-status", &["--threshold", "nope=1:2"]).expect(2));
    drop(workdir.run("pipeline-status", &["--json", "check"]).expect(2));
}

#[test]
fn a_database_that_takes_connections_and_says_nothing_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut workdir = Workdir::new();
    workdir
        .set("DATABASE_URL", &format!("postgresql://u@{}/m?sslmode=disable", silent.local_addr().unwrap()));
    let status = look(&workdir, &["--json", "--patience", "1"]).expect(69).json();
    assert_eq!(status["database"]["error"], "PostgreSQL gave no answer within 1 s");
    assert_eq!(status["jobs"]["error"], "job-monitor: no answer within 1 s");
    assert_eq!(status["status"], "critical");
    assert_eq!(status["backlog"]["depth"], 0);
    let watched =
        look(&workdir, &["--watch", "--count", "2", "--interval", "1", "--patience", "1"]).expect(69);
    assert_eq!(watched.stdout.matches("no answer within 1 s").count(), 8, "{watched:?}");
}

#[test]
fn escapes_in_names_and_errors_stay_text_among_ten_thousand_runs() {
    let mirror = Mirror::new();
    mirror.database.execute(
        "INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at,
             error_message, host, pid, lease)
         SELECT gen_random_uuid(), 1, 'evil' || chr(27) || ']0;' || n % 3, 't', CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'completed' END,
             now() - n * interval '17 s', now() - n * interval '17 s', now() - n * interval '17 s' + interval '1 s',
             chr(27) || '[2J' || chr(155) || '1m', 'h', 1, 'l'
         FROM generate_series(0, 9999) n",
    );
    let status = mirror.json(1);
    let count =
        "SELECT count(*) FROM ops.job_executions WHERE status = 'failed' AND started_at > now() - interval ";
    assert_eq!(mirror.database.value(&format!("{count}'2 days'")), "1000");
    let day = status["database"]["failed_runs_day"].as_i64().unwrap();
    assert!((500..=509).contains(&day), "one in 170 seconds: {day}");
    assert_eq!(day + status["database"]["failed_runs_day_before"].as_i64().unwrap(), 1000);
    for arguments in [&[][..], &["check"], &["--prometheus"], &["live"]] {
        let run = mirror.workdir.run("pipeline-status", arguments);
        assert!(run.stdout.len() > 40, "{run:?}");
        assert!(run.stdout.chars().all(|character| character == '\n' || !character.is_control()), "{run:?}");
    }
}

#[test]
fn live_is_what_the_loads_of_the_window_did() {
    let mirror = Mirror::new();
    mirror.database.execute(
        r#"UPDATE ops.loads SET finished_at = finished_at - interval '2 hours', started_at = started_at - interval '2 hours'
           WHERE table_name <> 'cursus';
           INSERT INTO ops.loads (table_name, source, kind, started_at, finished_at, read, inserted, updated, unchanged, deleted,
               quarantined, released, rejected, out_of_scope, duplicates, stale, cascaded, seconds)
           SELECT name, 's', 'changes', now() - began, now() - ended, 9, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, cascaded::jsonb, 1
           FROM (VALUES ('users', interval '5 hours', interval '10 s', '{"campuses": 7}'), ('users', '20 s', '19 s', '{}'),
               ('projects', '700 s', '650 s', '{}')) AS v(name, began, ended, cascaded)"#,
    );
    let window = mirror.workdir.run("pipeline-status", &["live", "600", "--json"]).expect(0).json();
    let tables = window["tables"].as_array().unwrap();
    let names: Vec<_> = tables.iter().map(|table| table["table"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["campuses", "cursus", "users"],
        "a load of hours counts when it ends; one that ended before does not"
    );
    assert_eq!((tables[0]["loads"].as_i64(), tables[0]["deleted"].as_i64()), (Some(0), Some(7)));
    let users = ["loads", "inserted", "updated", "deleted", "quarantined"]
        .map(|key| tables[2][key].as_i64().unwrap());
    assert_eq!(users, [2, 2, 4, 8, 10]);
    let line = mirror.workdir.run("pipeline-status", &["live", "600", "--compact"]).expect(0).stdout;
    assert!(
        line.contains(" 3 loads: campuses +0 ~0 -7, cursus +") && line.ends_with(", users +2 ~4 -8\n"),
        "{line}"
    );
    let table = mirror.workdir.run("pipeline-status", &["live", "600"]).expect(0).stdout;
    assert!(table.contains("users") && !table.contains("projects"), "{table}");
}

#[test]
fn watch_ends_with_q_or_ctrl_c_and_gives_the_terminal_back() {
    for (key, ending) in [("q", "ended 0"), ("\u{3}", "ended by SIGINT")] {
        let text = watched(key);
        let (screen, after) = text.split_once("\u{1b}[?1049l").unwrap_or_else(|| panic!("{text}"));
        assert!(screen.starts_with("\u{1b}[?1049h") && screen.contains("mirror42"), "{text}");
        assert!(after.contains(ending) && after.contains(" icanon") && after.contains(" echo "), "{text}");
    }
}

/// What a terminal is sent by a watch that is ended by a key, and by the shell around it.
fn watched(key: &str) -> String {
    let workdir = Workdir::new();
    let watch = testkit::tool("pipeline-status").display().to_string() + " --watch --interval 3600";
    let line = format!("trap : INT; {watch}; echo ended $?; stty -a");
    let mut command = workdir.command("/usr/bin/env");
    command.args(["TERM=xterm", "SHELL=/bin/sh", "script", "-qec", &line, "/dev/null"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keyboard, mut terminal) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut sent = read_until(&mut terminal, "q ends");
    // The next look is an hour away: only the key ends this.
    keyboard.write_all(key.as_bytes()).unwrap();
    let mut rest = Vec::new();
    terminal.read_to_end(&mut rest).unwrap();
    child.wait().unwrap();
    sent.push_str(&String::from_utf8_lossy(&rest));
    sent
}

/// What is read until some words came.
fn read_until(from: &mut impl Read, words: &str) -> String {
    let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&read).contains(words) {
        let count = from.read(&mut buffer).unwrap();
        assert!(count > 0, "{words} never came: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&read).into_owned()
}

#[test]
fn watch_survives_a_database_that_goes_away() {
    let database = Database::create();
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", &database.url());
    drop(workdir.run("init-db", &[]).expect(0));
    let mut command = workdir.command("pipeline-status");
    command.args(["--watch", "--interval", "1"]).stdout(Stdio::piped()).stdin(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut screens = child.stdout.take().unwrap();
    let before = read_until(&mut screens, "\ndatabase  PostgreSQL ");
    assert!(!before.contains("not known"), "{before}");
    drop(database);
    let after = read_until(&mut screens, "\ndatabase  not known: ");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(after.contains("CRITICAL  database"), "{after}");
}
