//! The application's token: looked after, kept private, asked for once by all.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod common;

use common::{Desk, state_file};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{SystemTime, UNIX_EPOCH};

fn in_days(days: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    (i64::try_from(now).unwrap() + days * 86_400 + 600).to_string()
}

#[test]
fn a_fresh_token_is_left_alone_and_nothing_is_said() {
    let desk = Desk::new(&[]);
    for _ in 0..3 {
        let run = desk.run(&["ensure-fresh"], 0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    }
    assert_eq!(desk.asked(), 1);
    let logged = desk.logged();
    assert!(logged.len() == 1 && logged[0].starts_with("INFO token refreshed: valid for 7"), "{logged:?}");
    assert!(logged[0].contains(" s, until 2") && logged[0].ends_with('Z'), "{logged:?}");
    let mode = |path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(state_file(&desk.workdir, "token").unwrap()), 0o600);
    assert_eq!(mode(desk.log()) & 0o037, 0, "others see no log");
}

#[test]
fn less_than_an_hour_is_renewed_and_the_api_may_hand_the_same_out_again() {
    let desk = Desk::new(&["--token-lifetime", "3500"]);
    drop(desk.run(&["ensure-fresh"], 0));
    let first = desk.kept()["access_token"].clone();
    drop(desk.run(&["ensure-fresh"], 0));
    assert_eq!((desk.asked(), &desk.kept()["access_token"]), (2, &first));
    assert!(desk.logged()[1].starts_with("INFO token handed out again: valid for 3"), "{:?}", desk.logged());
    desk.mock.switch(r#"{"token_lifetime": 7200}"#);
    desk.mock.expire_tokens();
    drop(desk.run(&["ensure-fresh"], 0));
    drop(desk.run(&["ensure-fresh"], 0));
    assert_eq!(desk.asked(), 1);
    assert_ne!(desk.kept()["access_token"], first);
}

#[test]
fn refresh_always_asks_and_says_whether_the_token_is_new() {
    let desk = Desk::new(&[]);
    drop(desk.run(&["refresh"], 0).complains(&["there is a new token", "valid for 1"]));
    drop(desk.run(&["refresh"], 0).complains(&["handed the same token out again"]));
    desk.mock.expire_tokens();
    let run = desk.run(&["refresh", "--json"], 0);
    assert_eq!((run.json()["renewed"].as_bool(), run.stderr.as_str()), (Some(true), ""));
    assert_eq!(desk.asked(), 3);
}

#[test]
fn info_asks_the_api_or_only_looks_and_never_shows_the_token() {
    let mut desk = Desk::new(&[]);
    let refused = desk.run(&["info", "--offline"], 1);
    assert!(refused.stderr.contains("no token is kept"), "{refused:#?}");
    let online = desk.run(&["info", "--json"], 0).json();
    assert_eq!(online["kind"], "application");
    assert_eq!(online["scopes"][0], "public");
    assert!(online["expires_in"].as_i64().unwrap() > 7000);
    for name in ["token", "application"] {
        assert!(online[name].as_str().unwrap().chars().count() <= 5, "{online}");
    }
    desk.asked();
    desk.workdir.set("CLIENT_SECRET", "");
    let offline = desk.run(&["info", "--offline", "--json"], 0).json();
    assert_eq!((&offline["created_at"], &offline["scopes"]), (&online["created_at"], &online["scopes"]));
    let words = desk.run(&["info", "--offline"], 0).stdout;
    assert!(words.contains("(application)") && words.contains("no end known"), "{words}");
    assert_eq!(desk.mock.count("calls") + desk.mock.count("token_calls"), 0);
}

#[test]
fn the_end_of_the_secret_is_told_from_ten_days_before() {
    let desk = Desk::new(&["--secret-valid-until", &in_days(5)]);
    // At the renewal, and each time that nothing has to be done.
    for _ in 0..2 {
        drop(desk.run(&["ensure-fresh"], 0).complains(&[
            "WARN",
            "secret of the application ends",
            "(5 days)",
        ]));
    }
    let run = desk.run(&["info", "--offline", "--json"], 0).complains(&["(5 days)"]);
    assert_eq!(run.json()["secret_days_left"], 5);
    assert!(desk.run(&["info"], 0).stdout.contains("(5 days)"));
    let logged = desk.logged();
    assert_eq!(logged.len(), 2);
    assert!(logged[1].starts_with("WARN the secret of the application ends on 2"), "{logged:?}");
    let far = Desk::new(&["--secret-valid-until", &in_days(20)]);
    assert_eq!(far.run(&["ensure-fresh"], 0).stderr, "");
    assert_eq!(far.run(&["info", "--json"], 0).json()["secret_days_left"], 20);
}

#[test]
fn an_expired_secret_is_77_and_a_line_of_the_log_and_the_next_one_takes_over() {
    let mut desk = Desk::new(&["--next-secret", "s-s4t2ud-next"]);
    desk.mock.switch(r#"{"secret_expired": true}"#);
    drop(desk.run(&["ensure-fresh"], 77).complains(&["probably expired", "CLIENT_SECRET"]));
    let logged = desk.logged();
    assert!(logged.len() == 1 && logged[0].starts_with("ERROR token not refreshed: "), "{logged:?}");
    desk.workdir.set("CLIENT_SECRET_NEXT", "s-s4t2ud-next");
    drop(desk.run(&["ensure-fresh"], 0).complains(&["CLIENT_SECRET_NEXT, which should take its place"]));
    let levels: Vec<_> =
        desk.logged().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(levels, ["ERROR", "WARN", "INFO"]);
}

#[test]
fn two_at_once_ask_once() {
    let desk = Desk::new(&["--latency", "50"]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| desk.workdir.run("api-token", &["ensure-fresh"]).expect(0));
        }
    });
    assert_eq!((desk.asked(), desk.logged().len()), (1, 1));
}

