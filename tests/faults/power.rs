//! A machine that loses its power cannot be had on a machine. What can: that nothing is announced before it is on the disk.

use crate::calls;
use crate::fault::skip;
use end_to_end::World;

/// The file that a traced call is about, and its name: `fsync(3</a/b>)` → `("fsync", "/a/b")`.
fn parse(line: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = line.split_once('(')?;
    let files = if name == "rename" {
        rest.split('"').skip(1).step_by(2).take(2).collect()
    } else {
        vec![rest.split_once('<')?.1.split_once('>')?.0]
    };
    Some((name, files))
}

#[test]
fn what_is_put_in_place_was_on_the_disk_before_and_its_folder_is_behind_it() {
    if let Some(reason) = calls::obstacle() {
        return skip(
            "power::what_is_put_in_place_was_on_the_disk_before_and_its_folder_is_behind_it",
            &reason,
        );
    }
    let world = World::new(&["--students", "20"]);
    let fetch = ["fetch-cursus", "--export", "achievements"];
    let calls = calls::trace(&world, "write,fsync,fdatasync,rename", &fetch);
    let calls: Vec<_> = calls.iter().filter_map(|line| parse(line)).collect();
    let folder = world.workdir.path("exports/03_achievements").display().to_string();
    let mut renamed = 0;
    for (index, (name, files)) in calls.iter().enumerate() {
        if *name != "rename" || !files[1].starts_with(&folder) {
            continue;
        }
        renamed += 1;
        let of_it = calls[..index].iter().rev().find(|(_, about)| about[0] == files[0]);
        let last = of_it.map(|(name, _)| *name).unwrap_or_default();
        assert!(last.ends_with("sync"), "{} was renamed after {last:?}", files[0]);
    }
    assert!(renamed > 12, "a rename for each page and those of the end: {renamed}");
    let last = calls.iter().rposition(|(name, _)| *name == "rename").unwrap();
    assert!(
        calls[last..].iter().any(|(name, about)| *name == "fsync" && about[0] == folder),
        "the folder is not synced behind the last rename"
    );
    // Nothing lost its power here, so no fault is counted.
    drop(world.load("achievements"));
    world.assert_mirrored("achievements");
}
