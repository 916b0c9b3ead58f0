//! Windows of changes: they add and update, and move the watermark when they join it.

use crate::mirror::{CURSUS, Mirror, campuses, lines, text, user, with};
use chrono::{DateTime, Utc};
use exports::Window;
use serde_json::json;

fn at(text: &str) -> DateTime<Utc> {
    format!("2025-12-13T{text}Z").parse().unwrap()
}

fn window(from: &str, to: Option<&str>) -> Window {
    Window { from: at(from), to: to.map(at) }
}

/// A mirror of students 1 to 3, walked at 08:24.
fn walked() -> Mirror {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.export_as("08_users", CURSUS, &lines((1..4).map(user)), true, at("08:24:00"));
    drop(mirror.load_export("users", &[]).expect(0));
    mirror
}

fn load(mirror: &Mirror, window: Window, started: &str) -> serde_json::Value {
    let changed = with(user(2), json!({"wallet": 77, "updated_at": "2025-12-13T08:30:00.000Z"}));
    mirror.changes("08_users", &lines([changed, user(9)]), window, at(started));
    mirror.workdir.run("load-table", &["users", "--changes"]).expect(0).json()
}

fn watermark(mirror: &Mirror) -> String {
    mirror.workdir.run("load-table", &["users", "--watermark"]).expect(0).stdout
}

#[test]
fn a_window_adds_and_updates_and_deletes_nothing() {
    let mirror = walked();
    let summary = load(&mirror, window("08:19:00", None), "08:40:00");
    assert_eq!(
        (&summary["inserted"], &summary["updated"], &summary["deleted"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(mirror.value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM users"), "1 2 3 9");
    assert_eq!(mirror.value("SELECT wallet FROM users WHERE id = 2"), "77");
    assert_eq!(mirror.value("SELECT kind FROM ops.loads ORDER BY id DESC LIMIT 1"), "changes");
}

#[test]
fn a_window_that_joins_moves_the_watermark_to_a_minute_before_it_was_read() {
    let mirror = walked();
    assert_eq!(watermark(&mirror), "2025-12-13T08:19:00.000Z\n");
    load(&mirror, window("08:19:00", None), "08:40:00");
    assert_eq!(watermark(&mirror), "2025-12-13T08:39:00.000Z\n");
    load(&mirror, window("08:00:00", Some("08:20:00")), "08:50:00");
    assert_eq!(
        watermark(&mirror),
        "2025-12-13T08:39:00.000Z\n",
        "a window of the past does not take it back"
    );
    load(&mirror, window("08:39:00", Some("08:45:00")), "09:00:00");
    assert_eq!(watermark(&mirror), "2025-12-13T08:45:00.000Z\n", "a closed window moves it to its end");
}

#[test]
fn the_overlap_of_windows_can_be_chosen() {
    let mut mirror = walked();
    mirror.workdir.set("LIVE_OVERLAP", "5");
    load(&mirror, window("08:19:00", None), "08:40:00");
    assert_eq!(watermark(&mirror), "2025-12-13T08:39:55.000Z\n");
    mirror.workdir.set("LIVE_OVERLAP", "");
    load(&mirror, window("08:39:00", None), "08:50:00");
    assert_eq!(watermark(&mirror), "2025-12-13T08:49:00.000Z\n", "an empty variable is none");
}

#[test]
fn a_window_that_leaves_a_gap_leaves_the_watermark() {
    let mirror = walked();
    load(&mirror, window("08:19:01", None), "08:40:00");
    assert_eq!(watermark(&mirror), "2025-12-13T08:19:00.000Z\n");
}

#[test]
fn the_first_window_up_to_now_begins_the_watermark_and_a_closed_one_does_not() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    load(&mirror, window("08:00:00", Some("08:20:00")), "08:40:00");
    assert_eq!(watermark(&mirror), "\n");
    load(&mirror, window("08:30:00", None), "08:40:00");
    assert_eq!(watermark(&mirror), "2025-12-13T08:39:00.000Z\n");
}

#[test]
fn without_a_window_there_is_nothing_to_load_and_its_absence_is_named() {
    let mirror = walked();
    let run = mirror.workdir.run("load-table", &["users", "--changes"]).expect(74);
    drop(run.complains(&["changes.ndjson is not there", "--since"]));
}

#[test]
fn the_rows_that_others_wait_for_are_named_longest_wait_first() {
    let mirror = walked();
    mirror.load("achievements", r#"{"id": 5}"#);
    let badge = |id, user| json!({"id": id, "user_id": user, "achievement_id": 5});
    drop(mirror.feed(&["achievements_users"], &text([badge(1, 50), badge(2, 2)])).expect(3));
    drop(mirror.feed(&["achievements_users"], &text([badge(3, 40), badge(4, 50)])).expect(3));
    let missing = |table| mirror.workdir.run("load-table", &[table, "--missing"]).expect(0).stdout;
    assert_eq!(missing("users"), "50\n40\n");
    assert_eq!(missing("achievements"), "");
    mirror.load("users", &text([user(50)]));
    assert_eq!(missing("users"), "40\n");
}
