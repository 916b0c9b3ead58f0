//! The backlog, as a screen and as what backlog itself says.

use testkit::Workdir;

#[test]
fn the_backlog_is_what_backlog_status_says() {
    let workdir = Workdir::new();
    let ours = |arguments: &[&str], code| {
        workdir.run("pipeline-status", &[&["backlog"], arguments].concat()).expect(code)
    };
    let theirs = || workdir.run("backlog", &["status", "--json"]).expect(0).json();
    assert!(ours(&[], 0).stdout.contains("No alerts"));
    let lines = [7, 8, 9].map(|id| format!(r#"{{"id":{id},"reason":"evil\u001b[2J"}}"#)).join("\n");
    drop(workdir.feed("backlog", &["add", "-"], &lines).expect(0));
    let (mut json, mut status) = (ours(&["--json"], 0).json(), theirs());
    assert_eq!((&json["depth"], &json["due"]), (&3.into(), &3.into()));
    for key in ["at", "oldest_age_seconds"] {
        json[key].take();
        status[key].take();
    }
    assert_eq!(json, status);
    let screen = ours(&[], 0).stdout;
    assert!(screen.contains("waiting         3: 3 due, 0 leased, 0 delayed"), "{screen}");
    assert!(screen.contains(r"3 × evil\u{1b}[2J") && super::is_harmless(&screen), "{screen}");
    let old = ours(&["--threshold", "backlog_age_seconds=0:1000000"], 3).stdout;
    assert!(old.starts_with("backlog  WARNING "), "{old}");
    drop(workdir.run("backlog", &["mark-processed", "7"]).expect(0));
    assert!(ours(&[], 0).stdout.contains("done            1: 1 marked"));
}

#[test]
fn a_backlog_that_cannot_be_read_ends_as_backlog_does() {
    let mut workdir = Workdir::new();
    workdir.set("BACKLOG_STORE", "postgres");
    workdir.set("DATABASE_URL", "postgresql:///mirror42?host=/nowhere&user=nobody");
    for arguments in [&["backlog"][..], &["backlog", "--json"]] {
        let run =
            workdir.run("pipeline-status", arguments).expect(69).complains(&["cannot reach PostgreSQL"]);
        assert!(run.stdout.is_empty());
    }
}