#[test]
fn two_tools_with_an_expired_token_renew_it_once() {
    let desk = Desk::new(&["--latency", "50"]);
    drop(desk.run(&["ensure-fresh"], 0));
    desk.asked();
    desk.mock.expire_tokens();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| desk.workdir.run("fetch-cursus", &["--path", "/v2/cursus/21/users"]).expect(0));
        }
    });
    assert_eq!(desk.asked(), 1);
    assert_eq!(desk.logged().len(), 2, "each renewal is a line, whoever made it");
}

#[test]
fn a_damaged_or_exposed_token_is_replaced() {
    let desk = Desk::new(&[]);
    drop(desk.run(&["ensure-fresh"], 0));
    let path = state_file(&desk.workdir, "token").unwrap();
    fs::write(&path, "{\"access_token\": 7").unwrap();
    drop(desk.run(&["info", "--offline"], 1));
    drop(desk.run(&["ensure-fresh"], 0));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(desk.run(&["info", "--offline"], 1));
    drop(desk.run(&["ensure-fresh"], 0).complains(&["others could read it"]));
    assert_eq!(desk.asked(), 3);
    drop(desk.run(&["info", "--offline"], 0));
}

#[test]
fn what_is_missing_refused_or_out_of_reach_has_its_code() {
    let mut desk = Desk::new(&[]);
    desk.workdir.write("plain", "");
    desk.workdir.set("STATE_DIR", &desk.workdir.path("plain/state").display().to_string());
    drop(desk.run(&["ensure-fresh"], 74).complains(&["STATE_DIR"]));
    desk.workdir.set("STATE_DIR", &desk.workdir.path("other").display().to_string());
    desk.workdir.set("LOGS_DIR", &desk.workdir.path("plain/logs").display().to_string());
    drop(desk.run(&["ensure-fresh"], 0).complains(&["WARN", "the renewal is not in the log"]));
    desk.workdir.set("LOGS_DIR", "logs");
    desk.workdir.set("API_ROOT", "http://127.0.0.1:9");
    drop(desk.run(&["ensure-fresh"], 69).complains(&["no usable answer"]));
    desk.workdir.set("CLIENT_SECRET", "");
    drop(desk.run(&["ensure-fresh"], 78).complains(&["CLIENT_SECRET is not set"]));
    drop(desk.run(&["refresh", "extra"], 2));
    drop(desk.run(&[], 2));
}

#[test]
fn a_full_disk_is_74_and_the_token_before_stays() {
    let desk = Desk::new(&[]);
    drop(desk.run(&["ensure-fresh"], 0));
    let before = desk.kept();
    // A file may not grow: what a full disk looks like without one.
    let run = desk.workdir.shell("trap '' XFSZ; ulimit -f 0; exec api-token refresh");
    assert_eq!(run.code, 74, "{run:#?}");
    assert_eq!(desk.kept(), before);
}

#[test]
fn metrics_say_when_the_secret_ends_and_leave_out_what_is_not_known() {
    let end = in_days(5);
    let desk = Desk::new(&["--secret-valid-until", &end]);
    let before = desk.run(&["metrics"], 0).stdout;
    assert!(!before.contains("secret") && before.contains("mirror42_api_limit_per_hour 1200\n"), "{before}");
    drop(desk.run(&["refresh"], 0));
    let (asked, after) = (desk.asked(), desk.run(&["metrics"], 0).stdout);
    assert!(after.contains(&format!("mirror42_api_secret_expires_timestamp_seconds {end}\n")), "{after}");
    assert!(after.contains("mirror42_api_secret_expires_soon 1\n"), "{after}");
    assert!(after.contains("mirror42_api_calls_last_hour{class=\"hand\"} 1\n"), "{after}");
    let names = after.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<_> = names.map(|line| line.split([' ', '{']).next().unwrap()).collect();
    for name in names {
        assert!(after.contains(&format!("# TYPE {name} gauge\n")), "{name} has no type");
    }
    assert_eq!((asked, desk.asked()), (1, 0), "looking asks nobody");
}
