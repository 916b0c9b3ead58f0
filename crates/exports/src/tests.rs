use super::*;
use chrono::{TimeDelta, Utc};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use verdict::Verdict;

fn place(root: &std::path::Path) -> Place {
    Place::new(root, "08_users", Scope { cursus: Some(21), campus: None })
}

fn page(list: usize, number: u32, total: u64, last: bool) -> Page {
    Page { list, number, total: Some(total), last, date: None }
}

fn effort(calls: u64) -> Effort {
    Effort { calls, retries: 0, throttled: 0 }
}

/// Publishes these lines as one page.
fn publish(place: &Place, lines: &[&str]) -> Manifest {
    let mut walk = Walk::open(place, "q", Utc::now()).unwrap();
    walk.add(page(0, 1, lines.len() as u64, true), lines, effort(1)).unwrap();
    walk.publish(effort(1)).unwrap()
}

fn read(place: &Place) -> String {
    let mut text = String::new();
    Snapshot::open(place).unwrap().unwrap().into_reader().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_is_about_people_is_not_for_everybody_on_the_machine() {
    let root = tempfile::tempdir().unwrap();
    let place =
        Place::new(&root.path().join("made"), "08_users", Scope { cursus: Some(21), campus: Some(1) });
    publish(&place, &["{}"]);
    for folder in place.folder().ancestors().take(4) {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o007, 0, "{}", folder.display());
    }
}

#[test]
fn a_link_in_the_place_of_an_export_is_replaced_and_not_followed() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    fs::create_dir_all(place.folder()).unwrap();
    let elsewhere = root.path().join("elsewhere");
    fs::write(&elsewhere, "of somebody else").unwrap();
    for path in [place.data(), place.manifest()] {
        std::os::unix::fs::symlink(&elsewhere, path).unwrap();
    }
    publish(&place, &["{}"]);
    assert_eq!(
        (read(&place), fs::read_to_string(&elsewhere).unwrap()),
        ("{}\n".to_owned(), "of somebody else".to_owned())
    );
}

#[test]
fn a_folder_is_named_by_numbers_alone() {
    let root = tempfile::tempdir().unwrap();
    for stranger in ["cursus_../..", "cursus_", "cursus_-1", "cursus_21x", "x"] {
        fs::create_dir_all(root.path().join("08_users").join(stranger)).unwrap();
    }
    fs::create_dir_all(root.path().join("08_users/cursus_21/campus_9")).unwrap();
    let found = Place::found(root.path(), "08_users").unwrap();
    let folders: std::collections::BTreeSet<_> =
        found.iter().map(|place| place.folder().to_owned()).collect();
    let expected =
        ["", "cursus_21", "cursus_21/campus_9"].map(|below| root.path().join("08_users").join(below));
    assert_eq!(
        folders.into_iter().collect::<Vec<_>>(),
        expected.map(|path| path.components().collect::<std::path::PathBuf>())
    );
}

#[test]
fn an_export_that_was_never_published_is_absent() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    assert!(Snapshot::open(&place).unwrap().is_none());
    let mut walk = Walk::open(&place, "q", Utc::now()).unwrap();
    walk.add(page(0, 1, 200, false), &["{}"], effort(1)).unwrap();
    drop(walk);
    assert!(Snapshot::open(&place).unwrap().is_none());
}

