//! The page when something is away, closed or rude.

use crate::browser::{Answered, Page, between};
use crate::{READER, Server};
use serde_json::Value;
use std::path::Path;
use testkit::{Database, Mock, Workdir};

/// Milliseconds of the browser's clock: three questions, and the histories after the first.
const A_LOOK: u32 = 5000;

/// A mirror after a small nightly, and its server.
pub(crate) struct Mirror {
    pub(crate) database: Database,
    pub(crate) workdir: Workdir,
    pub(crate) mock: Mock,
}

impl Mirror {
    /// All tables, or these.
    pub(crate) fn of(tables: &[&str]) -> Self {
        let mock = Mock::start(&["--students", "60"]);
        let database = Database::create();
        let workdir = Workdir::with(&mock, &database);
        drop(workdir.run("init-db", &[]).expect(0));
        drop(workdir.script("scripts/cron/nightly_stable_tables.sh", tables));
        Self { database, workdir, mock }
    }

    pub(crate) fn look(&self) -> Page {
        let server = Server::start(&self.workdir, &[]);
        Page::load(&self.workdir, &server.url, A_LOOK)
    }

    pub(crate) fn measured(&self) -> Value {
        serde_json::from_str(&self.workdir.run("pipeline-status", &["--json"]).stdout).unwrap()
    }
}

/// The tables, in the catalog's order.
pub(crate) fn tables(measured: &Value) -> Vec<&str> {
    let lines = measured["resources"].as_array().unwrap();
    lines.iter().map(|line| line["table"].as_str().unwrap()).collect()
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
    for name in
        [r#"<img src=x onerror="document.title='owned'">"#, &"long".repeat(100), "constructor", "__proto__"]
    {
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
    assert_eq!(scripts, 12, "page.rs names them all");
}
