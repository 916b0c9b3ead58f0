//! What the page shows, held against the database, the files and the tools.

use crate::browser::{Answered, Page, between};
use crate::{READER, Server};
use catalog::Catalog;
use serde_json::Value;
use std::path::Path;
use testkit::{Database, Mock, Workdir};

/// Milliseconds of the browser's clock: three questions, and the histories after the first.
const A_LOOK: u32 = 5000;

/// A mirror after a small nightly, and its server.
struct Mirror {
    database: Database,
    workdir: Workdir,
    _mock: Mock,
}

impl Mirror {
    /// All tables, or these.
    fn of(tables: &[&str]) -> Self {
        let mock = Mock::start(&["--students", "60"]);
        let database = Database::create();
        let workdir = Workdir::with(&mock, &database);
        drop(workdir.run("init-db", &[]).expect(0));
        drop(workdir.script("scripts/cron/nightly_stable_tables.sh", tables));
        Self { database, workdir, _mock: mock }
    }

    fn look(&self) -> Page {
        let server = Server::start(&self.workdir, &[]);
        Page::load(&self.workdir, &server.url, A_LOOK)
    }

    fn measured(&self) -> Value {
        serde_json::from_str(&self.workdir.run("pipeline-status", &["--json"]).stdout).unwrap()
    }
}

/// The tables, in the catalog's order.
fn tables(measured: &Value) -> Vec<&str> {
    let lines = measured["resources"].as_array().unwrap();
    lines.iter().map(|line| line["table"].as_str().unwrap()).collect()
}

#[test]
fn every_number_on_the_page_is_that_of_the_database_and_of_the_files() {
    let mirror = Mirror::of(&[]);
    // An alert of every kind of level, so that all of them are counted.
    mirror.database.execute(
        "INSERT INTO ops.quarantine (table_name, record_key, reason_kind, reason, load_id)
         SELECT 'campuses', n::text, 'type', 'r', 1 FROM generate_series(1, 1234) n;
         INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at, exit_code,
             error_message, host, pid, lease)
         SELECT gen_random_uuid(), 1, 'nightly_report', 'other', 'failed', now() - n * interval '1 hour', now() - n * interval '1 hour',
             now() - n * interval '1 hour' + interval '7 s', 1, 'the words of run ' || n, 'h', 7, 'l' FROM generate_series(1, 4) n",
    );
    // The last load of this one is not the last that changed it.
    drop(mirror.workdir.run("load-table", &["cursus", "--export"]).expect(0));
    let page = mirror.look();
    let measured = mirror.measured();
    assert_eq!(page.badge(), (measured["status"].as_str().unwrap(), "fresh"), "{page:?}");
    assert!(page.source.contains("<title>CRITICAL · mirror42</title>"), "{page:?}");
    assert_tables(&mirror, &page, &measured);
    assert_jobs(&mirror, &page);
    assert_alerts(&page, &measured);
    let value = |part, field| page.value(&[("data-part", part), ("data-field", field)]);
    assert_eq!(value("errors", "day"), Some("4"));
    let budget = mirror.workdir.run("api-token", &["budget", "--json"]).expect(0).json();
    assert_eq!(value("quota", "used"), Some(&*budget["used"].to_string()));
    assert_eq!(value("token", "expires_at"), measured["token"]["expires_at"].as_str());
    assert_eq!(value("backlog", "depth"), Some("0"));
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
        let line =
            measured["resources"].as_array().unwrap().iter().find(|line| line["table"] == table).unwrap();
        for field in ["inserted_hour", "updated_hour", "deleted_hour"] {
            let sum = field.replace("_hour", "");
            let moved = query(&format!("SELECT sum({sum}) FROM ops.loads WHERE table_name = '{{}}'"));
            // A pipeline-status that does not say it leaves the page without it.
            let moved = line["mirror"].get(field).map(|_| moved);
            assert_eq!(value(field), moved.as_deref(), "{table}");
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

fn assert_alerts(page: &Page, measured: &Value) {
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
}

#[test]
fn names_and_words_that_would_drive_a_page_or_a_terminal_are_shown_as_they_are() {
    let database = Database::create();
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", &database.url());
    drop(workdir.run("init-db", &[]).expect(0));
    database.execute(
        r#"INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at, exit_code,
             error_message, host, pid, lease)
         SELECT gen_random_uuid(), 1, name, 't', 'failed', now(), now(), now(), 1, E'\u001b]0;owned\u0007\u202e</p><script>document.title="owned"</script>', 'h', 7, 'l'
         FROM (VALUES ('<img src=x onerror="document.title=''owned''">'), (repeat('long', 100)), ('__proto__'), ('constructor')) AS n(name)"#,
    );
    let server = Server::start(&workdir, &[]);
    let page = Page::load(&workdir, &server.url, A_LOOK);
    assert_eq!(page.badge().1, "fresh", "{page:?}");
    for name in [r#"<img src=x onerror="document.title='owned'">"#, &"long".repeat(100), "constructor"] {
        assert_eq!(
            page.value(&[("data-job", name), ("data-field", "status")]),
            Some("failed"),
            "{name}: {page:?}"
        );
    }
    assert!(page.source.contains("· mirror42</title>"), "{page:?}");
    let scripts =
        page.elements().iter().filter(|element| ["script", "img"].contains(&&*element.name)).count();
    assert_eq!(scripts, 1, "its own: {page:?}");
    assert!(
        page.elements().iter().all(|element| element.attributes().all(|(name, _)| !name.starts_with("on")))
    );
    assert!(page.elements().iter().all(|element| {
        element.text.chars().all(|sign| sign == '\n' || !sign.is_control() && sign != '\u{202e}')
    }));
    assert!(page.source.contains(r"\u{1b}]0;owned\u{7}\u{202e}&lt;/p&gt;&lt;script&gt;"), "{page:?}");
}

