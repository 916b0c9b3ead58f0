//! How much is read, however much there is.

use super::{Mirror, line};
use std::fs;

/// A hundred thousand loads over two weeks, and ten thousand runs of jobs over two days, one in a hundred of them failed.
const MUCH: &str = "
    INSERT INTO ops.loads (table_name, source, kind, started_at, finished_at, read, inserted, updated, unchanged, deleted,
        quarantined, released, rejected, out_of_scope, duplicates, stale, cascaded, seconds)
    SELECT (ARRAY['users', 'cursus_users', 'cursus', 'coalitions'])[1 + n % 4], 's', 'changes', at, at, 9,
        CASE WHEN n % 4 < 2 THEN 1 ELSE 0 END, 0, 3, 0, 0, 0, 0, 0, 0, 0, '{}', 1
    FROM generate_series(1, 100000) n, LATERAL (SELECT now() - (100000 - n) * interval '12 s') AS t(at);
    INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at, host, pid, lease)
    SELECT gen_random_uuid(), 1, 'job' || n % 5, 't', CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'completed' END, at, at, at, 'h', 1, 'l'
    FROM generate_series(0, 9999) n, LATERAL (SELECT now() - n * interval '17 s') AS t(at);
    ANALYZE ops.loads; ANALYZE ops.job_executions; SELECT pg_stat_reset()";

#[test]
fn tables_that_grow_for_ever_are_never_read_from_end_to_end() {
    let mirror = Mirror::new();
    mirror.database.execute(MUCH);
    let status = mirror.json(1);
    // Of its tens of thousands of loads only the first one wrote a row.
    assert!(line(&status, "cursus")["mirror"]["last_change"].is_string());
    assert_eq!(line(&status, "users")["mirror"]["inserted_hour"], 75);
    let read = |relation: &str, column: &str| {
        let query = format!(
            "SELECT {column} FROM pg_stat_user_tables WHERE schemaname = 'ops' AND relname = '{relation}'"
        );
        mirror.database.value(&query).parse::<u64>().unwrap()
    };
    for relation in ["loads", "job_executions"] {
        testkit::until("the server's counts", || read(relation, "idx_scan") > 0);
        assert_eq!(read(relation, "seq_tup_read"), 0, "{relation}");
        let rows = read(relation, "idx_tup_fetch");
        assert!(rows < 2000, "{rows} rows of {relation} for one look");
    }
}

#[test]
fn logs_are_read_at_their_end_only() {
    let mirror = Mirror::new();
    // Nothing but holes: it costs no disk, and whoever read it whole would read a hundred megabytes.
    let logs = mirror.workdir.path("logs");
    for name in ["live_db_sync.log", "42_token_refresh.log", "alerts.ndjson"] {
        fs::File::create(logs.join(name)).unwrap().set_len(100 << 20).unwrap();
    }
    let end = |name: &str, text: &str| {
        use std::io::Write;
        let mut file = fs::OpenOptions::new().append(true).open(logs.join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    end("42_token_refresh.log", "\n2999-01-01T00:00:00Z ERROR token not refreshed\n");
    let alert = r#"{"at":"2026-01-01T00:00:00Z","event":"raised","level":"warning","name":"a","subject":"","text":"b"}"#;
    end("alerts.ndjson", &format!("\n{alert}\n"));
    let tool = testkit::tool("pipeline-status").display().to_string();
    // Linux tells the parent what its children have read.
    let line = format!("{tool} --json; grep ^rchar: /proc/$$/io >&2");
    let run = mirror.workdir.shell(&line);
    let read: u64 = run.stderr.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(read < 16 << 20, "{read} bytes were read");
    let status = run.json();
    assert_eq!(status["logs"]["token_errors_day"], 1);
    assert_eq!(status["alert_log"][0].to_string(), alert);
    assert!(status["logs"]["bytes"].as_u64().unwrap() > 300 << 20);
}
