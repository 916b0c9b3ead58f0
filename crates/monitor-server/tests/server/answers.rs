//! Every route, and what it says.

use crate::{ADMIN, Answer, READER, Server, described, desk};
use serde_json::{Value, json};
use std::fmt::Write;
use testkit::{Database, Workdir, assert_golden};

/// Runs of fixed days, one of them with texts that would drive a page or a terminal.
const RUNS: &str = r#"INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, total_items, items_processed,
        items_succeeded, items_failed, started_at, heartbeat_at, completed_at, updated_at, exit_code, error_message, host, pid, lease)
    SELECT gen_random_uuid(), 1, name, kind, status, total, ok + failed, ok, failed, started, ended, ended, ended, code, error, 'h', 7, 'l'
    FROM (VALUES
        ('load_users', 'load', 'completed', 900::bigint, 900, 0, timestamptz '2026-01-05 02:00:00Z',
            timestamptz '2026-01-05 02:03:35Z', 0, NULL::text),
        ('<img src=x onerror=alert(1)>&"''', 'other', 'failed', NULL, 40, 2, '2026-01-05 02:04:00Z', '2026-01-05 02:04:45Z', 1,
            E'</script>\u001b]52;c;x\u0007\n\u202e"' ),
        ('load_users', 'load', 'lost', 10, 0, 0, '2026-01-06 02:04:00Z', '2026-01-06 02:05:00Z', NULL, 'no heartbeat')
    ) AS r(name, kind, status, total, ok, failed, started, ended, code, error)"#;

/// A server with these runs, and no schedules.
fn stage() -> (Database, Workdir, Server) {
    let (database, mut workdir) = desk();
    workdir.write("none.toml", "job = []");
    let schedules = workdir.path("none.toml").display().to_string();
    workdir.set("SCHEDULES_FILE", &schedules);
    database.execute(RUNS);
    let server = Server::start(&workdir, &[]);
    (database, workdir, server)
}

#[test]
fn every_job_route_says_what_is_documented() {
    let (_database, _workdir, server) = stage();
    let mut text = String::new();
    for path in [
        "active",
        "history",
        "history?limit=1",
        "history?limit=1&before=3",
        "history?before=99",
        "history?job_name=load_users&status=completed",
        "history?job_name=%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%26%22%27",
        "history?job_name=nobody",
        "history?limit=0",
        "history?limit=101",
        "history?limit=ten",
        "history?status=paused",
        "history?before=x",
        "history?job_name=%00",
        "summary",
        "1",
        "99",
        "x",
        "9223372036854775808",
    ] {
        let answer = server.get(&format!("/api/monitoring/jobs/{path}"));
        assert_eq!(answer.header("content-type"), "application/json");
        write!(text, "{path} {}\n{}", answer.code, answer.body).unwrap();
    }
    assert_golden("crates/monitor-server/tests/golden/jobs.txt", &text);
}

#[test]
fn the_server_says_what_job_monitor_says() {
    let (database, workdir, server) = stage();
    database.execute(
        "INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, total_items, items_processed, items_succeeded,
             items_per_second, started_at, heartbeat_at, host, pid, lease)
         VALUES (gen_random_uuid(), 1, 'walk', 'fetch', 'running', 90, 40, 40, 2, now() - interval '5 s', now(), 'h', 7, 'l')",
    );
    // What goes on is older at the second look.
    let settled = |mut job: Value| {
        for key in ["elapsed_seconds", "updated_at"] {
            job.as_object_mut().unwrap().remove(key);
        }
        job
    };
    for (path, arguments, code) in [
        ("active", &["active"][..], 0),
        ("history?limit=10", &["history"], 0),
        ("history?limit=2&status=lost", &["history", "--limit", "2", "--status", "lost"], 0),
        ("summary", &["summary"], 1),
        ("2", &["status", "--id", "2"], 1),
    ] {
        let body = server.get(&format!("/api/monitoring/jobs/{path}")).expect(200).json();
        let mut said = workdir.run("job-monitor", &[arguments, &["--json"]].concat()).expect(code).json();
        let mut body = body.clone();
        for side in [&mut body, &mut said] {
            for job in side["jobs"].as_array_mut().into_iter().flatten() {
                *job = settled(job.take());
            }
        }
        assert!(body.to_string().len() > 20);
        if path != "summary" {
            assert_eq!(body, said, "{path}");
            continue;
        }
        let names = |side: &Value| side["summary"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&body), names(&said));
        assert_eq!(body["summary"]["load_users"], said["summary"]["load_users"]);
    }
    let active = server.get("/api/monitoring/jobs/active").json();
    assert_eq!(
        (&active["jobs"][0]["job_name"], &active["jobs"][0]["progress_percent"]),
        (&json!("walk"), &json!(40.0 / 90.0 * 100.0))
    );
}

#[test]
fn texts_that_would_drive_a_page_or_a_terminal_arrive_as_nothing_but_text() {
    let (_database, _workdir, server) = stage();
    let answer = server.get("/api/monitoring/jobs/2").expect(200);
    let job = answer.json();
    assert_eq!(job["job_name"], "<img src=x onerror=alert(1)>&\"'");
    assert_eq!(job["error_message"], "</script>\u{1b}]52;c;x\u{7}\n\u{202e}\"");
    assert!(!answer.body.trim_end().contains(|letter: char| letter.is_control()), "{}", answer.body);
    assert_eq!(
        (answer.header("content-type"), answer.header("x-content-type-options")),
        ("application/json", "nosniff")
    );
}

