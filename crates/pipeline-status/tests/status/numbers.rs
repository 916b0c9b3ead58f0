//! Every number, where it comes from.

use super::{Mirror, TABLES, alerts, is_harmless, line, look, manifest};
use testkit::{Database, Workdir};

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
        let moved = |what: &str| line["mirror"][what].to_string();
        let sums = "SELECT concat(sum(inserted), ' ', sum(updated), ' ', sum(deleted)) FROM ops.loads";
        let sums = query(&format!("{sums} WHERE table_name = '{table}'"));
        assert_eq!(["inserted_hour", "updated_hour", "deleted_hour"].map(moved).join(" "), sums);
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
    assert!(screen.contains("2 parent, 5 type") && screen.starts_with("mirror42  UNKNOWN "), "{screen}");
    let nagios = look(&mirror.workdir, &["check"]).expect(3).stdout;
    assert!(nagios.starts_with("MIRROR42 UNKNOWN - ") && nagios.lines().count() == 1, "{nagios}");
    let text = mirror.workdir.run("pipeline-status", &["--prometheus"]).expect(1).stdout;
    let rows = mirror.database.value("SELECT count(*) FROM campuses");
    assert!(text.contains(&format!("mirror42_table_rows{{table=\"campuses\"}} {rows}\n")), "{text}");
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
    for wrong in [&["--json", "check"][..], &["--json", "--openmetrics"], &["--watch", "--write-metrics"]] {
        drop(workdir.run("pipeline-status", wrong).expect(2));
    }
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
    let errors = &status["database"]["errors"];
    let by_hour: Vec<_> =
        errors["by_hour"].as_array().unwrap().iter().map(|hour| hour.as_i64().unwrap()).collect();
    assert_eq!((by_hour.len(), by_hour.iter().sum(), errors["day"].as_i64()), (24, day, Some(day)));
    assert!(by_hour.iter().all(|hour| (19..=23).contains(hour)), "one in 170 seconds: {by_hour:?}");
    assert_eq!(errors["day_before"], status["database"]["failed_runs_day_before"]);
    for arguments in [&[][..], &["check"], &["--prometheus"], &["--openmetrics"], &["live"], &["backlog"]] {
        let run = mirror.workdir.run("pipeline-status", arguments);
        assert!(run.stdout.len() > 40, "{run:?}");
        assert!(is_harmless(&run.stdout), "{run:?}");
    }
}

#[test]
fn every_threshold_is_documented_and_can_be_replaced() {
    let workdir = Workdir::new();
    let text = workdir.run("pipeline-status", &["thresholds"]).expect(0).stdout;
    let names: Vec<_> = text.lines().map(|line| line.split('\t').next().unwrap()).collect();
    for known in
        ["api_calls_minute", "api_401_hour", "api_429_hour", "database_bytes", "logs_bytes", "sync_seconds"]
    {
        assert!(names.contains(&known), "{text}");
    }
    for line in text.lines() {
        let [name, warning, critical, about] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert!(!about.is_empty());
        let other = format!("{name}={warning}:{critical}");
        drop(look(&workdir, &["--json", "--threshold", &other]).expect(78));
    }
}
