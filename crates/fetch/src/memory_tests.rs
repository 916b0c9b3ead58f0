//! Tests of what is remembered beside an export.

use super::*;
use exports::{Effort, Page, Scope, Walk};

fn publish(place: &Place) -> Snapshot {
    let mut walk = Walk::open(place, "q", Utc::now()).unwrap();
    let page = Page { list: 0, number: 1, total: Some(1), last: true, date: None };
    walk.add(page, &["{}"], Effort::default()).unwrap();
    walk.publish(Effort::default()).unwrap();
    Snapshot::open(place).unwrap().unwrap()
}

fn note(id: u64, campus: Option<u64>) -> Note {
    let stamp = campus.map(|campus| Map::from_iter([("campus_id".to_owned(), campus.into())]));
    Note { id, stamp }
}

#[test]
fn notes_are_read_again_and_a_cut_line_spoils_none() {
    let root = tempfile::tempdir().unwrap();
    let place = Place::new(root.path(), "08_users", Scope::default());
    let export = publish(&place);
    let memory = Memory::open(&place, Some(&export)).unwrap();
    memory.add(&[note(1, Some(7)), note(2, None)]).unwrap();
    let path = place.folder().join("looked_up.ndjson");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str(r#"{"id":3,"at":"2"#);
    fs::write(&path, text).unwrap();
    memory.add(&[note(4, Some(8))]).unwrap();
    let notes = Memory::open(&place, Some(&export)).unwrap().take();
    assert_eq!(notes, [note(1, Some(7)), note(2, None), note(4, Some(8))]);
}

#[test]
fn a_note_older_than_the_walk_of_the_export_is_forgotten() {
    let root = tempfile::tempdir().unwrap();
    let place = Place::new(root.path(), "08_users", Scope::default());
    let export = publish(&place);
    let path = place.folder().join("looked_up.ndjson");
    let line = |id: u64, age: TimeDelta| {
        format!(
            "{{\"id\":{id},\"at\":\"{}\",\"stamp\":null}}\n",
            (export.manifest.started - age).to_rfc3339()
        )
    };
    fs::write(&path, line(1, TimeDelta::hours(1)) + &line(2, TimeDelta::minutes(1))).unwrap();
    assert_eq!(Memory::open(&place, Some(&export)).unwrap().take(), [note(2, None)]);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[test]
fn without_an_export_nothing_is_written() {
    let root = tempfile::tempdir().unwrap();
    let place = Place::new(root.path(), "08_users", Scope::default());
    let memory = Memory::open(&place, None).unwrap();
    memory.add(&[note(1, None)]).unwrap();
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}
