//! Calls of the API, and what came back, as this host keeps them.

use super::look;
use serde_json::Value;
use testkit::{Mock, Workdir};

/// A folder whose tools call a mock, without a database.
fn desk(mock: &Mock) -> Workdir {
    let mut workdir = Workdir::new();
    workdir.set("API_ROOT", mock.url());
    workdir.set("CLIENT_ID", "u-s4t2ud-mock");
    workdir.set("CLIENT_SECRET", "s-s4t2ud-mock");
    workdir
}

fn calls(workdir: &Workdir) -> Value {
    look(workdir, &["--json"]).json()["calls"].clone()
}

fn answers(workdir: &Workdir) -> [u64; 4] {
    let calls = calls(workdir);
    ["ok", "unauthorized", "throttled", "failed"].map(|kind| calls["answers"][kind].as_u64().unwrap())
}

#[test]
fn every_call_is_counted_by_minute_and_by_what_came_back() {
    let mock = Mock::start(&["--students", "40"]);
    let workdir = desk(&mock);
    assert_eq!(answers(&workdir), [0, 0, 0, 0]);
    assert_eq!(calls(&workdir)["by_minute"].as_array().unwrap().len(), 60);
    assert_eq!(mock.count("calls"), 0, "who looks calls nobody");
    drop(workdir.run("fetch-cursus", &["--path", "/v2/cursus"]).expect(0));
    // The token, and the list.
    assert_eq!(answers(&workdir), [2, 0, 0, 0]);
    drop(workdir.run("fetch-cursus", &["--path", "/v2/cursus/999999"]).expect(1));
    assert_eq!(answers(&workdir), [3, 0, 0, 0], "404 is an answer");
    for (fault, expected) in [
        (r#"[{"kind":"throttle","retry_after":1,"times":1}]"#, [4, 0, 1, 0]),
        (r#"[{"kind":"status500","times":1}]"#, [5, 0, 1, 1]),
        (r#"[{"kind":"html200","times":1}]"#, [6, 0, 1, 2]),
        (r#"[{"kind":"bad_json","times":1}]"#, [7, 0, 1, 3]),
        (r#"[{"kind":"reset","times":1}]"#, [8, 0, 1, 4]),
    ] {
        mock.faults(fault);
        drop(workdir.run("fetch-cursus", &["--path", "/v2/cursus"]).expect(0));
        assert_eq!(answers(&workdir), expected, "{fault}");
    }
    mock.faults("[]");
    mock.expire_tokens();
    drop(workdir.run("fetch-cursus", &["--path", "/v2/cursus"]).expect(0));
    let [ok, unauthorized, throttled, failed] = answers(&workdir);
    assert!(unauthorized == 1 && ok > 8, "the token was refused once, and renewed: {ok} {unauthorized}");
    let calls = calls(&workdir);
    let by_minute: u64 =
        calls["by_minute"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    // A slot that was taken too late to be used counts as a call, and has no answer.
    assert!(by_minute >= ok + unauthorized + throttled + failed, "{calls}");
    assert!((1..=by_minute).contains(&calls["last_minute"].as_u64().unwrap()), "{calls}");
}

#[test]
fn what_is_refused_too_often_is_an_alert() {
    let mock = Mock::start(&["--students", "40"]);
    let mut workdir = desk(&mock);
    workdir.set("CLIENT_SECRET", "another");
    drop(workdir.run("fetch-cursus", &["--path", "/v2/cursus"]).expect(77));
    let status = look(&workdir, &["--json"]).json();
    let alert = |name: &str| {
        let mut alerts = status["alerts"].as_array().unwrap().iter();
        alerts.find(|alert| alert["name"] == name).map(|alert| alert["level"].clone())
    };
    assert_eq!((alert("api_401_hour"), alert("api_429_hour")), (Some("warning".into()), None));
    let other = look(&workdir, &["--json", "--threshold", "api_401_hour=0:1"]).json();
    assert!(other["alerts"].to_string().contains(r#""level":"critical","name":"api_401_hour""#), "{other}");
}

#[test]
fn a_record_of_calls_that_is_damaged_is_no_zero() {
    let mock = Mock::start(&["--students", "40"]);
    let workdir = desk(&mock);
    drop(workdir.run("fetch-cursus", &["--path", "/v2/cursus"]).expect(0));
    drop(
        workdir
            .shell(
                "for book in state/pace-*.json; do head -c 100 $book >$book.cut; cat $book.cut >$book; done",
            )
            .expect(0),
    );
    let status = look(&workdir, &["--json"]).json();
    for part in ["calls", "quota"] {
        assert!(status[part]["error"].as_str().unwrap().contains("is damaged"), "{status}");
    }
    let text = look(&workdir, &["--prometheus"]).stdout;
    assert!(!text.contains("mirror42_api_") && !text.contains("mirror42_quota"), "{text}");
    drop(workdir.run("fetch-cursus", &["--path", "/v2/cursus"]).expect(0));
    assert_eq!(answers(&workdir), [1, 0, 0, 0], "the next call begins a new one");
}
