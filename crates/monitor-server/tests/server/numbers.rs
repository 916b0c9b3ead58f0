//! Every number on the page, held against the database, the files and the tools.

use crate::browser::Page;
use crate::page::{Mirror, tables};
use catalog::Catalog;
use serde_json::Value;

/// Records that wait, and a job that failed each of the last four hours: alerts of two levels.
const TROUBLE: &str = "INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, load_id)
    SELECT 'campuses', n::text, 'type', 'r', 1 FROM generate_series(1, 1234) n;
    INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at, exit_code,
        error_message, host, pid, lease)
    SELECT gen_random_uuid(), 1, 'nightly_report', 'other', 'failed', at, at, at + interval '7 s', 1, 'the words of run ' || n, 'h', 7, 'l'
    FROM (SELECT n, now() - n * interval '1 hour' AS at FROM generate_series(1, 4) n) AS runs";

/// A job that goes on, and one of its stages.
const RUNNING: &str = "INSERT INTO ops.job_executions (run, parent_run, seq, job_name, job_type, status, total_items, items_processed,
        items_succeeded, items_failed, items_per_second, started_at, heartbeat_at, host, pid, lease)
    VALUES ('00000000-0000-0000-0000-000000000001', NULL, 1, 'walk', 'other', 'running', NULL, 3, 3, 0, NULL, now() - interval '95 s', now(), 'h', 7, 'l'),
        (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 1, 'step', 'other', 'running', 90, 40, 38, 2, 0.001, now() - interval '65 s', now(), 'h', 7, 'l')";

#[test]
fn every_number_on_the_page_is_that_of_the_database_and_of_the_files() {
    let mirror = Mirror::of(&[]);
    mirror.database.execute(TROUBLE);
    mirror.database.execute(RUNNING);
    drop(mirror.workdir.run("pipeline-status", &["--json", "--write-metrics"]));
    // The last load of this one is not the last that changed it.
    drop(mirror.workdir.run("load-table", &["cursus", "--export"]).expect(0));
    let page = mirror.look();
    let measured = mirror.measured();
    assert_eq!(page.badge(), (measured["status"].as_str().unwrap(), "fresh"), "{page:?}");
    assert!(page.source.contains("<title>CRITICAL · mirror42</title>"), "{page:?}");
    assert_tables(&mirror, &page, &measured);
    assert_jobs(&mirror, &page);
    assert_running(&page);
    assert_alerts(&mirror, &page, &measured);
    assert_facts(&mirror, &page, &measured);
}

#[test]
fn what_is_not_consistent_is_listed_with_what_mends_it_and_the_rate_of_each_day() {
    let mirror = Mirror::of(&[]);
    mirror.database.execute(
        "UPDATE users SET ingested_at = now() - interval '1 day';
         DELETE FROM cursus_users WHERE user_id IN (SELECT id FROM users ORDER BY id LIMIT 2)",
    );
    drop(mirror.workdir.run("check-integrity", &["run"]));
    let measured = mirror.measured();
    let integrity = &measured["integrity"];
    let found = integrity["violations"].as_array().unwrap();
    assert!(
        found.iter().filter(|finding| finding["check"] == "cursus_membership").count() == 2,
        "{integrity:#}"
    );
    let page = mirror.look();
    let rate = integrity["consistency_rate"].to_string();
    let fact = |field| page.value(&[("data-part", "integrity"), ("data-field", field)]);
    assert_eq!(fact("consistency_rate"), Some(&*rate));
    assert_eq!(fact("total_violations"), Some(&*integrity["total_violations"].to_string()));
    assert_eq!(page.one(&[("id", "integrity-rate")]).get("value"), Some(&*rate));
    assert_eq!(page.one(&[("id", "integrity-chart")]).get("data-values"), Some(&*rate), "a day");
    let shown = |field: &str| {
        page.elements()
            .iter()
            .filter(|element| {
                element.get("data-finding").is_some() && element.get("data-field") == Some(field)
            })
            .count()
    };
    assert_eq!(shown("command"), found.len());
    for finding in found {
        let key = serde_json::json!([finding["check"], finding["table"], finding["subject"]]).to_string();
        let value = |field| page.value(&[("data-finding", &*key), ("data-field", field)]);
        assert_eq!(value("command"), finding["command"].as_str().or(Some("")), "{key}");
        assert_eq!(value("subject"), Some(&*finding["subject"].to_string()), "{key}");
        assert_eq!(value("times_seen"), Some("1"), "{key}");
        assert_eq!(value("first_seen"), finding["first_seen"].as_str(), "{key}");
    }
}

fn assert_tables(mirror: &Mirror, page: &Page, measured: &Value) {
    assert_eq!(
        page.all(&[("data-field", "rows"), ("role", "cell")]).len(),
        tables(measured).len() + 1,
        "and a template"
    );
    let catalog = Catalog::load().unwrap();
    for table in tables(measured) {
        let value = |field| page.value(&[("data-table", table), ("data-field", field)]);
        let query = |sql: &str| mirror.database.value(&sql.replace("{}", table));
        assert_eq!(value("rows"), Some(&*query("SELECT count(*) FROM {}")), "{table}");
        assert_ne!(value("rows"), Some("0"));
        let waiting = query("SELECT count(*) FROM ops.quarantine WHERE table_name = '{}'");
        assert_eq!(value("quarantine"), Some(&*waiting), "{table}");
        let file = &catalog.find(table).unwrap().file;
        let lines =
            format!("cat exports/{file}/all.ndjson exports/{file}/cursus_*/all.ndjson 2>/dev/null | wc -l");
        assert_eq!(value("records"), Some(mirror.workdir.shell(&lines).stdout.trim()), "{table}");
        for (field, loads) in [("last_load", ""), ("last_change", "AND inserted + updated + deleted > 0")] {
            let shown = value(field).unwrap();
            let is_last =
                format!("max(finished_at) = '{shown}' FROM ops.loads WHERE table_name = '{table}' {loads}");
            assert_eq!(query(&format!("SELECT {is_last}")), "true", "{table} {field}");
        }
        for field in ["inserted_hour", "updated_hour", "deleted_hour"] {
            let sum = field.replace("_hour", "");
            let moved = query(&format!("SELECT sum({sum}) FROM ops.loads WHERE table_name = '{table}'"));
            assert_eq!(value(field), Some(&*moved), "{table}");
        }
    }
}

