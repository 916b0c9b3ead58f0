//! The dashboard: every expression asks for something that is there.

use crate::{project, promtool, text};
use serde_json::Value;
use std::collections::BTreeSet;
use testkit::Workdir;

fn dashboard() -> Value {
    serde_json::from_str(&text("deploy/grafana/mirror42.json")).unwrap()
}

/// The panels that show something.
fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row").collect()
}

fn expressions(panel: &Value) -> Vec<&str> {
    panel["targets"].as_array().unwrap().iter().map(|target| target["expr"].as_str().unwrap()).collect()
}

#[test]
fn every_expression_is_one_of_prometheus() {
    let dashboard = dashboard();
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    let mut count = 0;
    for panel in panels(&dashboard) {
        for expression in expressions(panel) {
            let expression = serde_json::to_string(&expression.replace("$instance", ".*")).unwrap();
            rules.push_str(&format!("      - {{record: 'panel:{count}', expr: {expression}}}\n"));
            count += 1;
        }
    }
    assert!(count > 40 && !rules.contains("$instance"), "{count}");
    let workdir = Workdir::new();
    workdir.write("dashboard.yml", &rules);
    let file = workdir.path("dashboard.yml");
    let checked = promtool(&workdir, &format!("check rules {}", file.display())).expect(0);
    assert!(checked.stdout.contains(&format!("{count} rules found")), "{checked:#?}");
}

#[test]
fn panels_have_a_place_of_their_own_a_title_and_the_source_that_was_chosen() {
    let dashboard = dashboard();
    let mut cells = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(x < 24 && cells.insert((x, y)), "{} stands on another: {x}, {y}", panel["title"]);
            }
        }
        assert!(ids.insert(panel["id"].as_u64().unwrap()) && !panel["title"].as_str().unwrap().is_empty());
    }
    for panel in panels(&dashboard) {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel:#}");
        assert!(!expressions(panel).is_empty(), "{panel:#}");
    }
}

#[test]
fn nothing_is_green_that_was_not_measured() {
    let dashboard = dashboard();
    let mut colored = 0;
    for panel in panels(&dashboard).into_iter().filter(|panel| panel["type"] == "stat") {
        let none = panel["fieldConfig"]["defaults"]["noValue"].as_str().unwrap();
        assert!(["not known", "never"].contains(&none), "{panel:#}");
        // What a dead exporter said last is no news, unless it only grows worse with time.
        for expression in expressions(panel) {
            let ages = expression.contains("time() - ")
                || expression.contains("- time()")
                || expression.contains("quota");
            assert!(ages, "{}: {expression}", panel["title"]);
            colored += 1;
        }
    }
    assert!(colored > 10, "{colored}");
    assert!(project("deploy/grafana").is_dir());
}
