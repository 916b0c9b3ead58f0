//! Backups that were restored before they count, and the way back.

use end_to_end::{HANGING, NIGHTLY, World};
use std::os::unix::fs::PermissionsExt;
use testkit::Run;

fn backup(world: &World) -> Run {
    world.workdir.script("scripts/backup.sh", &[])
}

/// The dumps that are there, oldest first.
fn dumps(world: &World) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(world.workdir.path("backups")) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".dump")).collect();
    names.sort_unstable();
    names
}

fn backup_script() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/backup.sh")).unwrap()
}

/// Name, rows and digest of each table.
fn contents(world: &World) -> String {
    world
        .workdir
        .script("scripts/db.sh", &["client", "psql", "-XAtqf", "scripts/contents.sql"])
        .expect(0)
        .stdout
}

fn nightly(world: &World) {
    let run = world.workdir.script("scripts/cron/nightly_stable_tables.sh", &[]);
    assert!(matches!(run.code, 0 | 3), "{run:#?}");
}

#[test]
fn a_backup_is_proven_and_what_is_restored_is_what_was_there() {
    let world = World::new(&["--students", "300"]);
    nightly(&world);
    world.database.execute("GRANT SELECT ON users TO pg_monitor");
    let run = backup(&world).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "silent when all is well");
    let dump = dumps(&world).remove(0);
    let path = world.workdir.path(&format!("backups/{dump}"));
    for path in [&path, &world.workdir.path("backups")] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
    let job = "SELECT status || job_type FROM ops.job_executions WHERE job_name = 'backup'";
    assert_eq!(world.database.value(job), "completedbackup");
    // The jobs aside: the backup itself is one, and still running in what it holds.
    world.database.execute("DELETE FROM ops.job_executions");
    let before = contents(&world);
    // Other tests have theirs on the same server.
    let number = r#"printf '%s' "$(uname -n) $(realpath backups)" | cksum | cut -d ' ' -f 1"#;
    let number = world.workdir.shell(number).expect(0).stdout;
    let scratch =
        format!("SELECT count(*) FROM pg_database WHERE datname = 'mirror42_check_{}'", number.trim());
    assert_eq!(world.database.value(&scratch), "0");
    assert!(backup_script().contains("scratch=mirror42_check_$(printf '%s' \"$(uname -n) $(realpath"));

    let schemas = "SELECT string_agg(nspname, ' ' ORDER BY oid) FROM pg_namespace WHERE nspname !~ '^pg_'";
    let schemas_before = world.database.value(schemas);
    world
        .database
        .execute("DELETE FROM users; DROP TABLE cursus_users; ALTER TABLE ops.loads DROP COLUMN erased");
    let file = path.display().to_string();
    drop(world.workdir.script("scripts/restore.sh", &[&file]).expect(2).complains(&["--yes"]));
    drop(world.workdir.script("scripts/restore.sh", &[&file, "--yes"]).expect(0));
    world.database.execute("DELETE FROM ops.job_executions");
    assert_eq!(contents(&world), before);
    drop(world.run("init-db", &["--check"]).expect(0));
    assert_eq!(world.database.value(schemas), schemas_before);
    assert_eq!(world.database.value("SELECT has_table_privilege('pg_monitor', 'users', 'select')"), "true");
    let summary = world.load("users");
    assert_eq!(
        (&summary["unchanged"], &summary["inserted"]),
        (&300.into(), &0.into()),
        "it goes on: {summary}"
    );
}

