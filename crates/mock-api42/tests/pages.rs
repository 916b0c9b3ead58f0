//! Lists: pages, orders, validators, and that they show the world whole.

#![allow(clippy::unwrap_used)]

mod mock;

use flate2::read::GzDecoder;
use mock::Mock;
use serde_json::Value;
use std::io::Read;

const LISTS: [&str; 14] = [
    "cursus",
    "campus",
    "achievements",
    "projects",
    "project_sessions",
    "users",
    "coalitions",
    "blocs",
    "cursus_users",
    "projects_users",
    "achievements_users",
    "coalitions_users",
    "campus_users",
    "titles",
];

#[test]
fn the_pages_of_every_list_are_the_whole_world() {
    let mock = Mock::start(&["--students", "100"]);
    for list in LISTS {
        let path = format!("/v2/{list}");
        let all = mock.all(&path);
        let mut walked = mock.walk(&path);
        walked.sort_by_key(|row| row["id"].as_i64());
        assert!(!all.is_empty(), "{list}");
        assert!(walked == all, "{list}: {} rows walked, {} in all", walked.len(), all.len());
        let total = mock.get(&path).header("x-total").unwrap().parse::<usize>().unwrap();
        assert_eq!(total, all.len(), "{list}");
        let last = all.last().unwrap();
        let alone = mock.get(&format!("{path}/{}", last["id"]));
        assert_eq!(alone.json()["id"], last["id"], "{list}");
    }
}

