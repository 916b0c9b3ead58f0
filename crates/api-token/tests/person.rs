//! The token of a person: traded for a code, renewed by a refresh token that works once, given up when that is refused.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod common;

use common::{Desk, folder, state_file};
use std::fs;

/// A desk whose token is a person's.
fn personal() -> Desk {
    let mut desk = Desk::new(&["--code", "code-MARK-0123456789", "--latency", "20"]);
    desk.workdir.set("REDIRECT_URI", "http://localhost/callback");
    let run = desk.workdir.feed("api-token", &["exchange", "-"], "code-MARK-0123456789\n").expect(0);
    desk.check_discreet(&run);
    assert!(run.stdout.is_empty() && run.stderr.contains("the person's token"), "{run:#?}");
    desk
}

#[test]
fn a_code_becomes_the_token_of_all_calls_and_is_renewed_once_by_two_tools() {
    let desk = personal();
    assert_eq!(desk.run(&["info", "--json"], 0).json()["kind"], "person");
    assert_eq!(desk.workdir.run("fetch-cursus", &["--path", "/v2/me"]).expect(0).records().len(), 1);
    let first = desk.kept();
    assert_eq!(desk.asked(), 1);
    desk.mock.expire_tokens();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| desk.workdir.run("fetch-cursus", &["--path", "/v2/me"]).expect(0));
        }
    });
    let grants = &desk.mock.stats()["token_calls_by_grant"];
    assert_eq!(grants, &serde_json::json!({ "refresh_token": 1 }));
    assert_ne!(desk.kept()["refresh_token"], first["refresh_token"], "it works once");
    let mark = fs::read_to_string(desk.log()).unwrap();
    assert!(!mark.contains("MARK"), "{mark}");
}

#[test]
fn a_refused_refresh_token_gives_way_to_the_application() {
    let desk = personal();
    let path = state_file(&desk.workdir, "token").unwrap();
    let mut kept = desk.kept();
    kept["refresh_token"] = "0123456789abcdef-spent".into();
    fs::write(&path, kept.to_string()).unwrap();
    desk.mock.expire_tokens();
    drop(desk.run(&["refresh"], 0));
    assert_eq!(desk.run(&["info", "--json"], 0).json()["kind"], "application");
    let logged = desk.logged();
    assert!(
        logged.iter().any(|line| line.starts_with("WARN the person's refresh token was refused")),
        "{logged:?}"
    );
    assert_eq!(desk.kept()["refresh_token"], serde_json::Value::Null);
}

#[test]
fn a_refresh_token_of_the_old_flow_is_where_it_starts() {
    let desk = personal();
    let refresh = desk.kept()["refresh_token"].as_str().unwrap().to_owned();
    let mut other = folder(&desk.mock);
    other.set("REFRESH_TOKEN", &refresh);
    for _ in 0..2 {
        assert_eq!(other.run("fetch-cursus", &["--path", "/v2/me"]).expect(0).records().len(), 1);
    }
    // Used up there, but kept newer ones are what counts, not the environment.
    desk.mock.expire_tokens();
    drop(other.run("fetch-cursus", &["--path", "/v2/me"]).expect(0));
    let grants = desk.mock.stats()["token_calls_by_grant"].clone();
    assert_eq!(grants, serde_json::json!({ "authorization_code": 1, "refresh_token": 2 }));
}

#[test]
fn a_token_that_is_forgotten_gives_way_to_the_application() {
    let desk = personal();
    drop(desk.run(&["forget"], 0).complains(&["forgotten"]));
    drop(desk.run(&["forget"], 0).complains(&["no token was kept"]));
    assert_eq!(desk.run(&["info", "--json"], 0).json()["kind"], "application");
}

#[test]
fn a_code_that_is_none_changes_nothing() {
    let mut desk = Desk::new(&["--code", "code-MARK-0123456789"]);
    drop(desk.run(&["ensure-fresh"], 0));
    let before = desk.kept();
    drop(desk.run(&["exchange", "code-MARK-0123456789"], 78).complains(&["REDIRECT_URI is not set"]));
    desk.workdir.set("REDIRECT_URI", "http://localhost/callback");
    drop(desk.run(&["exchange", "wrong"], 77).complains(&["refuses the code", "ask for a new one"]));
    drop(desk.run(&["exchange", "-"], 2).complains(&["this is no code"]));
    drop(desk.run(&["exchange"], 2));
    assert_eq!(desk.kept(), before);
    assert!(desk.logged().last().unwrap().starts_with("ERROR token not refreshed: "));
    let run = desk.run(&["exchange", "--json", "code-MARK-0123456789"], 0);
    assert_eq!(run.json()["kind"], "person");
}
