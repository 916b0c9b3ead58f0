//! Tests of windows of changes, and of plans that are kept beside a walk.

use super::*;
use chrono::{DateTime, TimeDelta, Utc};
use std::fs;
use std::io::Read;

fn place(root: &std::path::Path) -> Place {
    Place::new(root, "08_users", Scope { cursus: Some(21), campus: None })
}

fn window() -> Window {
    Window { from: DateTime::UNIX_EPOCH, to: None }
}

fn effort(calls: u64) -> Effort {
    Effort { calls, retries: 0, throttled: 0 }
}

fn read(place: &Place) -> String {
    let mut text = String::new();
    Snapshot::open(place).unwrap().unwrap().into_reader().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn an_interrupted_trail_goes_on_at_its_cursor_however_long_ago_that_was() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path()).changes();
    let mut trail = Trail::open(&place, "q", Utc::now()).unwrap();
    assert_eq!(trail.cursor(), None);
    let date = Utc::now() + TimeDelta::hours(3);
    trail.add(&["{\"id\":1}"], "one", Some(date), effort(1)).unwrap();
    trail.add(&["{\"id\":2}"], "two", Some(date + TimeDelta::hours(1)), effort(2)).unwrap();
    // Killed in the middle of a page.
    drop(trail);
    let part = place.part();
    fs::write(&part, fs::read_to_string(&part).unwrap() + "{\"id\":3").unwrap();

    let mut trail = Trail::open(&place, "q", Utc::now() + TimeDelta::days(9)).unwrap();
    assert_eq!(trail.cursor(), Some("two"));
    trail.add(&["{\"id\":3}"], "three", Some(date + TimeDelta::days(9)), effort(1)).unwrap();
    let manifest = trail.publish(window(), effort(1)).unwrap();
    assert_eq!(read(&place), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    assert_eq!((manifest.kind, manifest.calls, manifest.window), (Kind::Changes, 3, Some(window())));
    // Its start is that of the first run, by the clock of the API.
    assert!((manifest.started - date).abs() < TimeDelta::minutes(1), "{}", manifest.started);
    assert!(!place.walk_state().exists());
}

#[test]
fn a_clock_that_is_set_back_on_the_way_moves_no_start_ahead() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let now = Utc::now();
    let begun = now + TimeDelta::days(1);
    let mut trail = Trail::open(&place.clone().changes(), "q", begun).unwrap();
    trail.add(&["{\"id\":1}"], "one", Some(now), effort(1)).unwrap();
    let started = trail.publish(window(), effort(1)).unwrap().started;
    assert!(started <= now + TimeDelta::seconds(2), "{started}");
    let mut walk = Walk::open(&place, "q", begun).unwrap();
    let page = Page { list: 0, number: 1, total: Some(1), last: true, date: Some(now) };
    walk.add(page, &["{\"id\":1}"], effort(1)).unwrap();
    let started = walk.publish(effort(1)).unwrap().started;
    assert!(started <= now + TimeDelta::seconds(2), "{started}");
}

#[test]
fn another_window_begins_anew_and_an_empty_one_is_an_export() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path()).changes();
    let mut trail = Trail::open(&place, "q", Utc::now()).unwrap();
    trail.add(&["{\"id\":1}"], "one", None, effort(1)).unwrap();
    drop(trail);
    let trail = Trail::open(&place, "other", Utc::now()).unwrap();
    assert_eq!(trail.cursor(), None);
    let manifest = trail.publish(window(), effort(1)).unwrap();
    assert_eq!((manifest.rows, read(&place).as_str()), (0, ""));
}

#[test]
fn changes_and_the_full_walk_do_not_meet() {
    let root = tempfile::tempdir().unwrap();
    let full = place(root.path());
    let walk = Walk::open(&full, "q", Utc::now()).unwrap();
    let trail = Trail::open(&full.clone().changes(), "q", Utc::now()).unwrap();
    trail.publish(window(), effort(1)).unwrap();
    assert!(Snapshot::open(&full).unwrap().is_none());
    assert!(Trail::open(&full, "q", Utc::now()).is_err(), "changes never take the place of a full walk");
    drop(walk);
}

/// A walk of two lists whose first page was added.
fn begun(place: &Place) {
    let mut walk = Walk::open(place, "q", Utc::now()).unwrap();
    assert_eq!(walk.plan(), None);
    walk.pin("plan".to_owned()).unwrap();
    let page = Page { list: 0, number: 1, total: Some(1), last: true, date: None };
    walk.add(page, &["{\"id\":1}"], effort(1)).unwrap();
}

#[test]
fn a_walk_goes_on_with_the_plan_it_began_with() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    begun(&place);
    let walk = Walk::open(&place, "q", Utc::now()).unwrap();
    assert_eq!((walk.plan(), walk.position().unwrap().list), (Some("plan"), 1));
    walk.publish(effort(1)).unwrap();
    assert!(!place.walk_plan().exists());
    begun(&place);
    fs::remove_file(place.walk_plan()).unwrap();
    let walk = Walk::open(&place, "q", Utc::now()).unwrap();
    assert_eq!(
        (walk.plan(), walk.position().unwrap().list),
        (None, 0),
        "without its plan nobody knows the lists"
    );
}

#[test]
fn a_walk_may_take_days_as_long_as_it_goes_on_every_day() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let resumed = |begun: TimeDelta, added: TimeDelta| {
        self::begun(&place);
        let text = fs::read_to_string(place.walk_state()).unwrap();
        let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
        state["begun"] = (Utc::now() - begun).to_rfc3339().into();
        state["added"] = (Utc::now() - added).to_rfc3339().into();
        fs::write(place.walk_state(), state.to_string()).unwrap();
        let walk = Walk::open(&place, "q", Utc::now()).unwrap();
        let list = walk.position().unwrap().list;
        walk.publish(effort(1)).unwrap();
        list == 1
    };
    assert!(resumed(TimeDelta::days(6), TimeDelta::hours(23)));
    assert!(!resumed(TimeDelta::days(6), TimeDelta::hours(25)));
    assert!(!resumed(TimeDelta::days(8), TimeDelta::hours(1)));
    assert!(!resumed(TimeDelta::hours(-1), TimeDelta::hours(-1)), "a clock that was set back");
}
