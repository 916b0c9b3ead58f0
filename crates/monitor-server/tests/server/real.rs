//! What the other tools really say, passed on.

use crate::{Server, desk};
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
