//! The watch that testkit keeps over all that tools say: it sees what it is there for, and it was not asleep.

use end_to_end::World;
use std::panic::{AssertUnwindSafe, catch_unwind};
use testkit::{Database, Workdir};

/// What the watch says of something that must not go unseen.
fn caught(what: &str, leak: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(leak)).expect_err(what);
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| panic!("{what}: no words"))
}

/// One student of a world.
fn somebody(world: &World) -> serde_json::Value {
    world.mock.all("/v2/cursus/21/users").into_iter().find(|user| user["phone"] != "hidden").unwrap()
}

#[test]
fn what_is_planted_in_a_world_is_seen_wherever_it_is_said() {
    let world = World::new(&["--students", "60"]);
    let user = somebody(&world);
    for key in ["login", "last_name", "usual_full_name", "displayname", "email", "phone", "url", "image"] {
        let line = format!("cat >&2 <<'EOF'\n{}\nEOF", user[key]);
        let said = caught(key, || drop(world.workdir.shell(&line)));
        assert!(said.starts_with("stderr of cat") && said.contains("which it may not"), "{said}");
    }
    let first = world.mock.all("/v2/cursus/21/users").into_iter().filter(|user| {
        let name = user["first_name"].as_str().unwrap().to_owned();
        catch_unwind(AssertUnwindSafe(|| world.workdir.discreet("a word", &name))).is_err()
    });
    assert!(first.count() > 0, "some first names are marked, too");
}

#[test]
fn what_opens_doors_is_seen_even_where_people_may_be() {
    let mut world = World::new(&["--students", "60"]);
    drop(world.run("api-token", &["ensure-fresh"]).expect(0));
    world.workdir.set("MONITOR_TOKEN", "a-token-that-this-test-made-up-itself");
    for line in [
        "grep -o '\"access_token\":\"[^\"]*' state/token-*.json",
        "echo $CLIENT_SECRET",
        "echo $DATABASE_URL",
        "echo $MONITOR_TOKEN",
    ] {
        let said = caught(line, || drop(world.workdir.shell(line)));
        assert!(said.starts_with("stdout of "), "{said}");
    }
    drop(world.workdir.shell("fetch-users users | head -1").expect(0));
}

#[test]
fn what_is_written_into_logs_and_the_database_is_seen_at_the_end() {
    for (file, text, nature) in [
        ("logs/a/deep.log", "a word of Qwybaran", "seen"),
        ("state/pace-x.json", "5ec2e742", "seen"),
        ("state/token-x.json", "5ec2e742", "unseen"),
        ("exports/x/all.ndjson", "a word of Qwybaran", "unseen"),
        ("exports/x/all.ndjson", "opens-the-database", "seen"),
        ("trace.log", "somebody@example.invalid", "seen"),
    ] {
        let workdir = Workdir::new();
        workdir.write(file, text);
        let seen = catch_unwind(AssertUnwindSafe(|| drop(workdir))).is_err();
        assert_eq!(seen, nature == "seen", "{file}: {text}");
    }
    let note = "INSERT INTO ops.backlog (id, reason) VALUES (1, 'because of qwybaran')";
    let said = caught("a note", || {
        let database = Database::create();
        database.execute("CREATE SCHEMA ops; CREATE TABLE ops.backlog (id bigint, reason text)");
        database.execute(note);
    });
    assert!(said.starts_with("ops.backlog holds"), "{said}");
}

#[test]
fn tools_write_down_all_that_they_could_say_for_their_owner_alone() {
    let world = World::new(&["--students", "60"]);
    for name in ["cursus", "campus"] {
        drop(world.mirror("fetch-cursus", name));
    }
    let quiet = world.run("load-table", &["campuses", "--export"]).expect(0);
    assert_eq!(quiet.stderr, "", "what is traced is not said");
    let traced = world.workdir.read("trace.log");
    assert!(traced.contains(" DEBUG warehouse::load::attempt] "), "{traced}");
    assert!(!traced.contains("ureq"), "the wire is not written down: {traced}");
    let mode = world.workdir.shell("stat -c %a trace.log").expect(0);
    assert_eq!(mode.stdout, "600\n");
    let mut nowhere = Workdir::new();
    nowhere.set("TRACE_FILE", "/nonexistent/trace");
    let run = nowhere.run("backlog", &["status"]).expect(0);
    assert!(run.stderr.contains("TRACE_FILE: No such file"), "{run:#?}");
}
