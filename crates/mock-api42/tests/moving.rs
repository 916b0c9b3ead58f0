//! What walks meet: a world that moves between pages, windows over `updated_at`, many ids at once.

#![allow(clippy::unwrap_used)]

mod mock;

use mock::Mock;
use serde_json::{Value, json};

const LIVE: [&str; 5] =
    ["cursus/21/users", "cursus/21/cursus_users", "projects_users", "achievements_users", "coalitions_users"];
const FUTURE: &str = "2100-01-01T00:00:00.000Z";

#[test]
fn the_world_moves_between_the_pages_of_a_path_as_often_as_told() {
    let mock = Mock::start(&[]);
    mock.switch(r#"{"moves_per_page": {"path": "/users", "times": 2, "departures": 1, "updates": 3}}"#);
    let path = "/v2/cursus/21/users?filter[kind]=student&filter[alumni?]=false";
    let total = || mock.get(path).header("x-total").unwrap().to_owned();
    assert_eq!([total(), total(), total(), total()], ["150", "149", "148", "148"]);
    mock.get("/v2/campus");
    let moved = mock.get("/_mock/moved").json();
    assert_eq!((&moved["departures"], &moved["updates"]), (&json!(2), &json!(6)));
    mock.switch(r#"{"moves_per_page": {"path": "/users", "times": 1, "departures": 1}}"#);
    assert_eq!([total(), total(), total()], ["148", "147", "147"], "it counts anew");
    mock.switch(r#"{"moves_per_page": null}"#);
    assert_eq!(mock.get("/_mock/switches").json()["moves_per_page"], "null");
}

/// A window from an instant on, by keyset order, as one page.
fn window(mock: &Mock, list: &str, since: &str) -> Vec<Value> {
    let path = format!("/v2/{list}?range[updated_at]={since},{FUTURE}&sort=updated_at,id&per_page=100");
    mock.get(&path).json().as_array().unwrap().clone()
}

#[test]
fn every_live_list_can_be_followed_by_updated_at() {
    let mock = Mock::start(&[]);
    let wanted = r#"{"updates":9,"newcomers":2,"enrolments":3,"marks":2,"badges":4,"memberships":2}"#;
    let moved = mock.post_json("/_mock/move", wanted).json();
    for list in LIVE {
        // Of the invented past: every row is looked at. Of what moved since: only that is. Both agree.
        for since in ["2025-12-12T12:00:00.000Z", "2025-12-14T00:00:00.000Z"] {
            let rows = window(&mock, list, since);
            let key = |row: &Value| (row["updated_at"].as_str().unwrap().to_owned(), row["id"].as_u64());
            assert!(rows.is_sorted_by_key(key) && !rows.is_empty(), "{list} since {since}");
            let newer = |row: &&Value| row["updated_at"].as_str().unwrap() >= since;
            let expected = mock.all(&format!("/v2/{list}")).iter().filter(newer).count();
            assert_eq!(rows.len(), expected.min(100), "{list} since {since}");
        }
    }
    let marked = window(&mock, "projects_users", "2025-12-14T00:00:00.000Z");
    assert_eq!(marked.len(), moved["marks"].as_array().unwrap().len() + 3);
}

#[test]
fn several_ranges_and_filters_hold_at_once() {
    let mock = Mock::start(&[]);
    let all = mock.all("/v2/achievements_users");
    let (low, high) = (&all[10]["id"], &all[60]["id"]);
    let since = all[35]["updated_at"].as_str().unwrap();
    let query = format!("range[id]={low},{high}&range[updated_at]={since},{FUTURE}&per_page=100");
    let late = |row: &&Value| row["updated_at"].as_str().unwrap() >= since;
    let expected = all[10..=60].iter().filter(late).count();
    assert_eq!(mock.get(&format!("/v2/achievements_users?{query}")).ids().len(), expected);
    assert!(expected > 0 && expected < 51, "{expected}");
    let links = mock.all("/v2/campus_users");
    let second = links.iter().find(|link| link["is_primary"] == false).unwrap();
    let query = format!("filter[user_id]={}&filter[is_primary]=true", second["user_id"]);
    let primary = mock.get(&format!("/v2/campus_users?{query}")).json();
    assert_eq!((primary.as_array().unwrap().len(), &primary[0]["user_id"]), (1, &second["user_id"]));
}

#[test]
fn a_filter_takes_a_hundred_values_and_more_where_it_does() {
    let mock = Mock::start(&[]);
    let ids: Vec<String> = mock.all("/v2/users").iter().map(|user| user["id"].to_string()).collect();
    let get =
        |count: usize| mock.get(&format!("/v2/users?filter[id]={}&per_page=100", ids[..count].join(",")));
    assert_eq!(get(100).ids().len(), 100);
    let refused = get(101);
    assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("Filter Error")));
    mock.switch(r#"{"long_filter": "cut"}"#);
    assert_eq!(get(101).header("x-total"), Some("100"));
    mock.switch(r#"{"long_filter": "allow"}"#);
    assert_eq!(get(101).header("x-total"), Some("101"));
}

#[test]
fn instants_may_be_finer_than_what_is_shown() {
    let mock = Mock::start(&[]);
    mock.post_json("/_mock/move", r#"{"updates": 60}"#);
    let since = "2025-12-14T00:00:00.000Z";
    let rows = window(&mock, "users", since);
    let at = rows[30]["updated_at"].as_str().unwrap();
    let total = |range: &str| {
        mock.get(&format!("/v2/users?range[updated_at]={range}"))
            .header("x-total")
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    let same = total(&format!("{at},{at}"));
    assert!(same >= 1);
    mock.switch(r#"{"fine_times": "on"}"#);
    assert!(total(&format!("{at},{at}")) < same, "{at} is shown, but it is later than that");
    assert_eq!(
        total(&format!("{at},{FUTURE}")),
        rows.iter().filter(|row| row["updated_at"].as_str() >= Some(at)).count()
    );
    assert_eq!(window(&mock, "users", since).len(), 60);
}

#[test]
fn a_day_has_everything_in_it() {
    let mock = Mock::start(&["--students", "400", "--updates-per-minute", "60000"]);
    let enough = || {
        mock.get("/_mock/moved").json().as_object().unwrap().values().all(|count| count.as_u64() > Some(0))
    };
    while !enough() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    mock.switch(r#"{"updates_per_minute": 0}"#);
    let moved = mock.get("/_mock/moved").json();
    let count = |name: &str| moved[name].as_u64().unwrap();
    assert!(count("silent") * 4 > count("updates") && count("silent") < count("updates"), "{moved}");
    assert!(count("departures") * 20 < count("updates"), "{moved}");
}
