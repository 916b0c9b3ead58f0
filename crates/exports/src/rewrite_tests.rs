//! Lines that are taken out of exports and of interrupted walks.

use super::*;
use chrono::Utc;
use std::fs;
use std::io::Read;
use std::path::Path;

fn place(root: &Path) -> Place {
    Place::new(root, "08_users", Scope { cursus: Some(21), campus: None })
}

fn effort() -> Effort {
    Effort { calls: 1, retries: 0, throttled: 0 }
}

/// A walk of three lists; each record of the second is dropped, each of the third replaced, by the judge below.
fn walk(place: &Place, lists: usize) -> Walk {
    let mut walk = Walk::open(place, "q", Utc::now()).unwrap();
    for list in walk.position().unwrap().list..lists {
        let ids = [list * 10 + 1, list * 10 + 2].map(|id| format!("{{\"id\":{id}}}"));
        let page = Page { list, number: 1, total: Some(2), last: true, date: None };
        walk.add(page, &ids, effort()).unwrap();
    }
    walk
}

fn judge(line: &str) -> Fate {
    match line {
        "{\"id\":11}" | "{\"id\":12}" => Fate::Drop,
        "{\"id\":22}" => Fate::Replace("{\"id\":22,\"x\":null}".to_owned()),
        _ => Fate::Keep,
    }
}

const AFTER: &str = "{\"id\":1}\n{\"id\":2}\n{\"id\":21}\n{\"id\":22,\"x\":null}\n{\"id\":31}\n{\"id\":32}\n";

fn read(place: &Place) -> (Manifest, String) {
    let snapshot = Snapshot::open(place).unwrap().unwrap();
    let (manifest, mut text) = (snapshot.manifest.clone(), String::new());
    snapshot.into_reader().read_to_string(&mut text).unwrap();
    (manifest, text)
}

#[test]
fn an_export_is_whole_without_what_was_taken_out_and_its_manifest_fits() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let before = walk(&place, 4).publish(effort()).unwrap();
    let rewritten = place.rewrite(&mut judge).unwrap();
    assert_eq!(rewritten, Rewritten { dropped: 2, replaced: 1 });
    let (manifest, text) = read(&place);
    assert_eq!((text.as_str(), manifest.rows, manifest.bytes), (AFTER, 6, AFTER.len() as u64));
    let same = |manifest: Manifest| Manifest { rows: 0, bytes: 0, sha256: String::new(), ..manifest };
    assert_eq!(same(manifest), same(before), "when and how it was fetched stays true");
    assert_eq!(place.rewrite(&mut judge).unwrap().dropped, 0, "and again nothing");
}

#[test]
fn what_nothing_is_taken_out_of_is_not_touched() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    drop(walk(&place, 1).publish(effort()).unwrap());
    let written = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let before = (written(&place.data()), written(&place.manifest()));
    assert!(place.rewrite(&mut judge).unwrap().is_nothing());
    assert_eq!((written(&place.data()), written(&place.manifest())), before);
    let nowhere = Place::new(root.path(), "09_nothing", Scope::default());
    assert!(nowhere.rewrite(&mut judge).unwrap().is_nothing());
    assert!(!nowhere.folder().exists(), "nor is a folder made");
}

#[test]
fn an_interrupted_walk_goes_on_where_it_was_without_what_was_taken_out() {
    for lists in 1..4 {
        let root = tempfile::tempdir().unwrap();
        let place = place(root.path());
        drop(walk(&place, lists));
        // Half a page, of somebody who is to go.
        let part = fs::read_to_string(place.part()).unwrap();
        fs::write(place.part(), part + "{\"id\":11}\n{\"id\":1").unwrap();
        let taken = place.rewrite(&mut judge).unwrap();
        assert_eq!(taken.dropped, if lists > 1 { 2 } else { 0 });
        assert!(!fs::read_to_string(place.part()).unwrap().contains("\"id\":11"));
        let resumed = Walk::open(&place, "q", Utc::now()).unwrap();
        let position = resumed.position().unwrap();
        assert_eq!((position.list, position.ids.len()), (lists, 0), "none of the next list was read");
        drop(resumed);
        drop(walk(&place, 4).publish(effort()).unwrap());
        place.rewrite(&mut judge).unwrap();
        assert_eq!(read(&place).1, AFTER);
    }
}

