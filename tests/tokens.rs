//! Tokens that end in the middle of things, and secrets that end for good.

use chrono::{TimeDelta, Utc};
use end_to_end::{HANGING, NIGHTLY, World};

const NIGHTLY_SCRIPT: &str = "scripts/cron/nightly_stable_tables.sh";

/// Two processes at once, each with several calls under way.
fn two_at_once(world: &World) {
    let line =
        "fetch-cursus --path /v2/project_sessions & first=$!; fetch-cursus achievements && wait $first";
    drop(world.workdir.shell(&format!("({line}) >/dev/null")).expect(0));
}

#[test]
fn two_processes_with_a_token_that_was_ended_ask_for_one() {
    let world = World::new(&["--students", "60", "--latency", "20"]);
    two_at_once(&world);
    assert_eq!(world.mock.count("token_calls"), 1, "the first one");
    world.mock.forget();
    world.mock.expire_tokens();
    two_at_once(&world);
    let stats = world.mock.stats();
    assert!(stats["by_status"]["401"].as_u64() >= Some(1), "nobody noticed: {stats}");
    assert_eq!(stats["token_calls"], 1, "{stats}");
}

#[test]
fn two_processes_with_a_token_that_is_past_its_time_ask_for_one() {
    // It is renewed half a minute before its end.
    let world = World::new(&["--students", "60", "--token-lifetime", "33"]);
    drop(world.run("fetch-cursus", &["cursus"]).expect(0));
    std::thread::sleep(std::time::Duration::from_millis(3_200));
    world.mock.forget();
    two_at_once(&world);
    let stats = world.mock.stats();
    assert_eq!(stats["token_calls"], 1, "{stats}");
    assert_eq!(stats["by_status"].get("401"), None, "it is renewed before it is refused: {stats}");
}

#[test]
fn a_nightly_whose_token_dies_every_fifty_calls_ends_well() {
    let world = World::new(&["--students", "1200", "--token-calls", "50"]);
    drop(world.workdir.script(NIGHTLY_SCRIPT, &[]).expect(3));
    for table in NIGHTLY.iter().chain(&HANGING) {
        world.assert_mirrored(table);
    }
    let stats = world.mock.stats();
    let (good, renewals) =
        (stats["by_status"]["200"].as_u64().unwrap(), stats["token_calls"].as_u64().unwrap());
    assert!(good > 300 && renewals >= good / 50, "nothing was renewed: {stats}");
    assert!(renewals <= good / 50 + 2, "a token that died is renewed once, not by everybody: {stats}");
}

#[test]
fn a_secret_that_has_expired_ends_with_77_and_a_sentence() {
    let world = World::new(&["--students", "60", "--secret-expired"]);
    let run = world.run("fetch-cursus", &["campus"]).expect(77);
    drop(run.complains(&["fetch-cursus", "its secret has probably expired", ".env"]));
    assert_eq!(world.mock.count("token_calls"), 1, "asking again does not help");
    assert_eq!(world.mock.count("calls"), 0);
}

#[test]
fn a_token_outlives_the_secret_and_the_next_secret_takes_over() {
    let mut world = World::new(&["--students", "60", "--next-secret", "s-s4t2ud-next"]);
    drop(world.run("fetch-cursus", &["campus"]).expect(0));
    world.mock.switch(r#"{"secret_expired": true}"#);
    drop(world.run("fetch-cursus", &["campus"]).expect(0));
    world.mock.expire_tokens();
    drop(world.run("fetch-cursus", &["campus"]).expect(77));
    world.workdir.set("CLIENT_SECRET_NEXT", "s-s4t2ud-next");
    let run = world.run("fetch-cursus", &["campus"]).expect(0);
    assert!(run.stderr.contains("CLIENT_SECRET was refused; using CLIENT_SECRET_NEXT"), "{run:#?}");
    assert_eq!(run.records().len(), world.mock.all("/v2/campus").len());
}

#[test]
fn a_secret_that_ends_within_ten_days_is_mentioned_and_works() {
    let world = World::new(&["--students", "60"]);
    let until = |days: i64| (Utc::now() + TimeDelta::days(days)).timestamp();
    world.mock.switch(&format!(r#"{{"secret_valid_until": {}}}"#, until(40)));
    assert!(!world.run("fetch-cursus", &["campus"]).expect(0).stderr.contains("the secret"));
    world.mock.expire_tokens();
    world.mock.switch(&format!(r#"{{"secret_valid_until": {}}}"#, until(5)));
    let run = world.run("fetch-cursus", &["campus"]).expect(0);
    assert!(run.stderr.contains("the secret of the application ends on"), "{run:#?}");
}
