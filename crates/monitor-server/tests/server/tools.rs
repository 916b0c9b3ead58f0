//! What comes of a tool that is not there, fails, hangs or talks nonsense.

use crate::{ADMIN, Answer, Server};
use serde_json::json;
use std::process::Command;
use std::time::Duration;
use testkit::{Workdir, tool};

/// A folder with the server in it, and beside it only what a test puts there.
pub(crate) struct Folder(Workdir);

impl Folder {
    pub(crate) fn new() -> Self {
        let mut workdir = Workdir::new();
        workdir.set("PATH", "/usr/bin:/bin");
        workdir.set("MONITOR_ADMIN_TOKEN", ADMIN);
        let folder = Self(workdir);
        let copied = Command::new("cp").arg(tool("monitor-server")).arg(folder.0.path("")).status().unwrap();
        assert!(copied.success());
        folder
    }

    /// Puts a tool there. Another process writes it: one that is being written while this one starts children is busy.
    pub(crate) fn tool(&self, name: &str, script: &str) {
        let line = format!("cat >{name}.part && chmod +x {name}.part && mv {name}.part {name}");
        drop(self.0.feed("/bin/sh", &["-c", &line], &format!("#!/bin/sh\n{script}\n")).expect(0));
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Server {
        let program = self.0.path("monitor-server").display().to_string();
        Server::of(self.0.command(&program).args(arguments))
    }

    pub(crate) fn has(&self, file: &str) -> bool {
        self.0.path(file).exists()
    }

    fn lines(&self, file: &str) -> usize {
        std::fs::read_to_string(self.0.path(file)).unwrap_or_default().lines().count()
    }
}

fn check_now(server: &Server, query: &str) -> Answer {
    server.ask(
        "POST",
        &format!("/api/v1/health/check-now{query}"),
        &[("Authorization", &format!("Bearer {ADMIN}"))],
    )
}

#[test]
fn without_the_tools_everything_is_unknown_and_nothing_is_well() {
    let server = Folder::new().start(&[]);
    for prefix in ["/health", "/api/v1/health"] {
        let status = server.get(&format!("{prefix}/status")).expect(200);
        assert_eq!(
            status.body,
            "{\"status\":\"unknown\",\"last_check\":null,\"consistency_rate\":null,\"total_violations\":0,\
             \"total_users_monitored\":0,\"requires_attention\":true}\n"
        );
        let metrics = server.get(&format!("{prefix}/metrics")).expect(200).json();
        assert_eq!((&metrics["status"], &metrics["requires_attention"]), (&json!("unknown"), &json!(true)));
        assert!(
            metrics.as_object().unwrap().values().filter(|value| value.is_null()).count() == 7,
            "{metrics}"
        );
        let report = server.get(&format!("{prefix}/latest-report")).expect(404);
        assert_eq!(report.error(), "No health reports available yet. The first check runs in 5 minutes.");
        drop(server.get(&format!("{prefix}/violations")).expect(503));
    }
    drop(check_now(&server, "").expect(503));
    drop(server.get("/api/monitoring/status").expect(503));
    drop(server.get("/metrics").expect(503));
}

#[test]
fn what_check_integrity_says_is_passed_on_as_it_is() {
    let folder = Folder::new();
    for (code, path) in [
        (0, "/health/status"),
        (1, "/health/latest-report"),
        (2, "/api/v1/health/metrics"),
        (3, "/health/status"),
    ] {
        folder.tool("check-integrity", &format!("echo '{{\"said\": \"'$*'\"}}'; exit {code}"));
        let answer = folder.start(&[]).get(path).expect(200);
        assert_eq!(answer.body, format!("{{\"said\": \"{}\"}}\n", path.rsplit('/').next().unwrap()));
    }
    folder.tool("check-integrity", "echo '[]'");
    assert_eq!(folder.start(&[]).get("/health/violations").expect(200).body, "[]\n");
    folder.tool("check-integrity", "echo '[{\"a\":1}]'; exit 3");
    assert_eq!(folder.start(&[]).get("/health/violations").expect(200).body, "[{\"a\":1}]\n");
}

#[test]
fn what_check_integrity_does_not_know_never_reads_as_nothing() {
    let folder = Folder::new();
    let get = |script: &str, path: &str| {
        folder.tool("check-integrity", script);
        folder.start(&["--patience", "2"]).get(path)
    };
    drop(get("echo '[]'; exit 3", "/health/violations").expect(503));
    let none = get("echo '{\"error\":\"none yet\"}'; exit 3", "/health/latest-report").expect(404);
    assert_eq!(none.error(), "No health reports available yet. The first check runs in 5 minutes.");
    for script in [
        "echo '{\"status\":\"healthy\"}'; exit 4",
        "echo '{\"status\":\"healthy\"}'; kill -9 $$",
        "echo '{\"status\":\"heal",
        "echo '[] []'",
        "echo all is well",
        "exit 0",
        "exit 2",
        "exec sleep 30",
    ] {
        for path in ["status", "latest-report", "violations", "metrics"] {
            let answer = get(script, &format!("/health/{path}")).expect(503);
            assert!(!answer.body.contains("healthy"));
        }
    }
}

#[test]
fn a_check_is_run_once_at_a_time_and_not_again_at_once() {
    let folder = Folder::new();
    folder.tool(
        "check-integrity",
        "case $1 in run) echo \"$*\" >>runs; while ! [ -e go ]; do sleep 0.05; done; echo '{\"timestamp\":1}'; exit 2 ;;
         *) echo \"{\\\"runs\\\":$(wc -l <runs || echo 0)}\" ;; esac",
    );
    let server = folder.start(&[]);
    for query in ["?dry_run=maybe", "?dry_run=1", "?dry_run="] {
        drop(check_now(&server, query).expect(422));
    }
    std::thread::scope(|scope| {
        let first = scope.spawn(|| check_now(&server, "?dry_run=true"));
        crate::until("a run", || folder.lines("runs") == 1);
        let second = check_now(&server, "").expect(409);
        assert_eq!(second.error(), "A check is going on");
        folder.0.write("go", "");
        assert_eq!(
            first.join().unwrap().expect(200).body,
            "{\"timestamp\":1}\n",
            "what it found is no failure"
        );
    });
    let third = check_now(&server, "").expect(429);
    assert!((1..=31).contains(&third.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(folder.0.read("runs"), "run --dry-run\n");
}

#[test]
fn after_a_check_nothing_is_said_that_was_known_before() {
    let folder = Folder::new();
    folder.tool(
        "check-integrity",
        "case $1 in run) echo x >>runs; echo '{\"timestamp\":1}' ;; *) touch runs; echo \"{\\\"runs\\\":$(wc -l <runs)}\" ;; esac",
    );
    let server = folder.start(&[]);
    assert_eq!(server.get("/health/status").json()["runs"], 0);
    drop(check_now(&server, "").expect(200));
    assert_eq!(server.get("/health/status").json()["runs"], 1);
}

#[test]
fn a_check_goes_on_when_who_asked_for_it_leaves() {
    use std::io::Write;
    let folder = Folder::new();
    folder.tool(
        "check-integrity",
        "echo x >>runs; while ! [ -e go ]; do sleep 0.05; done; echo '{\"timestamp\":1}'",
    );
    let server = folder.start(&[]);
    let mut leaving = server.connect();
    let request = format!(
        "POST /health/check-now HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
    );
    leaving.write_all(request.as_bytes()).unwrap();
    crate::until("a run", || folder.lines("runs") == 1);
    drop(leaving);
    drop(check_now(&server, "").expect(409));
    folder.0.write("go", "");
    crate::until("its end", || check_now(&server, "").code == 429);
    assert_eq!(folder.lines("runs"), 1);
}

#[test]
fn another_check_somewhere_else_is_a_conflict_and_a_failed_one_is_no_report() {
    for (script, code) in [
        ("echo '{\"timestamp\":\"t\",\"error\":\"busy\"}'; exit 75", 409),
        ("echo '{\"timestamp\":\"t\",\"error\":\"no database\"}'; exit 4", 503),
        ("echo '{}'; exit 4", 503),
        ("exit 0", 503),
        // Single checks failed, and the report says which.
        ("echo '{\"timestamp\":\"t\"}'; exit 4", 200),
    ] {
        let folder = Folder::new();
        folder.tool("check-integrity", script);
        drop(check_now(&folder.start(&[]), "").expect(code));
    }
}

#[test]
fn a_status_that_cannot_be_measured_is_no_status() {
    let folder = Folder::new();
    for script in [
        "echo '{\"status\":\"ok\"}'; exit 2",
        "echo '{\"status\":\"ok\"}'; kill -9 $$",
        "echo '{\"status\":\"ok'",
        "echo '{}'",
        "echo '[\"status\"]'",
        "exit 0",
        "exec sleep 30",
        "printf '# TYPE x gauge\\nx 1\\n'",
        "printf '# TYPE x gauge\\nx 1\\n# EOF\\n'; exit 2",
        "printf '# TYPE x gauge\\nx 1\\n# EOF\\nx 2\\n'",
    ] {
        folder.tool("pipeline-status", script);
        let server = folder.start(&["--patience", "2"]);
        for path in ["/api/monitoring/status", "/metrics"] {
            let answer = server.get(path).expect(503);
            assert!(
                answer.header("content-type") == "application/json" && !answer.body.contains("ok"),
                "{answer:#?}"
            );
        }
    }
}

#[test]
fn metrics_are_those_of_pipeline_status_and_those_of_the_server_and_end_once() {
    let folder = Folder::new();
    for code in [0, 1, 3, 69, 75, 77, 78] {
        folder.tool(
            "pipeline-status",
            &format!("[ \"$1\" = --openmetrics ] && printf '# TYPE x gauge\\nx 1\\n# EOF\\n'; exit {code}"),
        );
        let answer = folder.start(&[]).get("/metrics").expect(200);
        assert_eq!(
            answer.header("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        assert!(answer.body.starts_with("# TYPE x gauge\nx 1\n# TYPE mirror42_monitor_"), "{}", answer.body);
        assert!(
            answer.body.ends_with("\n# EOF\n") && answer.body.matches("# EOF").count() == 1,
            "{}",
            answer.body
        );
    }
}

#[test]
fn many_who_ask_at_once_make_one_child_and_the_next_one_asks_again() {
    let folder = Folder::new();
    folder.tool("pipeline-status", "echo x >>looks; sleep 1; echo '{\"status\":\"unknown\"}'; exit 1");
    let server = folder.start(&[]);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| drop(server.get("/api/monitoring/status").expect(200)));
        }
    });
    let looks = folder.lines("looks");
    assert!(looks < 10, "{looks} looks for twenty who ask together");
    std::thread::sleep(Duration::from_millis(3100));
    drop(server.get("/api/monitoring/status").expect(200));
    assert_eq!(folder.lines("looks"), looks + 1, "what is three seconds old is not said again");
}
