//! The API at its worst: each answer is survived, or refused with a sentence.

use end_to_end::World;
use testkit::Run;

const EXPORT: &str = "exports/03_achievements/all.ndjson";

/// Fetches a list of twelve pages, none of them empty, while the mock misbehaves in this way.
fn walk_under(faults: &str) -> (World, Run) {
    let world = World::new(&["--students", "50"]);
    world.mock.faults(faults);
    let run = world.run("fetch-cursus", &["--export", "achievements"]);
    let fired = world.mock.stats()["faults_fired"].to_string();
    assert_ne!(fired, "{}", "the fault did not happen");
    (world, run)
}

/// Faults that pass: nothing is lost, and the summary counts what was done again.
fn survives(fault: &str) {
    let (world, run) =
        walk_under(&format!(r#"[{{"path": "/v2/achievements", "skip": 2, "times": 2, {fault}}}]"#));
    let run = run.expect(0);
    assert!(!run.stderr.contains("retries 0, throttled 0"), "{run:#?}");
    drop(world.load("achievements"));
    world.assert_mirrored("achievements");
}

#[test]
fn an_html_page_with_status_200_is_survived() {
    survives(r#""kind": "html200""#);
}

#[test]
fn an_html_error_page_is_survived() {
    survives(r#""kind": "html502""#);
}

#[test]
fn a_truncated_answer_is_survived() {
    survives(r#""kind": "truncate""#);
    survives(r#""kind": "truncate_gzip""#);
}

#[test]
fn cut_json_of_the_right_length_is_survived() {
    survives(r#""kind": "bad_json""#);
}

#[test]
fn a_connection_that_is_closed_is_survived() {
    survives(r#""kind": "reset""#);
}

#[test]
fn a_429_is_plain_text_and_is_survived_with_every_kind_of_hint() {
    for hint in [r#""retry_after": 1"#, r#""retry_after": 0"#] {
        survives(&format!(r#""kind": "throttle", {hint}"#));
    }
}

#[test]
fn a_token_that_expires_in_the_middle_is_renewed_once() {
    let (world, run) =
        walk_under(r#"[{"path": "/v2/achievements", "skip": 3, "times": 1, "kind": "unauthorized"}]"#);
    drop(run.expect(0));
    assert_eq!(world.mock.count("token_calls"), 2, "one token to begin with, one renewal");
    drop(world.load("achievements"));
    world.assert_mirrored("achievements");
}

#[test]
fn what_does_not_pass_ends_with_a_sentence_and_keeps_its_pages() {
    let (world, run) = walk_under(r#"[{"path": "/v2/achievements", "skip": 5, "kind": "html503"}]"#);
    drop(run.expect(69).complains(&["fetch-cursus: achievements: ", "503"]));
    assert!(!world.workdir.path(EXPORT).exists());
    world.mock.faults("[]");
    let run = world.run("fetch-cursus", &["--export", "achievements"]).expect(0);
    assert!(run.stderr.contains("resumed at list"), "{run:#?}");
    drop(world.load("achievements"));
    world.assert_mirrored("achievements");
}

#[test]
fn pages_that_lack_rows_are_read_again_or_the_walk_fails() {
    let (world, run) = walk_under(r#"[{"path": "/v2/achievements", "times": 1, "kind": "short_page"}]"#);
    drop(run.expect(0));
    drop(world.load("achievements"));
    world.assert_mirrored("achievements");
    let (world, run) = walk_under(r#"[{"path": "/v2/achievements", "kind": "short_page"}]"#);
    drop(run.expect(69).complains(&["announce"]));
    assert!(!world.workdir.path(EXPORT).exists());
}

#[test]
fn an_object_where_a_list_was_due_is_no_export() {
    let (world, run) = walk_under(r#"[{"path": "/v2/achievements", "kind": "not_array"}]"#);
    assert_ne!(run.code, 0, "{run:#?}");
    assert!(!world.workdir.path(EXPORT).exists());
}

#[test]
fn a_record_with_nul_or_without_id_is_set_aside_and_the_others_are_loaded() {
    for kind in ["nul", "no_id"] {
        let fault = format!(r#"[{{"path": "/v2/achievements", "times": 1, "kind": "{kind}"}}]"#);
        let (world, run) = walk_under(&fault);
        drop(run.expect(0));
        let run = world.run("load-table", &["achievements", "--export"]).expect(3);
        let summary = run.json();
        assert_eq!(summary["rejected"], 1, "{kind}: {summary}");
        assert_eq!(world.rows("achievements"), summary["read"].as_u64().unwrap() - 1);
        assert_eq!(
            world.database.value("SELECT count(*) FROM ops.quarantine WHERE reason_kind = 'type'"),
            "1"
        );

        world.mock.faults("[]");
        drop(world.mirror("fetch-cursus", "achievements"));
        world.assert_mirrored("achievements");
    }
}

#[test]
fn a_record_that_comes_twice_is_one_row() {
    let (world, run) = walk_under(r#"[{"path": "/v2/achievements", "times": 3, "kind": "duplicate_id"}]"#);
    drop(run.expect(0));
    let summary = world.load("achievements");
    assert_eq!(summary["duplicates"], 3, "{summary}");
    world.assert_mirrored("achievements");
}

#[test]
fn an_expired_secret_is_a_sentence_that_says_so() {
    let world = World::new(&["--students", "50", "--secret-expired"]);
    let run = world.run("fetch-cursus", &["campus"]).expect(77);
    drop(run.complains(&["fetch-cursus: ", "secret", "expired"]));
}

#[test]
fn the_next_secret_is_tried_when_the_first_is_refused() {
    let mut world = World::new(&["--students", "50", "--secret-expired", "--next-secret", "s-s4t2ud-next"]);
    world.workdir.set("CLIENT_SECRET_NEXT", "s-s4t2ud-next");
    let run = world.run("fetch-cursus", &["campus"]).expect(0);
    assert!(run.stderr.contains("CLIENT_SECRET_NEXT"), "{run:#?}");
}

#[test]
fn lists_without_an_order_or_a_total_lose_nothing() {
    for switch in [["--projects-users-order", "shuffle"], ["--x-total", "off"]] {
        let world = World::new(&[["--students", "250"], switch].concat());
        for name in ["cursus", "campus", "projects"] {
            drop(world.mirror("fetch-cursus", name));
        }
        drop(world.mirror("fetch-users", "users"));
        // A list without any order may end a reading short of a row; what was read stays, and running again goes on.
        let again = "for i in 1 2 3 4 5; do fetch-users --export projects_users && exit; test $? = 69 || exit 1; done";
        drop(world.workdir.shell(again).expect(0));
        drop(world.load("projects_users"));
        world.assert_mirrored("projects_users");
    }
}

#[test]
fn no_secret_and_no_token_is_ever_said() {
    let mut world = World::new(&["--students", "100"]);
    world.workdir.set("RUST_LOG", "trace");
    let runs = [
        world.run("fetch-cursus", &["--export", "campus"]),
        world.run("fetch-users", &["--export", "users"]),
        world.run("load-table", &["campus", "--export"]),
        world.run("fetch-cursus", &["--help"]),
    ];
    let token = std::fs::read_dir(world.workdir.path("state")).unwrap().map(|entry| entry.unwrap().path());
    let token = token.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let state: String = token.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let token = state.split('"').find(|word| word.len() == 64).expect("a cached token");
    for run in runs {
        assert_eq!(run.code, 0, "{run:#?}");
        assert!(!(run.stdout.is_empty() && run.stderr.is_empty()), "{}", run.command);
        for secret in ["s-s4t2ud-mock", token] {
            assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{}", run.command);
        }
    }
}
