//! Tests of the files that processes share.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn shared(folder: &Path) -> Shared {
    Shared::new(folder, "token", "abc", Duration::from_millis(50))
}

#[test]
fn a_file_is_private_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    let held = shared.hold().unwrap();
    assert!(held.read().unwrap().is_none());
    held.replace(b"one").unwrap();
    held.replace(b"and one").unwrap();
    assert_eq!(held.read().unwrap().unwrap(), b"and one");
    held.replace_durably(b"two").unwrap();
    assert_eq!(held.read().unwrap().unwrap(), b"two");
    assert_eq!(fs::metadata(&shared.file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&shared.lock).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_file_that_others_can_read_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    let held = shared.hold().unwrap();
    held.replace(b"one").unwrap();
    fs::set_permissions(&shared.file, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(held.read().unwrap().is_none());
}

#[test]
fn who_reads_a_file_without_its_lock_reads_it_whole_though_it_is_replaced_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    let held = shared.hold().unwrap();
    held.replace(b"one").unwrap();
    let mut open = File::open(&shared.file).unwrap();
    held.replace(b"two").unwrap();
    held.replace(b"three").unwrap();
    let mut text = String::new();
    open.read_to_string(&mut text).unwrap();
    assert_eq!(text, "one");
}

#[test]
fn a_file_that_a_power_cut_left_empty_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    let held = shared.hold().unwrap();
    held.replace(b"").unwrap();
    assert!(held.read().unwrap().is_none());
}

#[test]
fn a_leftover_of_a_killed_writer_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    fs::write(shared.file.with_extension("new"), b"half").unwrap();
    let held = shared.hold().unwrap();
    held.replace(b"whole").unwrap();
    assert_eq!(held.read().unwrap().unwrap(), b"whole");
}

#[test]
fn a_lock_held_by_somebody_else_is_waited_for_but_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    let held = shared.hold().unwrap();
    let error = shared.hold().err().unwrap();
    assert_eq!(Verdict::of(&error), Verdict::Busy);
    drop(held);
    assert!(shared.hold().is_ok());
}

#[test]
fn one_application_needs_no_name_and_two_do() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(only_key(&folder.path().join("none")).unwrap(), None);
    fs::write(folder.path().join("pace-abc.json"), "").unwrap();
    fs::write(folder.path().join("pace-abc.lock"), "").unwrap();
    assert_eq!(only_key(folder.path()).unwrap().unwrap(), "abc");
    fs::write(folder.path().join("pace-def.json"), "").unwrap();
    assert_eq!(Verdict::of(&only_key(folder.path()).unwrap_err()), Verdict::Config);
}

#[test]
fn the_folder_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("a/b");
    prepare(&state).unwrap();
    prepare(&state).unwrap();
    assert_eq!(fs::metadata(&state).unwrap().mode() & 0o777, 0o700);
}
