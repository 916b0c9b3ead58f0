//! The world: as odd as the real one, and never still.

#![allow(clippy::unwrap_used)]

mod mock;

use mock::Mock;
use serde_json::Value;
use std::collections::HashSet;

fn ids(rows: &[Value]) -> HashSet<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

const STUDENTS: &str = "/v2/cursus/21/users?filter[kind]=student&filter[alumni%3F]=false";

#[test]
fn users_have_their_25_keys_and_their_odd_values() {
    let mock = Mock::start(&[]);
    let students = mock.all(STUDENTS);
    let keys: Vec<&str> = students[0].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "id email login first_name last_name usual_full_name usual_first_name url phone displayname kind image \
                    staff? correction_point pool_month pool_year location wallet anonymize_date data_erasure_date \
                    created_at updated_at alumnized_at alumni? active?";
    assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
    let any = |test: &dyn Fn(&Value) -> bool| students.iter().any(test);
    let text = |user: &Value, key: &str| user[key].as_str().unwrap().to_owned();
    assert!(any(&|user| user["wallet"] == 827_942_872) && any(&|user| user["wallet"] == -19_100));
    assert!(any(&|user| user["correction_point"] == -6_497));
    assert!(
        any(&|user| text(user, "first_name").ends_with(' '))
            && any(&|user| text(user, "last_name").starts_with(' '))
    );
    assert!(any(&|user| text(user, "usual_full_name").contains("  ")));
    assert!(
        any(&|user| text(user, "last_name").contains('\''))
            && any(&|user| !text(user, "last_name").is_ascii())
    );
    assert!(any(&|user| user["active?"] == true) && any(&|user| user["active?"] == false));
    assert!(students.iter().all(|user| user["anonymize_date"] == user["data_erasure_date"]));
    // The real ones are all hidden; a few are marked, so that tests see one where none may be.
    let hidden = students.iter().filter(|user| user["phone"] == "hidden").count();
    let marked = students.iter().filter(|user| text(user, "phone").starts_with("+42555")).count();
    assert!(hidden > 5 * marked && marked > 0 && hidden + marked == students.len());
    assert!(students.iter().all(|user| text(user, "email").ends_with(".example.invalid")));
    let offsets: HashSet<String> =
        students.iter().map(|user| text(user, "anonymize_date")[23..].to_owned()).collect();
    assert!(
        offsets.len() >= 4
            && students.iter().all(|user| text(user, "anonymize_date").contains("T00:00:00.000"))
    );
    let everybody = mock.all("/v2/users");
    let alumni = everybody.iter().filter(|user| user["alumni?"] == true).count();
    assert!((students.len() * 5 / 2..students.len() * 3).contains(&alumni), "{alumni}");
    let logins: HashSet<&str> = everybody.iter().map(|user| user["login"].as_str().unwrap()).collect();
    assert_eq!(logins.len(), everybody.len());
}

#[test]
fn reference_data_is_as_large_and_odd_as_the_real_one() {
    let mock = Mock::start(&[]);
    assert_eq!((mock.all("/v2/cursus").len(), mock.all("/v2/campus").len()), (76, 78));
    let public = "/v2/campus?filter[active]=true&filter[public]=true";
    assert_eq!(mock.all(public).len(), 54);
    let achievements = mock.all("/v2/achievements");
    let typed = |row: &Value| row["description"].as_str().unwrap().contains("\r\n");
    assert!(achievements.len() == 1_152 && achievements.iter().any(typed));
    let campuses: HashSet<String> =
        mock.all("/v2/campus").iter().map(|campus| campus["name"].as_str().unwrap().to_owned()).collect();
    let names = |row: &Value| row["campus"].as_array().unwrap().clone();
    let names: Vec<String> =
        achievements.iter().flat_map(names).map(|name| name.as_str().unwrap().to_owned()).collect();
    assert!(names.iter().any(|name| name != name.trim()));
    let ghosts: HashSet<&str> =
        names.iter().map(|name| name.trim()).filter(|name| !campuses.contains(*name)).collect();
    assert!((10..30).contains(&ghosts.len()), "{}", ghosts.len());
    let coalitions = mock.all("/v2/coalitions");
    assert_eq!(coalitions.len(), 350);
    assert_eq!(coalitions.iter().filter(|coalition| coalition["slug"] == "analysts").count(), 2);
    let color =
        |test: &dyn Fn(&str) -> bool| coalitions.iter().any(|row| test(row["color"].as_str().unwrap()));
    assert!(color(&|text| text.starts_with('\t')) && color(&|text| text.starts_with(' ')));
    assert!(color(&|text| !text.contains('#')));
    let raw = mock.get("/v2/achievements?per_page=100").text;
    assert!(raw.contains("\\u0026") && raw.contains("\\u003c") && !raw.contains('&') && !raw.contains('<'));
}

#[test]
fn projects_carry_campuses_and_sessions_and_parents_of_other_cursus() {
    let mock = Mock::start(&[]);
    let projects = mock.all("/v2/cursus/21/projects");
    let known = ids(&projects);
    assert!(projects.iter().filter(|project| project["slug"].is_null()).count() == 52);
    let parent = |project: &Value| project["parent"]["id"].as_i64();
    assert!(projects.iter().filter_map(parent).any(|parent| !known.contains(&parent)));
    let count =
        |key: &str| -> usize { projects.iter().map(|project| project[key].as_array().unwrap().len()).sum() };
    assert!((40..66).contains(&(count("campus") / projects.len())), "{}", count("campus"));
    assert!((6_000..9_000).contains(&count("project_sessions")), "{}", count("project_sessions"));
    assert!(projects[0]["campus"][0]["language"]["created_at"].is_string());
    assert!(projects.iter().all(|project| project.get("parent_id").is_none()));
}

