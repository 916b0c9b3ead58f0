//! What the other tools really say, passed on.

use crate::{ADMIN, Server, desk};
use std::collections::BTreeSet;

/// The families of a text, by their types.
fn families(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| line.starts_with("# TYPE ")).collect()
}

#[test]
fn metrics_are_those_that_pipeline_status_prints_and_those_of_the_server() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    drop(server.get("/healthz").expect(200));
    let text = server.get("/metrics").expect(200).body;
    let said = workdir.run("pipeline-status", &["--openmetrics"]).expect(1).stdout;
    let ours = families(&text).difference(&families(&said)).copied().collect::<Vec<_>>();
    assert_eq!(
        ours,
        ["# TYPE mirror42_monitor_requests counter", "# TYPE mirror42_monitor_start_timestamp_seconds gauge"]
    );
    assert!(families(&said).len() > 10 && families(&said).is_subset(&families(&text)), "{said}");
    assert!(text.ends_with("\n# EOF\n") && text.matches("# EOF").count() == 1);
}

#[test]
fn while_the_database_is_away_the_metrics_say_so() {
    let (_database, mut workdir) = desk();
    workdir.set("DATABASE_URL", "postgresql:///nowhere?host=/nonexistent&user=nobody");
    let text = Server::start(&workdir, &[]).get("/metrics").expect(200).body;
    let said = workdir.run("pipeline-status", &["--openmetrics"]).expect(69).stdout;
    let of_database = |text: &str| {
        text.lines().filter(|line| line.contains("database")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of_database(&text), of_database(&said));
    assert!(!of_database(&text).is_empty(), "{text}");
}

#[test]
fn the_health_routes_say_what_check_integrity_says() {
    let (database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    drop(server.get("/health/latest-report").expect(404));
    drop(server.get("/health/violations").expect(503));
    assert_eq!(server.get("/health/status").expect(200).json()["status"], "unknown");
    let token = format!("Bearer {ADMIN}");
    let report = server.ask("POST", "/health/check-now", &[("Authorization", &token)]).expect(200).json();
    assert!(report["checks"].as_array().is_some_and(|checks| !checks.is_empty()), "{report}");
    for name in ["status", "latest-report", "violations", "metrics"] {
        let answer = server.get(&format!("/api/v1/health/{name}"));
        let said = workdir.run("check-integrity", &[name]);
        // None were found, but nothing was known enough to say so.
        if name == "violations" && said.code == 3 && said.stdout == "[]\n" {
            drop(answer.expect(503));
        } else {
            assert_eq!(answer.expect(200).json(), said.json(), "{name}");
        }
    }
    drop(server);
    let mut away = workdir;
    away.set("DATABASE_URL", "postgresql:///nowhere?host=/nonexistent&user=nobody");
    let server = Server::start(&away, &[]);
    for path in ["status", "latest-report", "violations", "metrics"] {
        let answer = server.get(&format!("/health/{path}")).expect(503);
        assert!(!answer.body.contains("nonexistent"), "{answer:?}");
    }
    drop(database);
}