#[test]
fn pages_have_thirty_rows_by_default_and_never_more_than_a_hundred() {
    let mock = Mock::start(&[]);
    let page = mock.get("/v2/achievements");
    assert_eq!(page.ids().len(), 30);
    assert_eq!((page.header("x-page"), page.header("x-per-page")), (Some("1"), Some("30")));
    assert_eq!(page.header("x-total"), Some("1152"), "items, not pages");
    let page = mock.get("/v2/achievements?per_page=500&page=12");
    assert_eq!((page.ids().len(), page.header("x-per-page")), (52, Some("100")));
    let other = mock.get("/v2/achievements?page[size]=100&page[number]=12");
    assert_eq!(other.ids(), page.ids());
    let past = mock.get("/v2/achievements?per_page=100&page=13");
    assert_eq!((past.status, past.text.as_str()), (200, "[]"));
    mock.switch(r#"{"x_total":"off"}"#);
    assert_eq!(mock.get("/v2/achievements").header("x-total"), None);
}

#[test]
fn links_come_in_the_documented_order() {
    let mock = Mock::start(&[]);
    let relations = |path: &str| -> Vec<String> {
        let answer = mock.get(path);
        let links = answer.header("link").unwrap_or("").to_owned();
        links
            .split(", ")
            .map(|link| link.split("rel=").nth(1).unwrap_or("").trim_matches('"').to_owned())
            .collect()
    };
    assert_eq!(relations("/v2/achievements"), ["last", "next"]);
    assert_eq!(relations("/v2/achievements?page=2"), ["first", "prev", "last", "next"]);
    assert_eq!(relations("/v2/achievements?page=12&per_page=100"), ["first", "prev"]);
    let link = mock.get("/v2/achievements?per_page=2").header("link").unwrap().to_owned();
    assert!(link.contains("/v2/achievements?page=576&per_page=2>; rel=\"last\""), "{link}");
    let lost = mock.get("/v2/achievements?page[size]=2").header("link").unwrap().to_owned();
    assert!(!lost.contains("size"), "{lost}");
    mock.switch(r#"{"link_size":"keep"}"#);
    let kept = mock.get("/v2/achievements?page[size]=2").header("link").unwrap().to_owned();
    assert!(kept.contains("page%5Bsize%5D=2"), "{kept}");
}

fn key(row: &Value, field: &str) -> (i64, String) {
    (row[field].as_i64().unwrap_or(0), row[field].as_str().unwrap_or("").to_owned())
}

#[test]
fn default_orders_are_the_documented_ones() {
    let mock = Mock::start(&[]);
    let check = |list: &str, field: &str, falls: bool| {
        let rows = mock.walk(&format!("/v2/{list}"));
        let in_order = |pair: &[Value]| {
            let (first, second) = (key(&pair[0], field), key(&pair[1], field));
            if falls { first >= second } else { first <= second }
        };
        assert!(rows.windows(2).all(in_order), "{list} by {field}");
    };
    for list in ["cursus", "campus", "users", "project_sessions", "achievements_users"] {
        check(list, "id", true);
    }
    check("achievements", "id", false);
    for list in ["campus_users", "cursus_users", "blocs", "coalitions_users"] {
        check(list, "created_at", true);
    }
    let positions = mock.get("/v2/projects?sort=position,-id").ids();
    assert_eq!(mock.get("/v2/projects").ids(), positions);
    assert!(positions != mock.get("/v2/projects?sort=position,id").ids());
}

#[test]
fn enrolments_have_no_order_to_rely_on() {
    let mock = Mock::start(&[]);
    let page = || mock.get("/v2/projects_users?per_page=100").ids();
    assert!(page().is_sorted());
    mock.switch(r#"{"projects_users_order":"shuffle"}"#);
    let (first, second) = (page(), page());
    assert!(first != second && !first.is_sorted());
    let sorted = mock.get("/v2/projects_users?per_page=100&sort=updated_at,id").json();
    let times: Vec<_> =
        sorted.as_array().unwrap().iter().map(|row| row["updated_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    mock.switch(r#"{"projects_users_sort":"refuse"}"#);
    assert_eq!(mock.get("/v2/projects_users?sort=updated_at").status, 400);
    assert_eq!(mock.get("/v2/projects_users?sort=-marked_at").status, 200);
}

#[test]
fn filters_are_anded_and_their_values_ored() {
    let mock = Mock::start(&[]);
    let students = mock.all("/v2/cursus/21/users?filter[kind]=student&filter[alumni%3F]=false");
    assert_eq!(students.len(), 150);
    assert!(students.iter().all(|user| user["kind"] == "student" && user["alumni?"] == false));
    let ids: Vec<String> = students.iter().take(3).map(|user| user["id"].to_string()).collect();
    let chosen = mock.get(&format!("/v2/users?filter[id]={}", ids.join(",")));
    assert_eq!(chosen.ids().len(), 3);
    let encoded = format!("/v2/users?filter%5Bid%5D={}", ids.join("%2C"));
    assert_eq!(mock.get(&encoded).ids(), chosen.ids());
    let enrolments = mock.all(&format!("/v2/projects_users?filter[user_id]={}&filter[cursus]=21", ids[0]));
    assert!(enrolments.iter().all(|row| row["user"]["id"] == students[0]["id"]));
    let by_campus: usize = mock
        .all("/v2/campus")
        .iter()
        .map(|campus| mock.all(&format!("/v2/users?filter[primary_campus_id]={}", campus["id"])).len())
        .sum();
    assert_eq!(by_campus, mock.all("/v2/users").len(), "everybody has one primary campus");
    let found = mock.get(&format!("/v2/users?search={}", students[0]["login"].as_str().unwrap()));
    assert!(found.ids().contains(&students[0]["id"].as_i64().unwrap()));
    assert_eq!(mock.get("/v2/users?no_such_parameter=1&per_page=1").status, 200);
}

#[test]
fn ranges_have_ends_that_belong_to_them_or_not() {
    let mock = Mock::start(&[]);
    let all = mock.get("/v2/users?sort=updated_at,id&per_page=100").json();
    let at = |place: usize| all[place]["updated_at"].as_str().unwrap().to_owned();
    let path = format!("/v2/users?range[updated_at]={},{}&sort=updated_at,id&per_page=100", at(10), at(20));
    assert_eq!(mock.get(&path).ids().len(), 11);
    mock.switch(r#"{"range_ends":"exclusive"}"#);
    assert_eq!(mock.get(&path).ids().len(), 9);
    assert_eq!(mock.get("/v2/users?range[updated_at]=2025-12-13,").status, 400);
    mock.switch(r#"{"open_range":"on"}"#);
    assert_eq!(mock.get("/v2/users?range[updated_at]=2025-12-13,").status, 200);
}

#[test]
fn paths_take_ids_slugs_and_logins() {
    let mock = Mock::start(&[]);
    let total = |path: &str| mock.get(path).header("x-total").map(str::to_owned);
    assert_eq!(total("/v2/cursus/42cursus/users"), total("/v2/cursus/21/users"));
    assert_eq!(total("/v2/cursus/21/projects"), Some("538".to_owned()));
    let user = mock.get("/v2/users?per_page=1").json()[0].clone();
    let alone = mock.get(&format!("/v2/users/{}", user["login"].as_str().unwrap())).json();
    assert_eq!(alone["id"], user["id"]);
    for key in
        ["groups", "cursus_users", "projects_users", "achievements", "titles_users", "campus", "campus_users"]
    {
        assert!(alone[key].is_array(), "{key}");
    }
    let nested = format!("/v2/users/{}/projects_users", user["id"]);
    assert_eq!(mock.all(&nested).len(), alone["projects_users"].as_array().unwrap().len());
    let coalition = mock.get("/v2/coalitions_users?per_page=1").json()[0]["coalition_id"].clone();
    let members = mock.walk(&format!("/v2/coalitions/{coalition}/coalitions_users"));
    assert!(members.iter().all(|member| member["coalition_id"] == coalition) && !members.is_empty());
}

#[test]
fn an_unchanged_page_costs_no_body() {
    let mock = Mock::start(&[]);
    let first = mock.get("/v2/campus");
    let etag = first.header("etag").unwrap();
    assert!(etag.starts_with("W/\"") && etag.len() == 36, "{etag}");
    let again = mock.get_with("/v2/campus", &[("If-None-Match", etag)]);
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(mock.get_with("/v2/campus?page=2", &[("If-None-Match", etag)]).status, 200);
    let nothing = mock.get("/v2/campus?page=99");
    assert_eq!(nothing.header("etag"), Some("W/\"4f53cda18c2baa0c0354bb5f9a3ecbe5\""));
}

#[test]
fn bodies_are_compressed_for_those_who_ask() {
    let mock = Mock::start(&[]);
    let split = |bytes: &[u8]| {
        let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        (String::from_utf8_lossy(&bytes[..at]).to_lowercase(), bytes[at + 4..].to_vec())
    };
    let (plain_head, plain) = split(&mock.raw("/v2/campus", "User-Agent: t\r\n"));
    let (head, packed) = split(&mock.raw("/v2/campus", "User-Agent: t\r\nAccept-Encoding: gzip\r\n"));
    assert!(head.contains("content-encoding: gzip") && !plain_head.contains("content-encoding"));
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    for seen in [
        "server: nginx",
        "x-request-id: ",
        "x-runtime: ",
        "x-application-roles: none",
        "vary: origin",
        "date: ",
    ] {
        assert!(head.contains(seen), "{seen} in {head}");
    }
    mock.switch(r#"{"transfer":"chunked"}"#);
    let (head, _) = split(&mock.raw("/v2/campus", "User-Agent: t\r\n"));
    assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"));
    assert_eq!(mock.get("/v2/campus?per_page=100").ids().len(), 78);
}

#[test]
fn a_seed_is_a_world() {
    let texts = |seed: &str| {
        let mock = Mock::start(&["--seed", seed]);
        LISTS.map(|list| mock.get(&format!("/v2/{list}?per_page=100")).text)
    };
    let (first, second, other) = (texts("1"), texts("1"), texts("2"));
    assert!(first == second);
    assert!(first.iter().zip(&other).all(|(first, other)| first != other));
}
