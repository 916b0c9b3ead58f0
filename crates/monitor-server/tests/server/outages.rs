//! The database away, slow, and back.

use crate::{Answer, Server, desk, until};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use testkit::Workdir;

const JOBS: [&str; 4] = ["active", "history", "summary", "1"];

/// An answer that says that it has none, and nothing of what is inside.
fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.code, 503, "{answer:#?}");
    let error = answer.error();
    for inside in ["postgres", "socket", "nowhere", "user", "/", "refused", "os error"] {
        assert!(!error.to_lowercase().contains(inside), "{error}");
    }
    assert_eq!(answer.header("retry-after"), "5");
}

#[test]
fn a_database_that_goes_away_and_comes_back_is_seen_both_times() {
    let mut workdir = Workdir::new();
    std::fs::set_permissions(workdir.path(""), PermissionsExt::from_mode(0o711)).unwrap();
    workdir.set("DB_DIR", &workdir.path("postgres").display().to_string());
    drop(workdir.script("scripts/db.sh", &["start"]).expect(0));
    let url = workdir.script("scripts/db.sh", &["url"]).expect(0).stdout.trim().to_owned();
    workdir.set("DATABASE_URL", &url);
    drop(workdir.run("init-db", &[]).expect(0));
    drop(workdir.run("job-run", &["--job", "x", "--", "true"]).expect(0));
    let server = Server::start(&workdir, &[]);
    let all = |check: &dyn Fn(&Answer)| {
        for path in
            JOBS.map(|path| format!("/api/monitoring/jobs/{path}")).iter().chain([&"/readyz".to_owned()])
        {
            check(&server.get(path));
        }
    };
    all(&|answer| assert_eq!(answer.code, 200, "{answer:#?}"));

    drop(workdir.script("scripts/db.sh", &["stop"]).expect(0));
    all(&is_unavailable);
    drop(server.get("/healthz").expect(200));
    // What was seen just before is not said again for long, and never that all is well.
    until("an error", || {
        server.get("/api/monitoring/status").expect(200).json()["database"]["error"].is_string()
    });
    assert_ne!(server.get("/api/monitoring/status").json()["status"], "ok");

    drop(workdir.script("scripts/db.sh", &["start"]).expect(0));
    all(&|answer| assert_eq!(answer.code, 200, "{answer:#?}"));
    // A connection that was kept and has broken meanwhile is no reason to refuse anything.
    let backends = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'monitor-server'";
    let cut = workdir.script("scripts/db.sh", &["shell", "-XAtc", backends]).expect(0).stdout;
    drop(server.get("/api/monitoring/jobs/active").expect(200));
    drop(workdir.script("scripts/db.sh", &["stop"]).expect(0));
    assert_eq!(cut.trim(), "1", "one connection is kept");
}

#[test]
fn a_database_that_says_nothing_holds_up_only_who_asks_for_it_and_not_for_long() {
    let mut workdir = Workdir::new();
    std::fs::create_dir(workdir.path("mute")).unwrap();
    let mute = UnixListener::bind(workdir.path("mute/.s.PGSQL.5432")).unwrap();
    let folder = workdir.path("mute").display().to_string();
    workdir.set("DATABASE_URL", &format!("postgresql:///x?host={folder}&user=nobody"));
    let server = Server::start(&workdir, &["--patience", "2"]);
    // More than there are connections, at once and one after another.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| is_unavailable(&server.get("/api/monitoring/jobs/active")));
        }
        drop(server.get("/healthz").expect(200));
    });
    is_unavailable(&server.get("/readyz"));
    drop(server.get("/").expect(200));
    drop(mute);
}

#[test]
fn a_database_that_is_not_ours_or_not_told_is_not_an_empty_one() {
    let mut workdir = Workdir::new();
    let server = Server::start(&workdir, &[]);
    is_unavailable(&server.get("/api/monitoring/jobs/summary"));
    let empty = testkit::Database::create();
    workdir.set("DATABASE_URL", &empty.url());
    let server = Server::start(&workdir, &[]);
    for path in JOBS {
        is_unavailable(&server.get(&format!("/api/monitoring/jobs/{path}")));
    }
}

#[test]
fn schedules_that_cannot_be_read_are_not_none() {
    let (_database, mut workdir) = desk();
    workdir.set("SCHEDULES_FILE", "nowhere.toml");
    let server = Server::start(&workdir, &[]);
    is_unavailable(&server.get("/api/monitoring/jobs/summary"));
}
