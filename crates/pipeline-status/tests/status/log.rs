//! The log of alerts, and the file that it is compared with.

use super::Mirror;
use serde_json::Value;
use testkit::Run;

/// Writes the metrics, with some records in quarantine or none.
fn write(mirror: &Mirror, arguments: &[&str]) -> Run {
    let quarantine = "--threshold=quarantine_records=2:1000";
    mirror.workdir.run("pipeline-status", &[&["--json", "--write-metrics", quarantine], arguments].concat())
}

/// The lines about the quarantine of campuses.
fn lines(mirror: &Mirror) -> Vec<[String; 2]> {
    let log = mirror.workdir.read("logs/alerts.ndjson");
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    let word = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let about = lines.filter(|line| line["name"] == "quarantine_records" && line["subject"] == "campuses");
    about.map(|line| [word(&line, "event"), word(&line, "level")]).collect()
}

fn set_aside(mirror: &Mirror, count: u32) {
    mirror.database.execute(&format!(
        "DELETE FROM ops.quarantine; INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, load_id)
         SELECT 'campuses', n::text, 'parent', 'r', 1 FROM generate_series(1, {count}) n"
    ));
}

#[test]
fn an_alert_is_logged_when_it_begins_changes_and_ends_and_not_in_between() {
    let mirror = Mirror::new();
    drop(write(&mirror, &[]).expect(1));
    assert_eq!(lines(&mirror), Vec::<[String; 2]>::new());
    let raised = ["raised", "warning"].map(str::to_owned);
    for count in [5, 6, 7] {
        set_aside(&mirror, count);
        drop(write(&mirror, &[]).expect(1));
        assert_eq!(lines(&mirror), std::slice::from_ref(&raised), "another number is no news");
    }
    drop(write(&mirror, &["--threshold", "quarantine_records=2:6"]).expect(1));
    set_aside(&mirror, 0);
    drop(write(&mirror, &["--threshold", "quarantine_records=2:6"]).expect(1));
    let all = [["raised", "warning"], ["changed", "critical"], ["cleared", "critical"]];
    assert_eq!(lines(&mirror), all.map(|line| line.map(str::to_owned)));
    let status = mirror.json(1);
    let newest = &status["alert_log"][0];
    assert_eq!((&newest["event"], &newest["subject"]), (&"cleared".into(), &"campuses".into()));
    let log = mirror.workdir.read("logs/alerts.ndjson");
    assert_eq!(log.lines().next_back().unwrap(), newest.to_string());
    let keys: Vec<_> = newest.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["at", "event", "level", "name", "subject", "text"]);
    let at = newest["at"].as_str().unwrap();
    assert!(at.len() == 20 && at.ends_with('Z'), "{at}");
}

#[test]
fn what_the_database_keeps_to_itself_for_a_while_is_neither_over_nor_new() {
    let mut mirror = Mirror::new();
    set_aside(&mirror, 5);
    drop(write(&mirror, &[]).expect(1));
    let url = mirror.database.url();
    mirror.workdir.set("DATABASE_URL", "postgresql:///mirror42?host=/nowhere&user=nobody");
    let away = write(&mirror, &[]).expect(69).json();
    drop(write(&mirror, &[]).expect(69));
    assert!(away["alerts_unmeasured"].to_string().contains("quarantine_records"), "{away}");
    let log = mirror.workdir.read("logs/alerts.ndjson");
    assert_eq!(log.matches(r#""event":"raised","level":"critical","name":"database""#).count(), 1, "{log}");
    mirror.workdir.set("DATABASE_URL", &url);
    drop(write(&mirror, &[]).expect(1));
    assert_eq!(lines(&mirror).len(), 1, "it was there all the time");
    let log = mirror.workdir.read("logs/alerts.ndjson");
    assert_eq!(log.matches(r#""event":"cleared","level":"critical","name":"database""#).count(), 1, "{log}");
    set_aside(&mirror, 0);
    drop(write(&mirror, &[]).expect(1));
    assert_eq!(lines(&mirror).last().unwrap()[0], "cleared");
}

#[test]
fn damaged_files_are_told_and_mended() {
    let mirror = Mirror::new();
    set_aside(&mirror, 5);
    drop(write(&mirror, &[]).expect(1));
    mirror.workdir.write("logs/metrics_latest.json", "{\"status\":");
    let log = mirror.workdir.read("logs/alerts.ndjson");
    mirror.workdir.write("logs/alerts.ndjson", &format!("no line\n{log}\u{0}\u{1b}[2J\n"));
    let run = write(&mirror, &[]).expect(1).complains(&["metrics_latest.json was damaged"]);
    let status = run.json();
    assert_eq!(status["alert_log"].as_array().unwrap().len(), log.lines().count(), "{status}");
    assert_eq!(mirror.workdir.read("logs/metrics_latest.json"), run.stdout);
    let raised = mirror.workdir.read("logs/alerts.ndjson").matches(r#""name":"quarantine_records""#).count();
    assert_eq!(raised, 2, "raised anew rather than not at all");
    assert!(write(&mirror, &[]).expect(1).stderr.is_empty());
}

#[test]
fn several_writers_log_an_alert_once() {
    let mirror = Mirror::new();
    drop(write(&mirror, &[]).expect(1));
    set_aside(&mirror, 5);
    let line = "for n in 1 2 3 4 5 6; do pipeline-status --json --write-metrics --threshold quarantine_records=2:1000 >/dev/null & done; wait";
    drop(mirror.workdir.shell(line).expect(0));
    assert_eq!(lines(&mirror).len(), 1, "{}", mirror.workdir.read("logs/alerts.ndjson"));
}

#[test]
fn a_full_disk_costs_the_file_and_not_the_screen() {
    let mirror = Mirror::new();
    drop(write(&mirror, &[]).expect(1));
    let before = ["logs/metrics_latest.json", "logs/alerts.ndjson"].map(|path| mirror.workdir.read(path));
    set_aside(&mirror, 5);
    // A file may not grow: what a full disk looks like without one.
    let line = "trap '' XFSZ; ulimit -f 0; exec pipeline-status --json --write-metrics --threshold quarantine_records=2:1000";
    let run = mirror.workdir.shell(line).expect(74).complains(&["alerts.ndjson", "File too large"]);
    assert!(run.stdout.contains("records wait in quarantine"), "{run:?}");
    let after = ["logs/metrics_latest.json", "logs/alerts.ndjson"].map(|path| mirror.workdir.read(path));
    assert_eq!(before, after);
    let left = mirror.workdir.shell("ls -A logs | grep -e metrics -e alerts").stdout;
    assert_eq!(left, ".alerts.lock\nalerts.ndjson\nmetrics_latest.json\n");
    let full = mirror.workdir.shell("pipeline-status --json --write-metrics >/dev/full").expect(74);
    drop(full.complains(&["standard output"]));
    assert_ne!(
        mirror.workdir.read("logs/metrics_latest.json"),
        before[0],
        "what is written is not what is printed"
    );
    drop(write(&mirror, &[]).expect(1));
    assert_eq!(lines(&mirror).len(), 1, "what could not be told then is told later");
}
