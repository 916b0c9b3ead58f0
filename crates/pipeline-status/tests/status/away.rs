//! What cannot be read says so, and is not waited for.

use super::{Mirror, line, look};
use std::net::TcpListener;
use testkit::Workdir;

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
    for part in ["database", "jobs", "running"] {
        assert!(status[part]["error"].as_str().unwrap().contains("cannot reach PostgreSQL"), "{status}");
    }
    assert_eq!(mirror.workdir.read("logs/metrics_latest.json"), run.stdout);
    let left = mirror.workdir.shell("ls -A logs | grep -e metrics -e alerts").stdout;
    assert_eq!(left, ".alerts.lock\nalerts.ndjson\nmetrics_latest.json\n");
    drop(mirror.workdir.run("pipeline-status", &["check"]).expect(2));
    drop(mirror.workdir.run("pipeline-status", &["live"]).expect(69).complains(&["cannot reach PostgreSQL"]));
    let text = mirror.workdir.run("pipeline-status", &["--prometheus"]).expect(69).stdout;
    assert!(text.contains("mirror42_database_up 0\n") && !text.contains("mirror42_table_rows"), "{text}");
    assert!(text.contains("mirror42_integrity_status{status=\"unknown\"} 1\n"), "{text}");
    assert!(
        !text.contains("mirror42_job_running") && !text.contains("mirror42_integrity_violations"),
        "{text}"
    );
    let watched =
        mirror.workdir.run("pipeline-status", &["--watch", "--interval", "1", "--count", "2"]).expect(69);
    assert_eq!(watched.stdout.matches("mirror42  CRITICAL ").count(), 2, "{watched:?}");
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
    assert_eq!(
        watched.stdout.matches("database   not known: PostgreSQL gave no answer within 1 s").count(),
        2
    );
    assert_eq!(watched.stdout.matches("running    not known: job-monitor: no answer within 1 s").count(), 2);
}
