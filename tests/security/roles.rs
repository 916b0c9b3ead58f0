//! deploy/postgres/roles.sql: what each role may do is enough for its tools, and what it may not is refused by the server.

use end_to_end::World;
use testkit::Run;

/// What no role may do: tables are their owner's.
const FOR_THE_OWNER: [&str; 4] =
    ["TRUNCATE users", "DROP TABLE users", "ALTER TABLE users ADD x int", "CREATE TABLE public.x (x int)"];

/// A world whose tools log in as a member of one of the roles.
struct Member {
    world: World,
    owner: String,
    name: String,
}

impl Member {
    fn of(role: &str) -> Self {
        let mut world = World::new(&["--students", "60"]);
        for name in ["cursus", "campus", "achievements", "projects"] {
            drop(world.mirror("fetch-cursus", name));
        }
        drop(world.mirror("fetch-users", "users"));
        let sql = "client psql -XqAt -v ON_ERROR_STOP=1 -f deploy/postgres/roles.sql";
        let sql: Vec<_> = sql.split(' ').collect();
        drop(world.workdir.script("scripts/db.sh", &sql).expect(0));
        drop(world.workdir.script("scripts/db.sh", &sql).expect(0));
        let name = format!("member_of_{role}_{}", std::process::id());
        world.database.execute(&format!("CREATE ROLE {name} LOGIN IN ROLE mirror42_{role}"));
        let owner = world.database.url();
        world.workdir.set("DATABASE_URL", &owner.replace("user=mirror42", &format!("user={name}")));
        assert_ne!(owner, owner.replace("user=mirror42", ""));
        Self { world, owner, name }
    }

    fn run(&self, line: &str) -> Run {
        let words: Vec<_> = line.split(' ').collect();
        self.world.run(words[0], &words[1..])
    }

    /// The server refuses these statements for lack of the right to them.
    fn may_not(&self, statements: &[&str]) {
        for statement in statements.iter().chain(&FOR_THE_OWNER) {
            let run = self.world.workdir.script(
                "scripts/db.sh",
                &["client", "psql", "-XAt", "-v", "VERBOSITY=sqlstate", "-c", statement],
            );
            assert!(run.code == 1 && run.stderr.contains("ERROR:  42501"), "{}: {run:#?}", self.name);
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let (owner, name) = (&self.owner, &self.name);
        self.world.workdir.set("DATABASE_URL", owner);
        self.world.database.execute(&format!("DROP ROLE {name}"));
    }
}

#[test]
fn who_watches_reads_everything_and_writes_only_what_was_found() {
    let member = Member::of("watch");
    drop(member.run("job-monitor history").expect(0));
    let status = member.run("pipeline-status --json").json();
    assert!(status["database"].is_object() && status["database"]["error"].is_null(), "{status:#}");
    let found = member.run("check-integrity run");
    assert!(matches!(found.code, 0..=3), "{found:#?}");
    assert_eq!(member.world.database.value("SELECT count(*) FROM ops.integrity_runs"), "1");
    drop(member.run("init-db --check").expect(0));
    member.may_not(&[
        "DELETE FROM users",
        "UPDATE users SET wallet = 1",
        "INSERT INTO ops.tombstones SELECT 1, now(), 'left'",
        "DELETE FROM ops.job_executions",
        "UPDATE ops.watermarks SET watermark = now()",
    ]);
}

#[test]
fn who_loads_writes_rows_and_forgets_nobody_who_was_erased() {
    let mut member = Member::of("load");
    member.world.workdir.set("BACKLOG_STORE", "postgres");
    for line in [
        "load-table users --export",
        "fetch-users --export --force cursus_users",
        "load-table cursus_users --export",
        "job-run --job by_hand -- true",
        "backlog add 11",
        "backlog mark-processed 11",
    ] {
        let run = member.run(line);
        assert!(matches!(run.code, 0 | 3), "{run:#?}");
    }
    let record = member.world.mock.all("/v2/cursus").remove(0);
    let renamed = record.to_string().replace(record["name"].as_str().unwrap(), "another name");
    let loaded = member.world.workdir.feed("load-table", &["cursus"], &renamed).expect(0).json();
    assert_eq!(loaded["updated"], 1, "{loaded:#}");
    member.may_not(&["DELETE FROM ops.tombstones"]);
}

#[test]
fn who_purges_deletes_and_adds_nothing_and_says_what_is_left_on_the_disk() {
    let member = Member::of("purge");
    let id = member.world.database.value("SELECT min(id) FROM users");
    let version: u32 =
        member.world.database.value("SELECT current_setting('server_version_num')").parse().unwrap();
    let run = member.run(&format!("purge-people erase {id}"));
    if version < 170_000 {
        let run = run.expect(1);
        assert!(run.stderr.contains("VACUUM users is for its owner"), "{run:#?}");
    } else {
        drop(run.expect(0));
    }
    assert_eq!(member.world.database.value(&format!("SELECT count(*) FROM users WHERE id = {id}")), "0");
    assert_eq!(
        member.world.database.value(&format!("SELECT count(*) FROM ops.tombstones WHERE user_id = {id}")),
        "1"
    );
    member.may_not(&[
        "UPDATE users SET wallet = 1",
        "INSERT INTO cursus (id) VALUES (99)",
        "DELETE FROM ops.tombstones",
        "UPDATE ops.watermarks SET watermark = now()",
    ]);
}
