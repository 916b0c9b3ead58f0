//! The scripts that people start with: the private PostgreSQL, the quickstart, and how `.env` is read.

use std::os::unix::fs::PermissionsExt;
use testkit::{Mock, Workdir};

/// A folder with a private PostgreSQL of its own, which another user may have to reach.
fn with_private_server() -> Workdir {
    let mut workdir = Workdir::new();
    std::fs::set_permissions(workdir.path(""), PermissionsExt::from_mode(0o711)).unwrap();
    workdir.set("DB_DIR", &workdir.path("postgres").display().to_string());
    workdir
}

fn db(workdir: &Workdir, arguments: &[&str]) -> testkit::Run {
    workdir.script("scripts/db.sh", arguments)
}

#[test]
fn the_private_server_starts_twice_stops_twice_and_keeps_its_data() {
    let workdir = with_private_server();
    drop(db(&workdir, &["status"]).expect(69));
    drop(db(&workdir, &["start"]).expect(0));
    drop(db(&workdir, &["start"]).expect(0));
    assert!(db(&workdir, &["status"]).expect(0).stdout.starts_with("running: PostgreSQL "));
    drop(db(&workdir, &["shell", "-qc", "CREATE TABLE kept (x int)"]).expect(0));
    let url = db(&workdir, &["url"]).expect(0).stdout.trim().to_owned();
    assert_eq!(db(&workdir, &["kind"]).expect(0).stdout, "private\n");
    drop(db(&workdir, &["stop"]).expect(0));
    drop(db(&workdir, &["stop"]).expect(0));
    drop(db(&workdir, &["shell"]).expect(69));
    drop(db(&workdir, &["start"]).expect(0));
    let mut named = workdir;
    named.set("DATABASE_URL", &url);
    assert_eq!(db(&named, &["kind"]).expect(0).stdout, "private\n", "its own URL names no other server");
    assert_eq!(db(&named, &["shell", "-XAtc", "SELECT count(*) FROM kept"]).expect(0).stdout, "0\n");
    drop(db(&named, &["stop"]).expect(0));
    drop(db(&named, &["bogus"]).expect(2));
}

#[test]
fn a_server_that_is_named_is_used_and_nothing_is_touched() {
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", "postgresql:///x?host=/nonexistent");
    for action in ["start", "stop"] {
        drop(db(&workdir, &[action]).expect(0).complains(&["nothing is touched"]));
    }
    assert_eq!(db(&workdir, &["kind"]).expect(0).stdout, "named\n");
    assert_eq!(db(&workdir, &["url"]).expect(0).stdout, "postgresql:///x?host=/nonexistent\n");
    drop(db(&workdir, &["status"]).expect(69));
    workdir.set("CLIENT_ID", "");
    let run = quickstart(&mut workdir, "40").expect(78);
    assert!(run.stderr.contains("the database is not for invented students"), "{run:#?}");
}

/// Runs the quickstart on the tools that are built already.
fn quickstart(workdir: &mut Workdir, students: &str) -> testkit::Run {
    workdir.write("bin/cargo", "#!/bin/sh\n");
    std::fs::set_permissions(workdir.path("bin/cargo"), PermissionsExt::from_mode(0o755)).unwrap();
    let tools = testkit::tool("init-db").parent().unwrap().display().to_string();
    let path = format!("{}:{tools}:/usr/local/bin:/usr/bin:/bin", workdir.path("bin").display());
    workdir.set("PATH", &path);
    workdir.script("scripts/quickstart.sh", &[students])
}

#[test]
fn the_quickstart_mirrors_a_mock_twice_and_then_what_is_real() {
    let mut workdir = with_private_server();
    let ask = |workdir: &Workdir, query: &str| {
        drop(db(workdir, &["start"]).expect(0));
        let answer = db(workdir, &["shell", "-XAtc", query]).expect(0).stdout.trim().to_owned();
        drop(db(workdir, &["stop"]).expect(0));
        answer
    };
    let written = "SELECT count(*), sum(inserted + updated + deleted) > 0 FROM ops.loads WHERE id > ";

    drop(quickstart(&mut workdir, "40").expect(0));
    drop(db(&workdir, &["status"]).expect(69));
    assert_eq!(ask(&workdir, "SELECT count(*) FROM users"), "40");
    let last = ask(&workdir, "SELECT max(id) FROM ops.loads");
    drop(quickstart(&mut workdir, "40").expect(0));
    let second = ask(&workdir, &format!("{written}{last}"));
    assert!(second.ends_with("|f") && second != "0|f", "the second run writes nothing: {second}");

    drop(quickstart(&mut workdir, "30").expect(0));
    assert_eq!(
        ask(&workdir, "SELECT count(*) FROM users"),
        "30",
        "another invented world takes the place of the first"
    );

    let mock = Mock::start(&["--students", "70", "--seed", "7"]);
    workdir.set("API_ROOT", mock.url());
    workdir.set("CLIENT_ID", "u-s4t2ud-mock");
    workdir.set("CLIENT_SECRET", "s-s4t2ud-mock");
    let run = quickstart(&mut workdir, "40").expect(0);
    assert!(run.stderr.contains("taking the mock's invented students away"), "{run:#?}");
    assert_eq!(ask(&workdir, "SELECT count(*) FROM users"), "70");
    assert!(!workdir.path("exports/.invented").exists());

    workdir.set("CLIENT_ID", "");
    let run = quickstart(&mut workdir, "40").expect(78);
    assert!(run.stderr.contains("or holds real ones"), "{run:#?}");
    assert_eq!(ask(&workdir, "SELECT count(*) FROM users"), "70", "real students are never taken away");
}

#[test]
fn dotenv_is_read_as_the_tools_read_it() {
    let text = "A=plain\n B = spaced\nexport  C=exported\nD='single # quoted'\nE=\"double\"\nF=comment # mine\n\
                G=windows\r\nH=first\nH=last\n#I=off\nJ=`touch ran`\n";
    let workdir = Workdir::new();
    workdir.write("project/.env", text);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/dotenv.sh");
    workdir.write("project/scripts/dotenv.sh", &std::fs::read_to_string(script).unwrap());
    let read = |name: &str| workdir.shell(&format!("bash project/scripts/dotenv.sh {name}")).expect(0).stdout;
    let values =
        ["A", "B", "C", "D", "E", "F", "G", "H", "I", "NONE"].map(|name| read(name).trim_end().to_owned());
    let expected =
        ["plain", "spaced", "exported", "single # quoted", "double", "comment", "windows", "last", "", ""];
    assert_eq!(values, expected);
    assert_eq!(read("J"), "`touch ran`\n");
    assert!(!workdir.path("project/ran").exists());
    let run = workdir.shell("A=given bash project/scripts/dotenv.sh A").expect(0);
    assert_eq!(run.stdout, "given\n");
}
