//! What logs never hold: names, logins and addresses of people, tokens, secrets; and that they hold what they should.

use end_to_end::World;
use std::collections::BTreeSet;
use std::path::Path;

/// What opens doors in the mock: the application's id is no secret.
const SECRET: &str = "s-s4t2ud-mock";

/// Every word that tells a student of the mock's world from another one, but for the ids. Addresses and whole names are made
/// of these.
fn people(world: &World) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for user in world.mock.all("/v2/cursus/21/users") {
        for key in ["login", "first_name", "last_name", "usual_first_name"] {
            words.extend(
                user[key].as_str().map(str::to_owned).filter(|word| word.len() > 3 && word != "hidden"),
            );
        }
    }
    assert!(words.len() > 300, "{words:?}");
    words
}

/// The files below a folder that are not data.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
}

/// The words that a text holds, each as a word of its own.
fn found<'a>(text: &str, words: &'a BTreeSet<String>) -> Vec<&'a String> {
    let is_part = |character: char| character.is_alphanumeric() || "-_".contains(character);
    let parts: BTreeSet<&str> = text.split(|character| !is_part(character)).collect();
    let is_there = |word: &&String| {
        let is_whole = word.chars().all(is_part);
        if is_whole { parts.contains(word.as_str()) } else { text.contains(word.as_str()) }
    };
    words.iter().filter(is_there).collect()
}

#[test]
fn no_log_holds_a_person_a_token_or_a_secret_however_much_is_said() {
    let mut world = World::new(&["--students", "150"]);
    world.workdir.set("RUST_LOG", "trace");
    let mut said = Vec::new();
    let mut run = |world: &World, script: &str| {
        let run = world.workdir.script(&format!("scripts/cron/{script}"), &[]);
        assert!(matches!(run.code, 0 | 3), "{run:#?}");
        said.push((script.to_owned(), run.stdout + &run.stderr));
    };
    run(&world, "nightly_stable_tables.sh");
    run(&world, "live_db_sync.sh");
    drop(world.mock.moves(r#"{"updates": 60, "newcomers": 5, "marks": 30, "badges": 15, "memberships": 5}"#));
    // What fails says why: a record without its id, one that cannot be read, a refusal, an answer that is cut.
    let faults = r#"[{"kind": "no_id", "path": "/users", "times": 1}, {"kind": "bad_json", "path": "projects_users", "times": 1},
        {"kind": "truncate", "path": "cursus_users", "times": 1}, {"kind": "unauthorized", "path": "achievements", "times": 1}]"#;
    world.mock.faults(faults);
    let live = world.workdir.script("scripts/cron/live_db_sync.sh", &[]);
    let ids = world.database.value("SELECT string_agg(id::text, ' ') FROM (SELECT id FROM users LIMIT 5) u");
    drop(
        world
            .workdir
            .shell(&format!("backlog add {} 'asked for'", ids.replace(' ', " && backlog add ")))
            .expect(0),
    );
    for script in ["backlog_worker.sh", "integrity_check.sh", "purge_people.sh", "write_metrics.sh"] {
        run(&world, script);
    }
    said.push(("live_db_sync.sh".to_owned(), live.stdout + &live.stderr));
    said.push(("records that do not fit".to_owned(), refused(&world)));

    let mut words = people(&world);
    let mut kept = Vec::new();
    files(&world.workdir.path("state"), &mut kept);
    let token =
        kept.iter().find_map(|(_, text)| text.split("\"access_token\":").nth(1)?.split('"').nth(1)).unwrap();
    assert!(token.len() > 20, "{token}");
    words.extend([SECRET.to_owned(), token.to_owned()]);
    let mut texts = said;
    files(&world.workdir.path("logs"), &mut texts);
    let read: usize = texts.iter().map(|(_, text)| text.len()).sum();
    assert!(read > 20_000, "only {read} bytes were written");
    let rows =
        world.database.rows("SELECT * FROM ops.job_executions").iter().map(ToString::to_string).collect();
    let loads = world.database.rows("SELECT * FROM ops.loads").iter().map(ToString::to_string).collect();
    texts.extend([("ops.job_executions".to_owned(), rows), ("ops.loads".to_owned(), loads)]);
    for (name, text) in &texts {
        let found = found(text, &words);
        let line = found.first().and_then(|word| text.lines().find(|line| line.contains(word.as_str())));
        assert!(found.is_empty(), "{name} holds {found:?}: {line:?}");
    }
    // The same search finds everybody where people are meant to be.
    let mut data = Vec::new();
    files(&world.workdir.path("exports/08_users"), &mut data);
    let data: String = data.into_iter().map(|(_, text)| text).collect();
    assert!(found(&data, &words).len() > 300);
}

/// What is said of records of a student that are refused, or set aside, each for another reason.
fn refused(world: &World) -> String {
    let mut said = String::new();
    let id: i64 = world.database.value("SELECT min(id) FROM users").parse().unwrap();
    let users = world.mock.all("/v2/cursus/21/users");
    let user = users.into_iter().find(|user| user["id"] == id).unwrap();
    let mut rejected = 0;
    for (key, value) in
        [("wallet", "login"), ("id", "email"), ("updated_at", "displayname"), ("active?", "login")]
    {
        let mut user = user.clone();
        user[key] = user[value].clone();
        let set_aside =
            world.workdir.feed("load-table", &["users", "--max-rejects", "1"], &format!("{user}\n"));
        rejected += set_aside.json()["rejected"].as_u64().unwrap();
        let cut = world.workdir.feed("load-table", &["users"], &user.to_string()[..200]).expect(65);
        said += &(set_aside.stdout + &set_aside.stderr + &cut.stderr);
    }
    assert_eq!(rejected, 4);
    said
}

#[test]
fn a_log_tells_when_what_and_how_it_ended_and_the_terminal_is_quiet() {
    let world = World::new(&["--students", "60"]);
    for (script, log, code) in [
        ("nightly_stable_tables.sh", "nightly_stable_tables.log", 3),
        ("live_db_sync.sh", "live_db_sync.log", 0),
        ("backlog_worker.sh", "backlog.log", 0),
    ] {
        if script == "backlog_worker.sh" {
            drop(
                world.run("backlog", &["add", &world.database.value("SELECT min(id) FROM users")]).expect(0),
            );
        }
        let run = world.workdir.script(&format!("scripts/cron/{script}"), &[]).expect(code);
        assert!(run.stdout.is_empty() && run.stderr.is_empty(), "{run:#?}");
        let text = world.workdir.read(&format!("logs/{log}"));
        let mut timed = 0;
        for line in text.lines() {
            let at = line.split(' ').next().unwrap();
            if at.ends_with('Z') {
                at.parse::<chrono::DateTime<chrono::Utc>>().unwrap_or_else(|error| panic!("{error}: {line}"));
                timed += 1;
            } else {
                assert!(log != "backlog.log", "{line}");
            }
        }
        assert!(timed > 0, "{log}: {text}");
    }
    let renewed = world.workdir.read("logs/42_token_refresh.log");
    assert!(renewed.contains("Z INFO token refreshed"), "{renewed}");
}