#[test]
fn references_dangle() {
    let mock = Mock::start(&[]);
    let users = ids(&mock.all("/v2/users"));
    let students = ids(&mock.all(STUDENTS));
    let coalitions = ids(&mock.all("/v2/coalitions"));
    let dangles = |list: &str, key: &str, known: &HashSet<i64>| {
        mock.all(list).iter().any(|row| row[key].as_i64().is_some_and(|id| !known.contains(&id)))
    };
    assert!(dangles("/v2/achievements_users", "user_id", &users));
    assert!(dangles("/v2/coalitions_users", "user_id", &users));
    assert!(dangles("/v2/coalitions_users", "coalition_id", &coalitions));
    let enrolments = mock.all("/v2/projects_users");
    assert!(enrolments.iter().any(|row| !students.contains(&row["user"]["id"].as_i64().unwrap())));
    let mark = |row: &Value| row["final_mark"].as_i64();
    assert!(
        enrolments.iter().filter_map(mark).any(|mark| mark < 0)
            && enrolments.iter().filter_map(mark).any(|mark| mark > 100)
    );
    let of_students =
        enrolments.iter().filter(|row| students.contains(&row["user"]["id"].as_i64().unwrap())).count();
    assert!((15..25).contains(&(of_students / students.len())), "{of_students}");
    assert!(enrolments[0]["teams"].is_array() && enrolments[0].get("campus_id").is_none());
}

#[test]
fn moves_touch_whom_they_say() {
    let mock = Mock::start(&[]);
    let before = mock.all(STUDENTS);
    let since = before.iter().map(|user| user["updated_at"].as_str().unwrap()).max().unwrap().to_owned();
    let moved = mock
        .post_json("/_mock/move", r#"{"updates":20,"silent":9,"departures":6,"anonymise":3,"newcomers":4}"#)
        .json();
    let touched = |key: &str| -> HashSet<i64> {
        moved[key].as_array().unwrap().iter().filter_map(Value::as_i64).collect()
    };
    let after = mock.all(STUDENTS);
    let gone = &ids(&before) - &ids(&after);
    assert_eq!(gone, &touched("departures") | &touched("anonymise"));
    assert_eq!(&ids(&after) - &ids(&before), touched("newcomers"));
    let window = mock.all(&format!("{STUDENTS}&range[updated_at]={since},2100-01-01"));
    let seen: HashSet<i64> = window
        .iter()
        .filter(|user| user["updated_at"].as_str().unwrap() > since.as_str())
        .map(|user| user["id"].as_i64().unwrap())
        .collect();
    assert_eq!(seen, &touched("updates") | &touched("newcomers"), "silent changes stay out of the window");
    for id in touched("silent") {
        let row = |rows: &[Value]| rows.iter().find(|user| user["id"].as_i64() == Some(id)).unwrap().clone();
        assert_ne!(row(&before), row(&after), "{id} changed without a word");
    }
    for id in touched("vanished") {
        assert_eq!(mock.get(&format!("/v2/users/{id}")).status, 404);
    }
    for id in touched("anonymise") {
        let login = format!("3b3-{id}");
        assert_eq!(mock.get(&format!("/v2/users/{id}")).json()["login"], login.as_str());
        let rows = mock.all(&format!("/v2/projects_users?filter[user_id]={id}"));
        assert!(rows.iter().all(|row| row["user"]["login"] == login.as_str()));
    }
}

#[test]
fn work_moves_its_own_rows() {
    let mock = Mock::start(&[]);
    let now = mock
        .all("/v2/projects_users")
        .iter()
        .map(|row| row["updated_at"].as_str().unwrap().to_owned())
        .max()
        .unwrap();
    let wanted = r#"{"enrolments":3,"marks":2,"badges":4,"memberships":2,"newcomers":1}"#;
    let moved = mock.post_json("/_mock/move", wanted).json();
    let touched = |keys: &[&str]| -> HashSet<i64> {
        keys.iter().flat_map(|key| moved[*key].as_array().unwrap()).filter_map(Value::as_i64).collect()
    };
    let newer = |list: &str| -> HashSet<i64> {
        let rows = mock.all(&format!("/v2/{list}?range[updated_at]={now},2100-01-01"));
        let newer = rows.iter().filter(|row| row["updated_at"].as_str().unwrap() > "2025-12-14");
        newer.map(|row| row["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(newer("projects_users"), touched(&["enrolments", "marks"]));
    assert_eq!(newer("achievements_users"), touched(&["badges"]));
    assert_eq!(newer("coalitions_users"), touched(&["memberships"]));
    assert_eq!(newer("cursus_users"), touched(&["cursus_users"]));
    assert_eq!(newer("projects_users").len(), 5);
}

#[test]
fn it_moves_by_itself_when_told_to() {
    let mock = Mock::start(&["--updates-per-minute", "3000"]);
    let newest = || {
        mock.get("/v2/users?sort=-updated_at&per_page=1").json()[0]["updated_at"].as_str().unwrap().to_owned()
    };
    let first = newest();
    std::thread::sleep(std::time::Duration::from_millis(900));
    let second = newest();
    assert!(second > first && second.as_str() > "2025-12-14", "{first} {second}");
}