#[test]
fn the_status_is_that_of_pipeline_status() {
    let (_database, workdir, server) = stage();
    let status = server.get("/api/monitoring/status").expect(200).json();
    let said = workdir.run("pipeline-status", &["--json"]).expect(1).json();
    let keys = |status: &Value| status.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&status), keys(&said));
    assert_eq!(status["resources"], said["resources"]);
    assert!(status["jobs"]["summary"]["load_users"].is_object(), "{status}");
}

#[test]
fn what_is_compiled_in_is_what_lies_in_the_folder() {
    let (_database, _workdir, server) = stage();
    for (path, kind, text) in [
        ("/", "text/html; charset=utf-8", include_str!("../../page/index.html")),
        ("/page.css", "text/css; charset=utf-8", include_str!("../../page/page.css")),
        ("/page.js", "text/javascript; charset=utf-8", include_str!("../../page/page.js")),
        ("/scripts/view.js", "text/javascript; charset=utf-8", include_str!("../../page/scripts/view.js")),
        ("/openapi.json", "application/json", include_str!("../../openapi.json")),
    ] {
        let answer = server.ask("GET", path, &[]).expect(200);
        assert_eq!((answer.header("content-type"), answer.body.as_str()), (kind, text));
    }
}

#[test]
fn probes_are_open_and_say_little() {
    let (_database, _workdir, server) = stage();
    for (path, status) in [("/healthz", "alive"), ("/readyz", "ready")] {
        let body = server.ask("GET", path, &[]).expect(200).json();
        assert_eq!(body["status"], status);
        assert!(body["time"].as_str().unwrap().ends_with('Z'));
    }
}

/// The headers of an answer but for its date and length.
fn head(answer: &Answer) -> String {
    let mut lines: Vec<_> =
        answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.retain(|line| !line.starts_with("date: ") && !line.starts_with("content-length: "));
    lines.sort();
    lines.join("\n")
}

#[test]
fn every_answer_has_the_headers_that_keep_a_browser_in_its_place() {
    let (_database, _workdir, server) = stage();
    let admin = format!("Bearer {ADMIN}");
    let reader = format!("Bearer {READER}");
    let mut text = String::new();
    for (method, path, token) in [
        ("GET", "/", None),
        ("GET", "/api/monitoring/jobs/active", Some(&admin)),
        ("GET", "/api/monitoring/jobs/active", None),
        ("GET", "/api/v1/health/status", Some(&reader)),
        ("GET", "/nowhere", None),
        ("POST", "/healthz", None),
        ("GET", "/health/check-now", Some(&admin)),
        ("OPTIONS", "/api/monitoring/jobs/active", None),
    ] {
        let headers: Vec<_> = token.map(|token| ("Authorization", token.as_str())).into_iter().collect();
        let answer = server.ask(method, path, &headers);
        write!(text, "{method} {path} {}\n{}\n\n", answer.code, head(&answer)).unwrap();
    }
    assert_golden("crates/monitor-server/tests/golden/headers.txt", &text);
}

#[test]
fn head_is_get_without_its_body_and_another_method_is_told_which_one_is_wanted() {
    let (_database, _workdir, server) = stage();
    let admin = [("Authorization", &*format!("Bearer {ADMIN}"))];
    for (method, path, _) in described() {
        for other in ["DELETE", "PATCH", "TRACE", "QUERY"] {
            let answer = server.ask(other, &path, &admin).expect(405);
            let wanted = if method == "POST" { "POST" } else { "GET,HEAD" };
            assert_eq!(answer.header("allow"), wanted, "{path}");
        }
        if method == "GET"
            && !path.contains("health")
            && !["/metrics", "/readyz", "/api/monitoring/status"].contains(&path.as_str())
        {
            let (whole, head) = (server.ask("GET", &path, &admin), server.ask("HEAD", &path, &admin));
            assert_eq!((head.code, head.body.as_str()), (whole.code, ""), "{path}");
            assert_eq!(head.headers.get("content-length"), whole.headers.get("content-length"), "{path}");
        }
    }
}

#[test]
fn requests_are_counted_by_route_and_code() {
    // Said by a stand-in: the text that the families are added to is another tool's.
    let folder = crate::tools::Folder::new();
    folder.tool("pipeline-status", "echo '# EOF'");
    let server = folder.start(&[]);
    for path in
        ["/healthz", "/healthz", "/api/monitoring/jobs/7x", "/api/monitoring/jobs/8x", "/nowhere/secret"]
    {
        drop(server.get(path));
    }
    let text = server.get("/metrics").expect(200).body;
    for line in [
        "mirror42_monitor_requests_total{route=\"/healthz\",code=\"200\"} 2",
        "mirror42_monitor_requests_total{route=\"/api/monitoring/jobs/{id}\",code=\"400\"} 2",
        "mirror42_monitor_requests_total{route=\"none\",code=\"404\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
    assert!(!text.contains("secret"));
}
