//! Limits per second and per hour, as a client meets them.

#![allow(clippy::unwrap_used)]

mod mock;

use mock::Mock;

#[test]
fn the_third_call_of_a_second_gets_429_in_plain_text() {
    let mock = Mock::limited(&["--students", "100"]);
    let answers: Vec<_> = (0..3).map(|_| mock.get("/v2/cursus?per_page=1")).collect();
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 429]);
    assert_eq!(answers[2].text, "429 Too Many Requests (Spam Rate Limit Exceeded)");
    assert_eq!(answers[2].header("content-type"), Some("text/plain"));
    assert_eq!(answers[2].header("retry-after"), Some("1"));
    assert_eq!(answers[0].header("x-secondly-ratelimit-limit"), Some("2"));
    assert_eq!(answers[0].header("x-secondly-ratelimit-remaining"), Some("2"));
    assert_eq!(answers[0].header("x-hourly-ratelimit-limit"), Some("1200"));
    assert_eq!(answers[1].header("x-hourly-ratelimit-remaining"), Some("1198"));
    let stats = mock.stats();
    assert_eq!(
        (&stats["calls"], &stats["throttled"], &stats["limit_violations"]),
        (&3.into(), &1.into(), &1.into())
    );
    assert_eq!(stats["max_in_any_second"], 3);
    assert_eq!(stats["by_status"]["429"], 1);
    assert_eq!(stats["by_path"]["/v2/cursus"], 3);
}

#[test]
fn a_new_token_does_not_help_and_a_second_does() {
    let mock = Mock::limited(&["--students", "100", "--count-429", "off"]);
    assert_eq!((mock.get("/v2/cursus").status, mock.get("/v2/cursus").status), (200, 200));
    mock.post_json("/_mock/expire-tokens", "");
    let token = format!("Bearer {}", mock.fresh_token());
    let headers = [("Authorization", token.as_str())];
    assert_eq!(mock.get_with("/v2/cursus", &headers).status, 429);
    std::thread::sleep(std::time::Duration::from_millis(1_050));
    assert_eq!(mock.get_with("/v2/cursus", &headers).status, 200);
}

#[test]
fn the_hour_has_its_own_limit_and_text() {
    let options =
        ["--students", "100", "--per-second", "100", "--per-hour", "2", "--hourly-429-body", "enough"];
    let mock = Mock::limited(&options);
    mock.get("/v2/cursus");
    mock.get("/v2/cursus");
    let stopped = mock.get("/v2/cursus");
    assert_eq!((stopped.status, stopped.text.as_str()), (429, "enough"));
    let wait: u64 = stopped.header("retry-after").unwrap().parse().unwrap();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    mock.switch(r#"{"retry_after":"off","rate_headers":"off"}"#);
    let stopped = mock.get("/v2/cursus");
    assert_eq!(stopped.header("retry-after"), None);
    assert_eq!(stopped.header("x-hourly-ratelimit-limit"), None);
    mock.switch(r#"{"per_hour":1000}"#);
    assert_eq!(mock.get("/v2/cursus").status, 200);
}

#[test]
fn a_304_and_a_token_call_count_where_they_do() {
    let mock = Mock::limited(&["--students", "100", "--per-second", "100", "--per-hour", "100"]);
    let remaining = |answer: &mock::Answer| answer.header("x-hourly-ratelimit-remaining").unwrap().to_owned();
    let first = mock.get("/v2/cursus");
    assert_eq!(remaining(&first), "99");
    let known = [("If-None-Match", first.header("etag").unwrap())];
    assert_eq!(mock.get_with("/v2/cursus", &known).status, 304);
    assert_eq!(remaining(&mock.get("/v2/cursus")), "97");
    mock.switch(r#"{"count_304":"off"}"#);
    assert_eq!(mock.get_with("/v2/cursus", &known).status, 304);
    assert_eq!(remaining(&mock.get("/v2/cursus")), "96");
    mock.fresh_token();
    assert_eq!(remaining(&mock.get("/v2/cursus")), "95");
    mock.switch(r#"{"count_token_calls":"on"}"#);
    mock.fresh_token();
    assert_eq!(remaining(&mock.get("/v2/cursus")), "93");
    assert_eq!(mock.stats()["served_304"], 2);
}

#[test]
fn calls_are_counted_in_any_window_and_by_question() {
    let mock = Mock::start(&[]);
    mock.get("/v2/users?filter[kind]=student&page=1&per_page=5");
    mock.get("/v2/users?per_page=5&filter[kind]=admin&page=2");
    std::thread::sleep(std::time::Duration::from_millis(1_050));
    mock.get("/v2/users?sort=id&filter[kind]=student");
    let most =
        |seconds: u32| mock.get(&format!("/_mock/stats?window={seconds}")).json()["most_in_window"].clone();
    assert_eq!((most(1), most(60)), (2.into(), 3.into()));
    let expected = serde_json::json!({"/v2/users?filter[kind]": 2, "/v2/users?filter[kind]&sort": 1});
    assert_eq!(mock.stats()["by_question"], expected);
}