#[test]
fn who_was_erased_after_the_backup_is_erased_again_after_the_restore() {
    let world = World::new(&["--students", "300"]);
    nightly(&world);
    drop(backup(&world).expect(0));
    let id = world.database.value("SELECT min(user_id) FROM cursus_users");
    drop(world.run("purge-people", &["erase", &id]).expect(0));
    // Another one left: the database alone knows of it, until it is asked before the restore.
    world.mock.moves(r#"{"departures": 1}"#);
    drop(world.mirror("fetch-users", "users"));
    let left = world.database.value("SELECT user_id FROM ops.tombstones WHERE why = 'left'");
    assert!(!world.workdir.read("backups/tombstones.ndjson").contains(&left));

    let file = world.workdir.path("backups").join(dumps(&world).remove(0)).display().to_string();
    drop(world.workdir.script("scripts/restore.sh", &[&file, "--yes"]).expect(0));
    let there = format!("SELECT count(*) FROM users WHERE id IN ({id}, {left})");
    assert_eq!(world.database.value(&there), "0");
    assert_eq!(world.rows("users"), 298);
    assert_eq!(world.database.value(&format!("SELECT count(*) FROM cursus_users WHERE user_id = {id}")), "0");

    // The same when the database is lost, and only the file is left.
    world.database.execute("DROP SCHEMA ops CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let run = world.workdir.script("scripts/restore.sh", &[&file, "--yes"]).expect(0);
    assert!(run.stderr.contains("tombstones.ndjson alone"), "{run:#?}");
    assert_eq!(world.database.value(&there), "0");
}

#[test]
fn kept_exports_rebuild_the_mirror_without_a_call_of_the_api() {
    let world = World::new(&["--students", "300"]);
    nightly(&world);
    let id = world.database.value("SELECT min(user_id) FROM cursus_users");
    let calls = world.mock.count("calls");
    let kept = world.workdir.path("kept").display().to_string();
    drop(world.workdir.shell(&format!("cp -a exports {kept}")).expect(0));
    drop(world.run("purge-people", &["erase", &id]).expect(0));
    let rows: Vec<u64> = NIGHTLY.iter().chain(&HANGING).map(|table| world.rows(table)).collect();

    // As docs/RESTORE.md says it, with exports that are older than the erasure.
    world.database.execute("DROP SCHEMA ops CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let rebuild = format!(
        "init-db && purge-people run && init-db --list | cut -f 1 | while read -r table; do
             EXPORTS_DIR={kept} load-table \"$table\" --export </dev/null || [ $? = 3 ] || exit; done && purge-people run"
    );
    drop(world.workdir.shell(&rebuild).expect(0));
    let rebuilt: Vec<u64> = NIGHTLY.iter().chain(&HANGING).map(|table| world.rows(table)).collect();
    assert_eq!(rebuilt, rows);
    assert_eq!(world.mock.count("calls"), calls);
    assert_eq!(world.database.value(&format!("SELECT count(*) FROM users WHERE id = {id}")), "0");
    world.assert_mirrored("projects");
}

#[test]
fn the_newest_of_each_day_and_week_stay() {
    let mut world = World::new(&["--students", "50"]);
    world.workdir.set("BACKUP_CHECK", "no");
    world.workdir.set("BACKUP_DAYS", "3");
    world.workdir.set("BACKUP_WEEKS", "3");
    // Of two weeks ago: Wednesday and twice Sunday; of last year. Years ahead, so that ours are the oldest.
    let old = [
        "2099-11-04T013000Z",
        "2099-11-08T013000Z",
        "2099-11-08T023000Z",
        "2099-11-15T013000Z",
        "2099-11-17T013000Z",
        "2099-11-18T013000Z",
        "2099-11-18T120000Z",
        "2099-11-19T013000Z",
    ];
    for name in old {
        world.workdir.write(&format!("backups/mirror42-{name}.dump"), "");
    }
    world.workdir.write("backups/mirror42-mine.dump", "");
    drop(backup(&world).expect(0).complains(&["nobody has tried to restore it"]));
    let kept: Vec<String> = dumps(&world);
    let expected = [
        "2099-11-08T023000Z",
        "2099-11-15T013000Z",
        "2099-11-17T013000Z",
        "2099-11-18T120000Z",
        "2099-11-19T013000Z",
    ]
    .map(|name| format!("mirror42-{name}.dump"));
    assert_eq!(kept, [&expected[..], &["mirror42-mine.dump".to_owned()]].concat());
}

#[test]
fn a_dump_that_cannot_be_restored_or_says_something_else_is_no_backup() {
    let world = World::new(&["--students", "50"]);
    drop(world.mirror("fetch-cursus", "campus"));
    // pg_dump that leaves out what it was asked for, and one whose output is cut.
    for (dump, words) in [
        (
            "exec /usr/bin/pg_dump \"${@:1:4}\" --exclude-table-data=public.campuses \"${@:5}\"",
            "does not hold what",
        ),
        ("/usr/bin/pg_dump \"$@\" | head -c 20000", "cannot be restored"),
    ] {
        world.workdir.write("bin/pg_dump", &format!("#!/bin/bash\n{dump}\n"));
        let path = world.workdir.path("bin/pg_dump");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/backup.sh");
        let run = world.workdir.shell(&format!("PATH=$PWD/bin:$PATH {script}")).expect(65);
        assert!(run.stderr.contains(words), "{run:#?}");
        assert_eq!(dumps(&world), Vec::<String>::new());
        assert!(!world.workdir.path("backups/.part.dump").exists());
    }
}

#[test]
fn what_stands_in_the_way_of_a_backup_is_told_with_its_exit_code() {
    let mut world = World::new(&["--students", "50"]);
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-cursus", "achievements"));
    drop(world.workdir.script("scripts/backup.sh", &["a", "b"]).expect(2));
    drop(world.workdir.script("scripts/backup.sh", &["/proc/nowhere"]).expect(74));
    let run = world.workdir.shell(&format!(
        "trap '' XFSZ; ulimit -f 40; {}",
        concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/backup.sh")
    ));
    drop(run.expect(74));
    assert_eq!(dumps(&world), Vec::<String>::new());
    world.workdir.write("backups/.backup.lock", "");
    let lock = std::fs::File::open(world.workdir.path("backups/.backup.lock")).unwrap();
    lock.lock().unwrap();
    drop(backup(&world).expect(75).complains(&["another copy is running"]));
    drop(lock);
    world.workdir.set("BACKUP_DAYS", "many");
    drop(backup(&world).expect(78).complains(&["BACKUP_DAYS"]));
    world.workdir.set("BACKUP_DAYS", "");
    world.workdir.write("no.dump", "no dump");
    let no_dump = world.workdir.path("no.dump").display().to_string();
    drop(
        world
            .workdir
            .script("scripts/restore.sh", &[&no_dump, "--yes"])
            .expect(65)
            .complains(&["is no backup"]),
    );
    drop(world.workdir.script("scripts/restore.sh", &["/nowhere", "--yes"]).expect(74));
    world.database.execute("DROP SCHEMA ops CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let run = backup(&world).expect(78);
    assert!(run.stderr.ends_with("backup: there are no tables of the mirror; run init-db\n"), "{run:#?}");
    world.workdir.set("DATABASE_URL", "postgresql:///nowhere?host=/nonexistent&user=nobody");
    drop(backup(&world).expect(69));
}

#[test]
fn no_password_is_seen_among_the_arguments_of_clients() {
    let mut world = World::new(&["--students", "50"]);
    let url = world.database.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    world.workdir.write("bin/show", "#!/bin/sh\necho \"$PGPASSWORD\" \"$@\"\n");
    std::fs::set_permissions(world.workdir.path("bin/show"), PermissionsExt::from_mode(0o755)).unwrap();
    let show = world.workdir.path("bin/show").display().to_string();
    for (given, shown) in [
        (
            format!("{scheme}://someone:s%20x%2Fy@{rest}"),
            format!("s x/y --dbname={scheme}://someone@{rest} -x\n"),
        ),
        (format!("{url}&password=s%20x"), format!("s x --dbname={url}& -x\n")),
        ("host=/x password=secret dbname=y".to_owned(), "secret --dbname=host=/x  dbname=y -x\n".to_owned()),
    ] {
        world.workdir.set("DATABASE_URL", &given);
        let run = world.workdir.script("scripts/db.sh", &["client", &show, "-x"]).expect(0);
        assert_eq!(run.stdout, shown);
    }
}
