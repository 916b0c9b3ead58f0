//! How much is read, however much there is.

use crate::Things;
use serde_json::json;

/// Loads of which the first one was full, and wrote all things, and tens of thousands since did nothing; runs of jobs.
const MUCH: &str = "
    INSERT INTO ops.loads (table_name, source, kind, walk_started, started_at, finished_at, read, inserted, updated, unchanged,
        deleted, quarantined, released, rejected, out_of_scope, duplicates, stale, cascaded, seconds)
    SELECT 'things', 's', CASE WHEN n = 1 THEN 'full' ELSE 'changes' END, at, at, at + interval '1 hour', 9,
        CASE WHEN n = 1 THEN 100 ELSE 0 END, 0, 3, 0, 0, 0, 0, 0, 0, 0, '{}', 1
    FROM generate_series(1, 50000) n, LATERAL (SELECT now() - interval '4 days' + n * interval '5 s' AS at) AS t;
    INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at, host, pid, lease)
    SELECT gen_random_uuid(), 1, 'job' || n % 5, 't', 'completed', at, at, at, 'h', 1, 'l'
    FROM generate_series(0, 9999) n, LATERAL (SELECT now() - n * interval '17 s') AS t(at);
    ANALYZE ops.loads; ANALYZE ops.job_executions; SELECT pg_sleep(1); SELECT pg_stat_reset()";

#[test]
fn records_of_loads_and_jobs_are_never_read_from_end_to_end() {
    let things = Things::new();
    things.fill(100, 0);
    things.database.execute(MUCH);
    let report = things.check(&["run"]).json();
    let checks = report["checks"].as_array().unwrap();
    let status = |name: &str| checks.iter().find(|check| check["check"] == name).unwrap()["status"].clone();
    assert_ne!(status("freshness_vs_schedule"), json!("not_applicable"));
    let read = |relation: &str, column: &str| {
        let query = format!(
            "SELECT {column} FROM pg_stat_user_tables WHERE schemaname = 'ops' AND relname = '{relation}'"
        );
        things.database.value(&query).parse::<u64>().unwrap()
    };
    for relation in ["loads", "job_executions"] {
        testkit::until("the server's counts", || read(relation, "idx_scan") > 0);
        assert_eq!(read(relation, "seq_tup_read"), 0, "{relation}");
        let rows = read(relation, "idx_tup_fetch");
        assert!(rows < 100, "{rows} rows of {relation} for one look");
    }
}
