//! The refusals of the API, word for word.

#![allow(clippy::unwrap_used)]

mod mock;

use mock::Mock;
use serde_json::json;

fn check(mock: &Mock, path: &str, status: u16, error: &str, message: &str) {
    let answer = mock.get(path);
    assert_eq!(answer.status, status, "{path}: {}", answer.text);
    assert_eq!(answer.json(), json!({ "error": error, "message": message }), "{path}");
}

#[test]
fn filters_that_do_not_exist_are_named() {
    let mock = Mock::start(&[]);
    let known = "id, project_id, user_id, created_at, updated_at, occurrence, final_mark, retriable_at, marked_at, \
                 status, cursus, campus, retriable, marked";
    for wrong in ["campus_id", "cursus_id", "kind", "alumni?"] {
        let message = format!("Attributes {wrong} doesn't exists. You can only filter on: [{known}]");
        check(&mock, &format!("/v2/projects_users?filter[{wrong}]=1"), 400, "Filter Error", &message);
    }
    for wrong in
        ["/v2/coalitions?filter[cursus_id]=21", "/v2/campus?filter[users_count]=1", "/v2/titles?filter[id]=1"]
    {
        assert_eq!(mock.get(wrong).status, 400, "{wrong}");
    }
    mock.switch(r#"{"coalitions_filter":"cursus_id"}"#);
    assert_eq!(mock.get("/v2/coalitions?filter[cursus_id]=21").status, 200);
}

#[test]
fn what_cannot_be_sorted_is_named() {
    let mock = Mock::start(&[]);
    check(&mock, "/v2/coalitions?sort=score", 400, "Sort Error", "The score field is not sortable");
    check(&mock, "/v2/coalitions?sort=-score", 400, "Sort Error", "The score field is not sortable");
    assert_eq!(mock.get("/v2/coalitions?sort=updated_at").status, 200, "it sorts although it is not shown");
    assert_eq!(mock.get("/v2/titles?sort=name").status, 400);
}

#[test]
fn graphs_go_over_two_dates_only() {
    let mock = Mock::start(&[]);
    let message = "Attribute pool_month do not exist or isn't graphable. Available fields are: created_at and updated_at";
    check(&mock, "/v2/users/graph/on/pool_month/by/month", 422, "Graph Error", message);
    let counts = mock.get("/v2/users/graph/on/created_at/by/month").json();
    let sum: i64 = counts.as_object().unwrap().values().map(|count| count.as_i64().unwrap()).sum();
    assert_eq!(sum as usize, mock.all("/v2/users").len());
}

#[test]
fn ranges_pages_and_ids_outside_the_list_follow_their_switches() {
    let mock = Mock::start(&[]);
    let (field, value) = ("/v2/users?range[alumni%3F]=1,2", "/v2/users?range[updated_at]=yesterday,today");
    for (switch, status) in [("400", 400), ("422", 422), ("ignore", 200)] {
        mock.switch(&format!(r#"{{"bad_range":"{switch}"}}"#));
        assert_eq!((mock.get(field).status, mock.get(value).status), (status, status), "{switch}");
    }
    for wrong in ["page=0", "page=-1", "page=x", "per_page=0"] {
        assert_eq!(mock.get(&format!("/v2/users?{wrong}")).status, 400, "{wrong}");
    }
    mock.switch(r#"{"bad-page":"first"}"#);
    assert_eq!(mock.get("/v2/users?page=x").ids(), mock.get("/v2/users").ids());
    let outside = "/v2/projects_users?filter[campus]=3";
    assert_eq!(mock.get(outside).status, 400);
    mock.switch(r#"{"unknown_enum":"empty"}"#);
    assert_eq!(mock.get(outside).text, "[]");
}

#[test]
fn there_are_three_kinds_of_403() {
    let mock = Mock::start(&[]);
    let staff = "You are not authorized to access this page.";
    for path in ["/v2/levels", "/v2/cursus/21/levels", "/v2/quests", "/v2/campus/1/stats"] {
        check(&mock, path, 403, "Access Denied", staff);
    }
    let scope = mock.get("/v2/topics");
    let message = "Insufficient scope. The action need the following scopes: [forum] (Create, update and destroy topics and messages)";
    assert_eq!((scope.status, scope.json()), (403, json!({ "error": "Forbidden", "message": message })));
    let challenge = "Bearer realm=\"42 API\", error=\"insufficient scope\", error_description=\"The action need the following scopes: [forum]\"";
    assert_eq!(scope.header("www-authenticate"), Some(challenge));
    let nameless = String::from_utf8(mock.raw("/v2/cursus", "")).unwrap();
    assert!(nameless.starts_with("HTTP/1.1 403 ") && nameless.ends_with("\r\n\r\n"), "{nameless}");
}

#[test]
fn what_is_not_there_is_an_empty_object_or_a_page() {
    let mock = Mock::start(&[]);
    for path in [
        "/v2/users/1",
        "/v2/users/nobody",
        "/v2/locations/1",
        "/v2/no_such_list",
        "/v2/me",
        "/v2/users/1/projects_users",
    ] {
        let answer = mock.get(path);
        assert_eq!((answer.status, answer.text.as_str()), (404, "{}"), "{path}");
    }
    mock.switch(r#"{"missing_record":"html"}"#);
    let answer = mock.get("/v2/users/1");
    assert_eq!((answer.status, answer.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert_eq!(mock.get("/v2/no_such_list").text, "{}");
}

#[test]
fn a_401_says_why_in_its_header() {
    let mock = Mock::start(&["--unauthorized-body", "who? {description}"]);
    let answer = mock.get_with("/v2/cursus", &[("Authorization", "Bearer wrong")]);
    assert_eq!((answer.status, answer.text.as_str()), (401, "who? The access token is invalid"));
    let challenge =
        "Bearer realm=\"42 API\", error=\"invalid_token\", error_description=\"The access token is invalid\"";
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
}

#[test]
fn other_addresses_and_misspelt_options_are_refused() {
    for (options, code) in
        [(["--listen", "0.0.0.0:0"], 2), (["--fault", "html599"], 2), (["--students", "0"], 2)]
    {
        let mut mock = std::process::Command::new(env!("CARGO_BIN_EXE_mock-api42"));
        let output = mock.args(options).stdin(std::process::Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{options:?}");
        assert!(output.stdout.is_empty());
    }
}
