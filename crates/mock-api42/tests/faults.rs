//! Faults on demand, one after the other.

#![allow(clippy::unwrap_used)]

mod mock;

use mock::Mock;
use serde_json::Value;
use std::time::{Duration, Instant};

const PATH: &str = "/v2/achievements?per_page=20";

#[test]
fn faults_that_replace_the_answer() {
    let mock = Mock::start(&[]);
    for (kind, status, content) in [
        ("html502", 502, "text/html"),
        ("html503", 503, "text/html"),
        ("html504", 504, "text/html"),
        ("html200", 200, "text/html"),
        ("html403", 403, "text/html"),
        ("status500", 500, "application/json"),
        ("throttle", 429, "text/plain"),
        ("unauthorized", 401, "application/json"),
    ] {
        mock.faults(&format!(r#"[{{"kind":"{kind}","times":1}}]"#));
        let answer = mock.get(PATH);
        assert_eq!(answer.status, status, "{kind}");
        assert!(answer.header("content-type").unwrap().starts_with(content), "{kind}");
        assert_eq!(mock.get(PATH).status, 200, "{kind} is over");
    }
    assert!(mock.stats()["faults_fired"].as_object().unwrap().values().all(|count| count == 1));
}

#[test]
fn a_throttle_may_say_anything_about_the_wait() {
    let mock = Mock::start(&["--fault", "throttle,retry_after=0,times=1"]);
    assert_eq!(mock.get(PATH).header("retry-after"), Some("0"));
    for (given, said) in
        [("86400", "86400"), ("\"Sat, 13 Dec 2025 02:35:13 GMT\"", "Sat, 13 Dec 2025 02:35:13 GMT")]
    {
        mock.faults(&format!(r#"[{{"kind":"throttle","retry_after":{given},"times":1}}]"#));
        assert_eq!(mock.get(PATH).header("retry-after"), Some(said));
    }
    mock.faults(r#"[{"kind":"throttle","times":1}]"#);
    assert_eq!(mock.get(PATH).header("retry-after"), None);
}

#[test]
fn faults_of_the_wire_break_the_connection() {
    let mock = Mock::start(&[]);
    for kind in ["truncate", "truncate_gzip", "reset"] {
        mock.faults(&format!(r#"[{{"kind":"{kind}","times":1}}]"#));
        let broken = mock.try_get(PATH, &[]);
        assert!(broken.is_err(), "{kind}: {broken:?}");
        assert_eq!(mock.get(PATH).status, 200, "{kind} is over");
    }
    mock.switch(r#"{"transfer":"chunked"}"#);
    mock.faults(r#"[{"kind":"truncate","times":1}]"#);
    assert!(mock.try_get(PATH, &[]).is_err());
}

#[test]
fn faults_of_time_take_theirs() {
    let mock = Mock::start(&[]);
    let timed = |path: &str| {
        let started = Instant::now();
        (mock.get(path).status, started.elapsed())
    };
    mock.faults(r#"[{"kind":"slow","ms":300,"times":1}]"#);
    let (status, took) = timed(PATH);
    assert!(status == 200 && took >= Duration::from_millis(300), "{took:?}");
    mock.faults(r#"[{"kind":"drip","ms":1,"times":1}]"#);
    let (status, took) = timed("/v2/cursus?per_page=3");
    assert!(status == 200 && took >= Duration::from_millis(150), "{took:?}");
    mock.faults(r#"[{"kind":"hang","times":1}]"#);
    let impatient = ureq::Agent::config_builder().timeout_global(Some(Duration::from_millis(300))).build();
    let agent = ureq::Agent::new_with_config(impatient);
    let token = format!("Bearer {}", mock.fresh_token());
    assert!(agent.get(format!("{}{PATH}", mock.url)).header("Authorization", token).call().is_err());
    assert_eq!(mock.get(PATH).status, 200);
    mock.faults("[]");
    mock.switch(r#"{"latency":120}"#);
    let (status, took) = timed(PATH);
    assert!(status == 200 && took >= Duration::from_millis(120), "{took:?}");
}

fn spoilt(mock: &Mock, kind: &str) -> mock::Answer {
    mock.faults(&format!(r#"[{{"kind":"{kind}","times":1}}]"#));
    let answer = mock.get(PATH);
    assert_eq!(answer.status, 200, "{kind}");
    answer
}

#[test]
fn faults_of_the_data_look_like_answers() {
    let mock = Mock::start(&[]);
    let whole = mock.get(PATH).json();
    let whole = whole.as_array().unwrap();
    let cut = spoilt(&mock, "bad_json");
    assert!(serde_json::from_str::<Value>(&cut.text).is_err());
    assert_eq!(spoilt(&mock, "empty").text, "[]");
    let short = spoilt(&mock, "short_page");
    assert_eq!((short.ids().len(), short.header("x-total")), (10, Some("1152")));
    let twice = spoilt(&mock, "duplicate_id").ids();
    assert_eq!((twice.len(), twice[10]), (21, twice[20]));
    assert!(spoilt(&mock, "not_array").json().is_object());
    assert_eq!(spoilt(&mock, "no_total").header("x-total"), None);
    let nameless = spoilt(&mock, "no_id").json();
    let without = nameless.as_array().unwrap().iter().filter(|row| row.get("id").is_none()).count();
    assert_eq!((nameless.as_array().unwrap().len(), without), (20, 1));
    let nul = spoilt(&mock, "nul");
    assert!(nul.text.contains("\\u0000"));
    let changed =
        nul.json().as_array().unwrap().iter().zip(whole).filter(|(now, before)| now != before).count();
    assert_eq!(changed, 1);
}

#[test]
fn a_spoilt_answer_is_never_a_304() {
    let mock = Mock::start(&[]);
    let etag = mock.get(PATH).header("etag").unwrap().to_owned();
    mock.faults(r#"[{"kind":"no_total","times":1}]"#);
    assert_eq!(mock.get_with(PATH, &[("If-None-Match", &etag)]).status, 200);
    assert_eq!(mock.get_with(PATH, &[("If-None-Match", &etag)]).status, 304);
}

#[test]
fn the_token_endpoint_has_faults_of_its_own() {
    let mock = Mock::start(&[]);
    mock.faults(r#"[{"kind":"html502","path":"/oauth/token","times":1}]"#);
    assert_eq!(mock.get(PATH).status, 200);
    assert_eq!(mock.post_form("/oauth/token", "grant_type=client_credentials").status, 502);
    mock.switch(r#"{"error_rate":100}"#);
    assert_eq!(mock.get(PATH).status, 502);
}
