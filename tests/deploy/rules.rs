//! Alert rules: valid, tested both ways, at the thresholds of pipeline-status.

use crate::{promtool, text};
use std::collections::{BTreeMap, BTreeSet};
use testkit::Workdir;

const RULES: &str = "deploy/prometheus/mirror42.rules.yml";
const TESTS: [&str; 2] =
    ["deploy/prometheus/mirror42.rules.test.yml", "deploy/prometheus/mirror42.days.test.yml"];

/// Alerts that stand for a threshold of pipeline-status.
const SAME: [(&str, &str); 18] = [
    ("Mirror42LiveLag", "live_lag_seconds"),
    ("Mirror42ExportOld", "export_age_seconds"),
    ("Mirror42TableNotLoaded", "load_age_seconds"),
    ("Mirror42Quarantine", "quarantine_records"),
    ("Mirror42DatabaseLarge", "database_bytes"),
    ("Mirror42LogsLarge", "logs_bytes"),
    ("Mirror42DiskFull", "disk_used_percent"),
    ("Mirror42QuotaUsedUp", "quota_used_percent"),
    ("Mirror42LiveSlow", "sync_seconds"),
    ("Mirror42NightlySlow", "nightly_seconds"),
    ("Mirror42CallsTooFast", "api_calls_minute"),
    ("Mirror42Unauthorized", "api_401_hour"),
    ("Mirror42Throttled", "api_429_hour"),
    ("Mirror42ExportThrottled", "http_429"),
    ("Mirror42TokenRenewalFailed", "token_errors_day"),
    ("Mirror42SecretEnds", "secret_days"),
    ("Mirror42BacklogOld", "backlog_age_seconds"),
    ("Mirror42BacklogDead", "backlog_dead"),
];

/// The rules by alert: how severe, and the expression.
fn rules() -> BTreeMap<String, Vec<(String, String)>> {
    let mut rules: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for rule in text(RULES).split("- alert: ").skip(1) {
        let part = |start: &str| {
            let line = rule.lines().find_map(|line| line.trim().strip_prefix(start));
            line.unwrap_or_else(|| panic!("no {start} in {rule}")).to_owned()
        };
        let severity = part("labels: {severity: ").trim_end_matches('}').to_owned();
        rules.entry(rule.lines().next().unwrap().to_owned()).or_default().push((severity, part("expr: ")));
    }
    rules
}

#[test]
fn the_rules_are_valid_and_do_what_their_tests_say() {
    let workdir = Workdir::new();
    let checked = promtool(&workdir, "check rules mirror42.rules.yml").expect(0);
    let count: usize = rules().values().map(Vec::len).sum();
    assert!(checked.stdout.contains(&format!("{count} rules found")), "{checked:#?}");
    drop(promtool(&workdir, "test rules mirror42.rules.test.yml mirror42.days.test.yml").expect(0));
}

#[test]
fn every_alert_is_tested_when_it_fires_at_each_severity_and_when_it_does_not() {
    let tests: String = TESTS.map(text).concat();
    for (alert, rules) in rules() {
        assert!(
            tests.contains(&format!("{{alertname: {alert}, eval_time: ")),
            "{alert} is not tested to be silent"
        );
        let firing: Vec<&str> =
            tests.split("- alertname: ").filter(|test| test.starts_with(&format!("{alert}\n"))).collect();
        for (severity, _) in rules {
            let label = format!("severity: {severity}");
            assert!(
                firing.iter().any(|test| test.contains(&label)),
                "{alert} is not tested to be {severity}"
            );
        }
    }
}

#[test]
fn thresholds_are_those_of_pipeline_status() {
    let workdir = Workdir::new();
    let listed = workdir.run("pipeline-status", &["thresholds"]).expect(0).stdout;
    let rules = rules();
    for (alert, threshold) in SAME {
        let line = listed.lines().find(|line| line.split('\t').next() == Some(threshold)).unwrap();
        let limits: Vec<_> = line.split('\t').skip(1).take(2).collect();
        for (severity, limit) in ["warning", "critical"].iter().zip(limits) {
            let (_, expression) = rules[alert].iter().find(|(known, _)| known == severity).unwrap();
            assert!(
                expression.ends_with(&format!("= {limit}")) || expression.ends_with(&format!("< {limit}")),
                "{alert}: {expression}, {limit}"
            );
        }
    }
    let named: BTreeSet<_> = SAME.iter().map(|(_, threshold)| *threshold).chain(["job_failures"]).collect();
    let known: BTreeSet<_> = listed.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(named, known, "every threshold has an alert");
}

#[test]
fn every_job_with_a_schedule_has_an_alert_when_it_succeeds_no_more() {
    let schedules = text("crates/journal/src/schedules.toml");
    let names = schedules.lines().filter_map(|line| line.strip_prefix("name = \""));
    let names: Vec<_> = names.map(|name| name.trim_end_matches('"')).collect();
    assert!(names.len() >= 7, "{names:?}");
    let rules = rules();
    for name in names {
        let is_its = |(alert, rules): (&String, &Vec<(String, String)>)| {
            let selects = rules.iter().all(|(_, expression)| expression.contains(&format!("=\"{name}\"")));
            alert.ends_with("NotSucceeded") && selects
        };
        assert!(rules.iter().any(is_its), "{name}");
    }
}
