//! Stages that run, and what check-integrity says.

use super::Mirror;
use serde_json::Value;
use std::process::Stdio;

#[test]
fn a_stage_that_runs_is_shown_with_its_progress() {
    let mirror = Mirror::new();
    let line = r#"echo '{"ev":"total","n":8}' >>"$JOB_PROGRESS"; echo '{"ev":"counts","ok":3}' >>"$JOB_PROGRESS"; exec cat"#;
    let mut command = mirror.workdir.command("job-run");
    command.args(["--job", "slow_stage", "--", "sh", "-c", line]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let running = || mirror.json(1)["running"].as_array().unwrap().clone();
    testkit::until("three of eight", || running().iter().any(|job| job["items_processed"] == 3));
    let job = running().remove(0);
    let active = mirror.workdir.run("job-monitor", &["active", "--json"]).expect(0).json();
    for key in ["id", "job_name", "total_items", "items_processed", "progress_percent", "started_at"] {
        assert_eq!(job[key], active["jobs"][0][key], "{key}");
    }
    let screen = mirror.workdir.run("pipeline-status", &[]).stdout;
    let row =
        screen.lines().find(|line| line.starts_with("│ slow_stage")).unwrap_or_else(|| panic!("{screen}"));
    assert!(row.contains("37.5%") && row.contains("3/8") && row.contains('█'), "{row}");
    let text = mirror.workdir.run("pipeline-status", &["--openmetrics"]).stdout;
    assert!(text.contains("mirror42_job_progress_ratio{job=\"slow_stage\"} 0.375\n"), "{text}");
    assert!(text.contains("mirror42_job_running{job=\"slow_stage\"} 1\n"), "{text}");
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(running().is_empty());
    let text = mirror.workdir.run("pipeline-status", &["--openmetrics"]).stdout;
    assert!(text.contains("mirror42_job_running{job=\"slow_stage\"} 0\n"), "{text}");
    assert!(text.contains("mirror42_job_duration_seconds{job=\"slow_stage\"} "), "{text}");
}

/// What is made of the words of another check-integrity.
fn with_integrity(mirror: &Mirror, script: &str) -> Value {
    // Tools are looked for beside the own program first.
    mirror.workdir.write("bin/check-integrity", &format!("#!/bin/sh\n{script}\n"));
    let real = testkit::tool("pipeline-status").display().to_string();
    let line = format!("cp -n {real} bin/ 2>&-; chmod +x bin/*; bin/pipeline-status --json");
    mirror.workdir.shell(&line).json()
}

#[test]
fn integrity_is_what_check_integrity_says_whatever_its_exit_code() {
    let mirror = Mirror::new();
    let level = |status: &Value| {
        let mut alerts = status["alerts"].as_array().unwrap().iter();
        alerts
            .find(|alert| alert["name"] == "integrity")
            .map(|alert| alert["level"].as_str().unwrap().to_owned())
    };
    for (code, word, expected) in [
        (0, "healthy", None),
        (1, "degraded", Some("warning")),
        (2, "critical", Some("critical")),
        (3, "unknown", Some("unknown")),
    ] {
        let body = format!(r#"{{"status":"{word}","consistency_rate":98.67,"total_violations":2}}"#);
        let status = with_integrity(&mirror, &format!("[ \"$1\" = status ] && echo '{body}'; exit {code}"));
        assert_eq!((&status["integrity"]["status"], level(&status).as_deref()), (&word.into(), expected));
    }
    let status = with_integrity(&mirror, "echo 'check-integrity: no way' >&2; exit 69");
    assert_eq!(status["integrity"]["error"], "check-integrity: no way");
    assert_eq!(level(&status).as_deref(), Some("unknown"));
    let status = with_integrity(&mirror, r#"echo '{"error":"no table"}'; exit 4"#);
    assert_eq!(status["integrity"]["error"], "check-integrity: no table");
    let status = with_integrity(&mirror, r#"echo '{"status":"unknown","reason":"never ran"}'; exit 3"#);
    assert!(status["alerts"].to_string().contains(r#""subject":"","text":"never ran""#), "{status}");
    // A server that is asked may be the one that asks.
    let status =
        with_integrity(&mirror, r#"echo "{\"status\":\"healthy\",\"url\":\"${MONITOR_URL-unset}\"}""#);
    assert_eq!(status["integrity"]["url"], "");
}