#[test]
fn without_an_answer_the_badge_is_unknown_at_once_and_what_is_old_is_marked() {
    let mirror = Mirror::of(&["cursus"]);
    let server = Server::start(&mirror.workdir, &[]);
    let cut = between(&server, |nth| if nth == 0 { Answered::ByTheServer } else { Answered::NotAtAll });
    let page = Page::load(&mirror.workdir, &cut, A_LOOK);
    assert_eq!(page.badge(), ("unknown", "stale"), "{page:?}");
    let (said, rest) = page.sentence().split_at("No answer since ".len());
    assert_eq!(said, "No answer since ");
    assert!(rest.ends_with(" UTC: the server cannot be reached. What stands below is old."), "{rest}");
    assert!(page.source.contains("<title>UNKNOWN · mirror42</title>"));
    let rows = mirror.database.value("SELECT count(*) FROM cursus");
    assert_eq!(
        page.value(&[("data-table", "cursus"), ("data-field", "rows")]),
        Some(&*rows),
        "the old number stays"
    );
    let ill = between(&server, |nth| if nth == 0 { Answered::ByTheServer } else { Answered::With503 });
    let page = Page::load(&mirror.workdir, &ill, A_LOOK);
    assert_eq!(page.badge(), ("unknown", "stale"), "{page:?}");
    assert!(page.sentence().contains("the server says 503: it cannot be measured"), "{}", page.sentence());
}

#[test]
fn when_the_answers_come_back_so_does_the_page() {
    let mirror = Mirror::of(&["cursus"]);
    let server = Server::start(&mirror.workdir, &[]);
    let level = mirror.measured()["status"].as_str().unwrap().to_owned();
    let shaky = between(&server, |nth| if nth == 1 { Answered::With503 } else { Answered::ByTheServer });
    assert_eq!(Page::load(&mirror.workdir, &shaky, A_LOOK).badge(), (&*level, "fresh"));
    let late = between(&server, |nth| if nth == 0 { Answered::NotAtAll } else { Answered::ByTheServer });
    assert_eq!(Page::load(&mirror.workdir, &late, A_LOOK).badge(), (&*level, "fresh"));
    let never = between(&server, |_| Answered::NotAtAll);
    let page = Page::load(&mirror.workdir, &never, A_LOOK);
    assert_eq!(
        (page.badge(), page.sentence()),
        (("unknown", "waiting"), "Nothing was measured yet: the server cannot be reached.")
    );
}

#[test]
fn without_the_database_nothing_of_it_is_green_and_the_page_says_why() {
    let mut mirror = Mirror::of(&["cursus"]);
    mirror.workdir.set("DATABASE_URL", "postgresql:///mirror42?host=/nowhere&user=nobody");
    let page = mirror.look();
    assert_eq!(page.badge(), ("critical", "fresh"), "{page:?}");
    let exported = page.value(&[("data-table", "cursus"), ("data-field", "records")]);
    assert_ne!(exported.unwrap_or("0"), "0", "the file is there");
    for table in tables(&mirror.measured()) {
        for field in ["rows", "last_load", "bytes", "quarantine", "inserted_hour"] {
            let shown = page.one(&[("data-table", table), ("data-field", field)]);
            assert_eq!((shown.get("data-value"), &*shown.text), (None, "not known"), "{table}");
        }
    }
    assert!(page.all(&[("class", "level"), ("data-level", "ok")]).is_empty(), "{page:?}");
    let why = page.one(&[("id", "no-mirror")]);
    assert!(why.text.contains("cannot reach PostgreSQL") && why.get("hidden").is_none(), "{why:?}");
}

#[test]
fn without_a_token_the_page_asks_for_it_and_shows_nothing() {
    let mut mirror = Mirror::of(&["cursus"]);
    mirror.workdir.set("MONITOR_TOKEN", READER);
    let page = mirror.look();
    assert_eq!(
        (page.badge(), page.sentence()),
        (("unknown", "waiting"), "Nothing was measured yet: the server wants a token.")
    );
    assert_eq!(page.one(&[("id", "lock")]).get("hidden"), None);
    assert!(page.elements().iter().all(|element| element.get("data-table").is_none()), "{page:?}");
}

#[test]
fn the_page_builds_no_markup_from_data_and_asks_nobody_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
    let mut scripts = 0;
    for file in ["", "scripts"].iter().flat_map(|below| std::fs::read_dir(folder.join(below)).unwrap()) {
        let file = file.unwrap().path();
        let Some(kind) = file.extension() else { continue };
        scripts += usize::from(kind == "js");
        let text = std::fs::read_to_string(&file).unwrap();
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            " style=",
            "<style",
            "https:",
        ] {
            assert!(!text.contains(word), "{}: {word}", file.display());
        }
        let addresses = text.matches("http:").count();
        assert_eq!(addresses, text.matches("http://www.w3.org/2000/svg").count(), "{}", file.display());
    }
    assert_eq!(scripts, 11, "page.rs names them all");
}