fn assert_jobs(mirror: &Mirror, page: &Page) {
    let latest = "SELECT DISTINCT ON (job_name) job_name, status FROM ops.job_executions ORDER BY job_name, started_at DESC, id DESC";
    let jobs = mirror.database.rows(latest);
    assert!(jobs.len() > 26, "{jobs:?}");
    for job in &jobs {
        let name = job["job_name"].as_str().unwrap();
        let value = |field| page.value(&[("data-job", name), ("data-field", field)]);
        assert_eq!(value("status"), job["status"].as_str(), "{name}");
        let failures = if name == "nightly_report" { "4" } else { "0" };
        assert_eq!(value("consecutive_failures"), Some(failures), "{name}");
    }
    for name in ["live_sync", "backlog_worker", "token_refresh"] {
        assert_eq!(page.value(&[("data-job", name), ("data-field", "status")]), Some("never_run"));
    }
    assert!(
        page.source.contains("the words of run 1") && !page.source.contains("the words of run 2"),
        "{page:?}"
    );
    // The history that is shown is that of the first job.
    let runs =
        mirror.database.rows("SELECT id, status FROM ops.job_executions WHERE job_name = 'nightly_sync'");
    assert_eq!(runs.len(), 1);
    let id = runs[0]["id"].to_string();
    assert_eq!(page.value(&[("data-history", &id), ("data-field", "status")]), runs[0]["status"].as_str());
    assert!(
        page.one(&[("id", "history-words")]).text.starts_with("nightly_sync: the last 1 run, "),
        "{page:?}"
    );
}

fn assert_running(page: &Page) {
    assert_eq!(page.value(&[("data-part", "running"), ("data-field", "count")]), Some("2"));
    for (name, done, percent, left, level) in
        [("walk", "3", "", "", None), ("step", "40", "44.4", "50000", Some("critical"))]
    {
        let id = page.one(&[("data-field", "job_name"), ("data-value", name)]).get("data-run").unwrap();
        let field = |field| page.one(&[("data-run", id), ("data-field", field)]);
        let value = |name| field(name).get("data-value").unwrap();
        assert_eq!((value("items_processed"), value("estimated_remaining_seconds")), (done, left), "{name}");
        assert!(value("progress_percent").starts_with(percent), "{name}: {}", value("progress_percent"));
        assert_eq!(field("items_failed").get("data-level"), level, "{name}");
        let bars = page.all(&[("aria-label", &format!("Progress of {name}"))]);
        assert_eq!(bars[0].get("value").is_none(), percent.is_empty(), "{name}");
    }
    // It is told apart from what it belongs to.
    assert_eq!(page.all(&[("class", "stage")]).len(), 1, "{page:?}");
}

fn assert_facts(mirror: &Mirror, page: &Page, measured: &Value) {
    let value = |part, field| page.value(&[("data-part", part), ("data-field", field)]);
    assert_eq!((value("errors", "day"), value("errors", "day_before")), (Some("4"), Some("0")));
    let sum = |chart| {
        let values = page.one(&[("id", chart)]).get("data-values").unwrap().split(' ');
        values.map(|value| value.parse::<u64>().unwrap()).sum::<u64>()
    };
    assert_eq!(sum("errors-chart"), 4);
    let budget = mirror.workdir.run("api-token", &["budget", "--json"]).expect(0).json();
    assert_eq!(value("quota", "used"), Some(&*budget["used"].to_string()));
    assert_eq!(sum("calls-chart").to_string(), budget["used"].to_string());
    let answered = mirror.mock.count("calls") + mirror.mock.count("token_calls");
    assert_eq!(value("calls", "ok"), Some(&*answered.to_string()));
    assert_eq!(value("token", "expires_at"), measured["token"]["expires_at"].as_str());
    assert_eq!(value("backlog", "depth"), Some("0"));
    assert_eq!(value("integrity", "status"), measured["integrity"]["status"].as_str());
}

fn assert_alerts(mirror: &Mirror, page: &Page, measured: &Value) {
    let shown = page.elements().iter().filter(|element| element.get("data-alert").is_some());
    let mut shown: Vec<_> = shown
        .map(|element| {
            ["level", "alert", "subject"].map(|key| element.get(&format!("data-{key}")).unwrap().to_owned())
        })
        .collect();
    let alerts = measured["alerts"].as_array().unwrap().iter();
    let mut alerts: Vec<_> = alerts
        .map(|alert| ["level", "name", "subject"].map(|key| alert[key].as_str().unwrap().to_owned()))
        .collect();
    shown.sort();
    alerts.sort();
    assert_eq!(shown, alerts);
    for (alert, level) in [("quarantine_records", "warning"), ("job_failures", "critical")] {
        assert_eq!(page.all(&[("data-alert", alert), ("data-level", level)]).len(), 1, "{page:?}");
    }
    let log = page.all(&[("data-field", "event"), ("data-value", "raised")]).len();
    assert_eq!(log, mirror.workdir.read("logs/alerts.ndjson").lines().count());
}
