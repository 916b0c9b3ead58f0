//! The documented bodies, where the thresholds are, and that no body grows without bound.

use crate::{Rig, Things};
use serde_json::{Value, json};

/// A body with what differs from run to run made equal.
fn normal(mut body: Value) -> String {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    match key.as_str() {
                        "seconds" | "duration_seconds" => *value = json!(0.1),
                        "day" => *value = json!("DAY"),
                        _ => walk(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::String(text) if text.len() == 24 && text.ends_with('Z') => "INSTANT".clone_into(text),
            _ => {}
        }
    }
    walk(&mut body);
    serde_json::to_string_pretty(&body).unwrap() + "\n"
}

#[test]
fn the_five_bodies_are_the_documented_ones() {
    let things = Things::new();
    things.fill(150, 2);
    let run = things.check(&["run", "--check", "things_have_names"]).expect(1).json();
    testkit::assert_golden("tests/integrity/golden/run.json", &normal(run));
    drop(things.check(&["run"]).expect(1));
    for command in ["status", "latest-report", "violations", "metrics"] {
        let body = things.check(&[command]).expect(1).json();
        testkit::assert_golden(&format!("tests/integrity/golden/{command}.json"), &normal(body));
    }
    let text = things.check(&["metrics", "--prometheus"]).expect(1).stdout;
    let last = |line: &&str| !line.starts_with("mirror42_integrity_check_last_run_timestamp_seconds{");
    let text: String = text.lines().filter(last).map(|line| format!("{line}\n")).collect();
    testkit::assert_golden("tests/integrity/golden/metrics.prom", &text);
}

#[test]
fn thresholds_are_compared_before_anything_is_rounded() {
    let things = Things::new();
    for (all, nameless, status, code, rate) in [
        (0, 0, "unknown", 3, Value::Null),
        (1, 1, "critical", 2, json!(0.0)),
        (100, 1, "healthy", 0, json!(99.0)),
        (100_000, 1004, "degraded", 1, json!(99.0)),
        (100, 5, "degraded", 1, json!(95.0)),
        (10_000, 501, "critical", 2, json!(94.99)),
        (100_000, 1, "healthy", 0, json!(99.99)),
        (1000, 0, "healthy", 0, json!(100.0)),
    ] {
        things.fill(all, nameless);
        let report = things.check(&["run"]).expect(code).json();
        let found = (report["status"].as_str().unwrap(), report["consistency_rate"].clone());
        assert_eq!(found, (status, rate.clone()), "{nameless} of {all}");
        let status_now = things.check(&["status"]).expect(code).json();
        let wanted = if status == "unknown" { Value::Null } else { rate };
        assert_eq!((&status_now["status"], &status_now["consistency_rate"]), (&json!(status), &wanted));
        assert_eq!(report["inconsistent"], json!(nameless));
    }
}

#[test]
fn a_severity_counts_beside_the_share_and_the_worst_check_is_the_whole() {
    let things = Things::new();
    for (severity, status, code) in
        [("warning", "healthy", 0), ("error", "degraded", 1), ("critical", "critical", 2)]
    {
        let claim = crate::THINGS.replace("severity = \"warning\"", &format!("severity = \"{severity}\""));
        things.workdir.write("catalog/01_things.toml", &claim);
        things.fill(10_000, 1);
        let report = things.check(&["run"]).expect(code).json();
        assert_eq!((&report["status"], &report["ratio_status"]), (&json!(status), &json!("healthy")));
    }
}

/// Rows that wait for parents which nobody has.
fn orphans(rig: &Rig, rows: u32, parents: u32) {
    rig.execute(&format!(
        "INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, parent_table, parent_key, row, load_id, first_seen)
         SELECT 'coalitions_users', (900000000 + n)::text, 'parent', 'r', 'coalitions', p, jsonb_build_object('coalition_id', p::bigint), 1,
             now() - interval '1 hour'
         FROM generate_series(1, {rows}) n, LATERAL (SELECT (800000 + n % {parents})::text AS p) AS parent"
    ));
}

#[test]
fn ninety_two_thousand_orphans_of_one_parent_are_one_finding_in_a_small_file() {
    let rig = Rig::new();
    orphans(&rig, 92_368, 1);
    let run = rig.check(&["run"]).expect(2);
    let report = run.json();
    let orphans: Vec<_> =
        report["violations"].as_array().unwrap().iter().filter(|f| f["rows"] == 92_368).collect();
    assert_eq!(orphans.len(), 1, "{report:#}");
    assert_eq!(orphans[0]["subject"]["parent_key"], 800_000);
    assert_eq!(report["total_violations"], json!(rig.usual.len() + 1));
    let files = rig.world.workdir.shell("find logs/integrity_checks -name '*_violations*' -newer logs/integrity_check* 2>/dev/null; ls -S logs/integrity_checks | head -1");
    assert!(files.code == 0, "{files:#?}");
    let size = rig.world.workdir.path("logs/integrity_checks/latest.json").metadata().unwrap().len();
    assert!(size < 64 << 10, "{size} bytes");
}

#[test]
fn of_five_thousand_findings_a_thousand_are_shown_and_all_are_counted_and_none_is_resolved_unseen() {
    let rig = Rig::new();
    orphans(&rig, 5000, 5000);
    let report = rig.check(&["run"]).expect(2).json();
    assert_eq!(report["total_violations"], json!(rig.usual.len() + 5000));
    assert_eq!(report["violations"].as_array().unwrap().len(), 1000);
    assert_eq!(rig.check(&["violations"]).expect(2).json().as_array().unwrap().len(), 1000);
    let status = rig.check(&["status"]).expect(2).json();
    assert_eq!(
        (status["violations"].as_array().unwrap().len(), &status["total_violations"]),
        (100, &report["total_violations"])
    );
    let size = rig.world.workdir.path("logs/integrity_checks/latest.json").metadata().unwrap().len();
    assert!(size < 1 << 20, "{size} bytes");
    // Others come to the front: those that are not shown now may be there nevertheless.
    let open = "SELECT count(*) FROM ops.integrity_violations WHERE resolved_at IS NULL AND check_name LIKE 'coalitions%'";
    let before: u32 = rig.value(open).parse().unwrap();
    rig.execute("DELETE FROM ops.quarantine WHERE parent_key::int BETWEEN 800000 AND 800499");
    drop(rig.check(&["run"]).expect(2));
    assert!(rig.value(open).parse::<u32>().unwrap() >= before + 500);
    rig.execute("DELETE FROM ops.quarantine WHERE parent_key::int >= 800000");
    assert_eq!(rig.found(&[]), rig.usual);
    assert_eq!(
        rig.value(open).parse::<usize>().unwrap(),
        rig.usual.iter().filter(|name| name.contains("\"coalitions")).count()
    );
}

#[test]
fn every_check_is_listed_with_what_mends_it() {
    let things = Things::new();
    let listed = things.check(&["checks"]).expect(0).stdout;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 6, "{listed}");
    assert!(lines.iter().all(|line| line.split('\t').count() == 5), "{listed}");
    assert!(
        lines.contains(&"things_have_names\tthings\twarning\treload_export\tEach thing has a name"),
        "{listed}"
    );
}