#[test]
fn the_manifest_says_what_is_there() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let manifest = publish(&place, &[r#"{"id":1}"#, r#"{"id":2}"#]);
    assert_eq!((manifest.rows, manifest.total, manifest.bytes, manifest.calls), (2, Some(2), 18, 1));
    assert_eq!(read(&place), "{\"id\":1}\n{\"id\":2}\n");
    assert_eq!(Snapshot::open(&place).unwrap().unwrap().manifest, manifest);
    let epoch = fs::read_to_string(place.folder().join(".last_fetch_epoch")).unwrap();
    assert_eq!(epoch.trim().parse::<i64>().unwrap(), manifest.finished.timestamp());
    assert!(place.folder().ends_with("08_users/cursus_21"));
}

#[test]
fn an_interrupted_walk_goes_on_where_it_was() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let mut walk = Walk::open(&place, "q", Utc::now()).unwrap();
    walk.add(page(0, 1, 1, true), &[r#"{"id":1}"#], effort(1)).unwrap();
    walk.add(page(1, 1, 101, false), &[r#"{"id":7}"#, r#"{"id":8}"#], effort(2)).unwrap();
    drop(walk);
    // A page that was being written when the process died.
    let mut torn = fs::read(place.part()).unwrap();
    torn.extend(b"{\"id\":9,\"na");
    fs::write(place.part(), torn).unwrap();

    let mut walk = Walk::open(&place, "q", Utc::now()).unwrap();
    let position = walk.position().unwrap();
    assert_eq!((position.list, position.next_page, position.total), (1, 2, Some(101)));
    assert_eq!(position.ids, [7, 8].into());
    walk.add(page(1, 2, 101, true), &[r#"{"id":9}"#], effort(1)).unwrap();
    let manifest = walk.publish(effort(1)).unwrap();
    assert_eq!((manifest.rows, manifest.total, manifest.calls), (4, Some(102), 3));
    assert_eq!(read(&place), "{\"id\":1}\n{\"id\":7}\n{\"id\":8}\n{\"id\":9}\n");
}

#[test]
fn pages_of_another_question_or_of_yesterday_are_not_used() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let mut walk = Walk::open(&place, "q", Utc::now()).unwrap();
    walk.add(page(0, 1, 200, false), &[r#"{"id":1}"#], effort(1)).unwrap();
    drop(walk);
    let tomorrow = Utc::now() + TimeDelta::hours(25);
    assert_eq!(Walk::open(&place, "q", Utc::now()).unwrap().position().unwrap().next_page, 2);
    assert_eq!(Walk::open(&place, "q", tomorrow).unwrap().position().unwrap().next_page, 1);
    assert_eq!(Walk::open(&place, "other", Utc::now()).unwrap().position().unwrap().next_page, 1);
}

#[test]
fn a_state_that_outlived_its_pages_is_not_believed() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let mut walk = Walk::open(&place, "q", Utc::now()).unwrap();
    walk.add(page(0, 1, 200, false), &[r#"{"id":1}"#], effort(1)).unwrap();
    let state = fs::read(place.walk_state()).unwrap();
    drop(walk);
    // A writer killed after it had published, before it removed the state; then one killed in its first page.
    fs::write(place.part(), "{\"id\":2222,\"name\":\"x\"}\n").unwrap();
    assert_eq!(Walk::open(&place, "q", Utc::now()).unwrap().position().unwrap().next_page, 1);
    assert!(!place.walk_state().exists());
    fs::write(place.walk_state(), state).unwrap();
    fs::remove_file(place.part()).unwrap();
    drop(Walk::open(&place, "q", Utc::now()).unwrap());
    assert!(!place.walk_state().exists());
}

#[test]
fn two_writers_at_once_are_one_too_many() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let _first = Walk::open(&place, "q", Utc::now()).unwrap();
    let error = Walk::open(&place, "q", Utc::now()).unwrap_err();
    assert_eq!(Verdict::of(&error), Verdict::Busy);
}

#[test]
fn a_writer_killed_between_its_two_renames_leaves_a_whole_export() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    publish(&place, &[r#"{"id":1}"#]);
    let old = fs::read(place.manifest()).unwrap();
    // As many bytes as before, so that only the checksum can tell.
    let newer = publish(&place, &[r#"{"id":2}"#]);
    fs::rename(place.manifest(), place.next_manifest()).unwrap();
    fs::write(place.manifest(), &old).unwrap();

    assert_eq!(Snapshot::open(&place).unwrap().unwrap().manifest, newer);
    drop(Draft::open(&place).unwrap());
    assert!(!place.next_manifest().exists());
    assert_eq!(Snapshot::open(&place).unwrap().unwrap().manifest, newer);
}

#[test]
fn a_writer_killed_before_its_first_rename_leaves_the_old_export() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let old = publish(&place, &[r#"{"id":1}"#]);
    let next = Manifest { sha256: "0".repeat(64), ..old.clone() };
    fs::write(place.next_manifest(), serde_json::to_vec(&next).unwrap()).unwrap();
    assert_eq!(Snapshot::open(&place).unwrap().unwrap().manifest, old);
    fs::write(place.next_manifest(), "{\"reso").unwrap();
    assert_eq!(Snapshot::open(&place).unwrap().unwrap().manifest, old);
    drop(Draft::open(&place).unwrap());
    assert_eq!(Snapshot::open(&place).unwrap().unwrap().manifest, old);
}

#[test]
fn a_walk_started_when_it_began_by_the_clock_of_the_api() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let started = |ahead: TimeDelta| {
        let before = Utc::now();
        let mut walk = Walk::open(&place, "q", before).unwrap();
        let page = Page { date: Some(Utc::now() + ahead), ..page(0, 1, 1, true) };
        walk.add(page, &["{}"], effort(1)).unwrap();
        walk.publish(effort(1)).unwrap().started - before
    };
    // A Date header has no fraction of a second; this is no other clock.
    assert_eq!(started(TimeDelta::milliseconds(-900)), TimeDelta::zero());
    let ahead = started(TimeDelta::hours(1));
    assert!(ahead > TimeDelta::minutes(59) && ahead < TimeDelta::minutes(61), "{ahead}");
    assert!(started(TimeDelta::hours(-1)) < TimeDelta::minutes(-59));
}

#[test]
fn damage_is_found_at_the_end_of_reading_at_the_latest() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    publish(&place, &[r#"{"id":1}"#]);
    fs::write(place.data(), "{\"id\":2}\n").unwrap();
    let error =
        Snapshot::open(&place).unwrap().unwrap().into_reader().read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("was damaged"), "{error}");
    fs::write(place.data(), "{\"id\"").unwrap();
    assert_eq!(Verdict::of(&Snapshot::open(&place).unwrap_err()), Verdict::Refused);
}

#[test]
fn freshness_is_of_the_same_question_and_of_complete_walks() {
    let root = tempfile::tempdir().unwrap();
    let place = place(root.path());
    let manifest = publish(&place, &["{}"]);
    let fresh = |query: &str, minutes: i64, change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = Snapshot::open(&place).unwrap().unwrap();
        change(&mut snapshot);
        snapshot.is_fresh(query, TimeDelta::hours(1), manifest.started + TimeDelta::minutes(minutes))
    };
    assert!(fresh("q", 0, &|_| ()) && fresh("q", 59, &|_| ()));
    assert!(!fresh("q", 60, &|_| ()) && !fresh("q", -1, &|_| ()));
    assert!(!fresh("other", 0, &|_| ()));
    assert!(!fresh("q", 0, &|snapshot| snapshot.manifest.complete = false));
}