#[test]
fn the_ids_of_the_list_at_hand_are_those_that_are_left() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let mut walk = walk(&place, 1);
    let page = Page { list: 1, number: 1, total: Some(9), last: false, date: None };
    walk.add(page, &["{\"id\":11}", "{\"id\":19}"], effort()).unwrap();
    drop(walk);
    place.rewrite(&mut judge).unwrap();
    let position = Walk::open(&place, "q", Utc::now()).unwrap().position().unwrap();
    assert_eq!((position.list, position.next_page, position.total), (1, 2, Some(9)));
    assert_eq!(position.ids.into_iter().collect::<Vec<_>>(), [19]);
}

#[test]
fn a_trail_goes_on_at_its_cursor() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path()).changes();
    let mut trail = Trail::open(&place, "q", Utc::now()).unwrap();
    trail.add(&["{\"id\":11}", "{\"id\":1}"], "one", None, effort()).unwrap();
    drop(trail);
    assert_eq!(place.rewrite(&mut judge).unwrap(), Rewritten { dropped: 1, replaced: 0 });
    let mut trail = Trail::open(&place, "q", Utc::now()).unwrap();
    assert_eq!(trail.cursor(), Some("one"));
    trail.add(&["{\"id\":2}"], "two", None, effort()).unwrap();
    trail.publish(Window { from: Utc::now(), to: None }, effort()).unwrap();
    assert_eq!(read(&place).1, "{\"id\":1}\n{\"id\":2}\n");
}

#[test]
fn a_draft_that_no_walk_can_go_on_with_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    drop(walk(&place, 2));
    fs::remove_file(place.walk_state()).unwrap();
    assert!(place.rewrite(&mut |_| Fate::Keep).unwrap().is_nothing());
    assert!(!place.part().exists());
}

#[test]
fn a_damaged_export_loses_the_lines_and_stays_damaged() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    drop(walk(&place, 2).publish(effort()).unwrap());
    fs::write(place.data(), b"{\"id\":11}\n\xff\n{\"id\":1}").unwrap();
    assert_eq!(place.rewrite(&mut judge).unwrap().dropped, 1);
    assert_eq!(fs::read(place.data()).unwrap(), b"\xff\n{\"id\":1}", "what stays is not touched");
    assert!(Snapshot::open(&place).is_err());
    // Damaged without a change of its size, which its checksum alone can tell.
    drop(walk(&place, 3).publish(effort()).unwrap());
    let damaged = fs::read_to_string(place.data()).unwrap().replace("\"id\":1}", "\"id\":7}");
    fs::write(place.data(), damaged).unwrap();
    assert_eq!(place.rewrite(&mut judge).unwrap().dropped, 2);
    assert!(Snapshot::open(&place).is_err(), "it is not whole for having been rewritten");
}

#[test]
fn nobody_rewrites_where_somebody_writes() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let walk = walk(&place, 2);
    let error = place.rewrite(&mut judge).unwrap_err();
    assert_eq!(verdict::Verdict::of(&error), verdict::Verdict::Busy, "{error:#}");
    drop(walk);
    assert_eq!(place.rewrite(&mut judge).unwrap().dropped, 2);
}

#[test]
fn places_are_found_by_their_folders() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["cursus_21/campus_9", "cursus_21/campus_10", "cursus_9", "campus_1", "old", "cursus_x"] {
        fs::create_dir_all(root.path().join("08_users").join(folder)).unwrap();
    }
    let found = Place::found(root.path(), "08_users").unwrap();
    let folders = found.iter().map(|place| place.data().strip_prefix(root.path()).unwrap().to_owned());
    let folders: Vec<_> = folders.map(|path| path.display().to_string()).collect();
    assert_eq!(found.len(), 12);
    for (data, kinds) in [("08_users/", 2), ("08_users/campus_1/", 2), ("08_users/cursus_21/campus_10/", 2)] {
        let of_folder = ["all", "changes"].map(|stem| format!("{data}{stem}.ndjson"));
        assert_eq!(folders.iter().filter(|path| of_folder.contains(path)).count(), kinds, "{folders:?}");
    }
    assert!(Place::found(root.path(), "09_nothing").unwrap().len() == 2);
}
