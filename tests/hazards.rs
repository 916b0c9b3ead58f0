//! What walks over a list that moves meet: rows that a walk by page numbers loses, and ours does not.
//!
//! The mock moves its world after each page. Then it rests, both sides look once more from where their cursor stands,
//! and what moved is compared with what was seen. A walk by pages 1..n loses rows in each of these tests, or the test
//! shows nothing and fails; ours loses none.

use chrono::{SecondsFormat, Utc};
use end_to_end::World;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

const STUDENTS: &str = "/v2/cursus/21/users?filter[kind]=student&filter[alumni?]=false";
const FUTURE: &str = "2100-01-01T00:00:00.000Z";

/// The last `updated_at` of each record that was seen, by id.
type Seen = BTreeMap<i64, String>;

fn note(seen: &mut Seen, records: &[Value]) {
    for record in records {
        let updated = record["updated_at"].as_str().unwrap().to_owned();
        let known = seen.entry(record["id"].as_i64().unwrap()).or_default();
        *known = std::mem::take(known).max(updated);
    }
}

/// Records of the live list that moved since an instant and that nobody saw as they are now.
fn lost(world: &World, list: &str, since: &str, seen: &Seen) -> usize {
    let mut truth = Seen::new();
    let mark = if list.contains('?') { '&' } else { '?' };
    note(&mut truth, &world.mock.all(&format!("{list}{mark}range[updated_at]={since},{FUTURE}")));
    assert!(truth.len() > 300, "too little moved: {}", truth.len());
    truth.into_iter().filter(|(id, updated)| seen.get(id) != Some(updated)).count()
}

/// The clock as the API writes it.
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A world in which nine hundred students have moved, and that goes on moving after each page of `list`.
fn restless(options: &[&str]) -> (World, String) {
    let world = World::new(&[&["--students", "2500"], options].concat());
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-users", "users"));
    let since = now();
    for _ in 0..30 {
        world.mock.moves(r#"{"updates": 30}"#);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    stir(&world, STUDENTS, r#""updates": 25"#);
    (world, since)
}

/// Lets the world move after each page of a list, a few dozen times, so that whoever follows it can catch up.
fn stir(world: &World, list: &str, moves: &str) {
    let path = list.split('?').next().unwrap();
    world.mock.switch(&format!(r#"{{"moves_per_page": {{"path": "{path}", "times": 25, {moves}}}}}"#));
}

fn rest(world: &World) {
    world.mock.switch(r#"{"moves_per_page": null}"#);
    std::thread::sleep(std::time::Duration::from_millis(5));
}

/// What everybody writes first: pages 1..n of a window, until one is not full.
fn by_pages(world: &World, query: &str) -> Vec<Value> {
    let pages = (1..).map(|page| world.mock.page(&format!("{STUDENTS}&{query}&per_page=100&page={page}")));
    let mut records = Vec::new();
    for page in pages {
        let full = page.len() == 100;
        records.extend(page);
        if !full {
            break;
        }
    }
    records
}

/// How a walk by pages asks for a window; `{from}` and `{to}` are instants.
struct Naive {
    window: &'static str,
    /// Whether the next window begins where this walk began, or else where it ended.
    from_its_start: bool,
}

/// Rows that a walk by pages never sees, although it looks again when all is quiet.
fn lost_by_pages(naive: &Naive, options: &[&str]) -> usize {
    let (world, since) = restless(options);
    let mut seen = Seen::new();
    let ask =
        |from: &str, to: &str| by_pages(&world, &naive.window.replace("{from}", from).replace("{to}", to));
    let start = now();
    note(&mut seen, &ask(&since, &start));
    rest(&world);
    let next = if naive.from_its_start { start } else { now() };
    note(&mut seen, &ask(&next, &now()));
    lost(&world, STUDENTS, &since, &seen)
}

/// Rows that ours never sees: the real tool, from the newest change it saw on.
fn lost_by_ours(options: &[&str]) -> usize {
    let (world, since) = restless(options);
    let mut seen = Seen::new();
    let follow = |since: &str| world.run("fetch-users", &["users", "--since", since]).expect(0).records();
    note(&mut seen, &follow(&since));
    rest(&world);
    let newest = seen.values().max().unwrap().clone();
    note(&mut seen, &follow(&newest));
    lost(&world, STUDENTS, &since, &seen)
}

fn check(naive: &Naive) {
    let by_pages = lost_by_pages(naive, &[]);
    assert!(by_pages > 0, "{}: a walk by pages lost nothing, so nothing is shown", naive.window);
}

#[test]
fn a_closed_window_loses_rows_in_any_order_by_pages() {
    for sort in ["", "&sort=id", "&sort=-updated_at", "&sort=updated_at,id"] {
        let window: &'static str = format!("range[updated_at]={{from}},{{to}}{sort}").leak();
        check(&Naive { window, from_its_start: true });
    }
}

#[test]
fn an_open_window_loses_rows_by_pages_whichever_way_it_is_sorted() {
    let rising = "range[updated_at]={from},2100-01-01T00:00:00.000Z&sort=updated_at,id";
    check(&Naive { window: rising, from_its_start: true });
    let falling = "range[updated_at]={from},2100-01-01T00:00:00.000Z&sort=-updated_at,id";
    check(&Naive { window: falling, from_its_start: false });
    let patient = Naive { window: falling, from_its_start: true };
    assert_eq!(lost_by_pages(&patient, &[]), 0, "the one walk by pages that is safe");
}

#[test]
fn following_loses_nothing_whatever_moves() {
    for options in [
        &[][..],
        &["--range-ends", "exclusive"],
        &["--fine-times", "on"],
        &["--fine-times", "on", "--range-ends", "exclusive"],
    ] {
        assert_eq!(lost_by_ours(options), 0, "{options:?}");
    }
}

#[test]
fn four_hundred_rows_of_one_instant_are_followed() {
    let world = World::new(&["--students", "1500"]);
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-users", "users"));
    let since = now();
    world.mock.moves(r#"{"updates": 900}"#);
    let mut seen = Seen::new();
    note(&mut seen, &world.run("fetch-users", &["users", "--since", &since]).expect(0).records());
    let mut at = BTreeMap::<&str, usize>::new();
    seen.values().for_each(|updated| *at.entry(updated).or_default() += 1);
    assert!(at.values().any(|rows| *rows > 100), "no instant has more rows than a page: {at:?}");
    assert_eq!(lost(&world, STUDENTS, &since, &seen), 0);
}

/// Everything that hangs on the students moves while it is followed; the order that it needs is granted or not.
fn hanging_rows_lost(options: &[&str]) -> Vec<(&'static str, usize)> {
    let world = World::new(&[&["--students", "1200"], options].concat());
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-users", "users"));
    let since = now();
    for _ in 0..20 {
        world.mock.moves(r#"{"enrolments": 20, "marks": 20, "badges": 20, "memberships": 20}"#);
    }
    let lists = [
        ("cursus_users", "/v2/cursus/21/cursus_users"),
        ("projects_users", "/v2/projects_users?filter[cursus]=21"),
        ("achievements_users", "/v2/achievements_users"),
        ("coalitions_users", "/v2/coalitions_users"),
    ];
    let follow =
        |table: &str, since: &str| world.run("fetch-users", &[table, "--since", since]).expect(0).records();
    let lost_of = |(table, list): (&'static str, &str)| {
        stir(&world, list, r#""enrolments": 6, "marks": 6, "badges": 6, "memberships": 6"#);
        let mut seen = Seen::new();
        note(&mut seen, &follow(table, &since));
        rest(&world);
        let newest = seen.values().max().unwrap().clone();
        note(&mut seen, &follow(table, &newest));
        (table, lost(&world, list, &since, &seen))
    };
    lists.map(lost_of).to_vec()
}

#[test]
fn what_hangs_on_the_students_is_followed_whether_or_not_the_sort_is_granted() {
    for options in [
        &[][..],
        &["--projects-users-sort", "refuse", "--projects-users-order", "shuffle"],
        &["--projects-users-sort", "refuse", "--fine-times", "on", "--range-ends", "exclusive"],
    ] {
        let lost = hanging_rows_lost(options);
        assert!(lost.iter().all(|(_, rows)| *rows == 0), "{options:?}: {lost:?}");
    }
}

fn ids(records: &[Value]) -> Vec<i64> {
    records.iter().map(|record| record["id"].as_i64().unwrap()).collect()
}

/// Students who are still there and are not among these ids.
fn missing(world: &World, seen: &[i64]) -> usize {
    let seen: HashSet<i64> = seen.iter().copied().collect();
    ids(&world.mock.all(STUDENTS)).iter().filter(|id| !seen.contains(id)).count()
}

#[test]
fn a_full_walk_loses_rows_by_pages_when_somebody_leaves_and_ours_reads_again() {
    let world = World::new(&["--students", "4000"]);
    stir(&world, STUDENTS, r#""departures": 4"#);
    let naive = ids(&by_pages(&world, "sort=-id"));
    assert!(missing(&world, &naive) > 0, "nobody was skipped, so nothing is shown");

    rest(&world);
    drop(world.mirror("fetch-cursus", "campus"));
    let left = || world.mock.moved()["departures"].as_u64().unwrap();
    let before = left();
    stir(&world, STUDENTS, r#""departures": 4"#);
    drop(world.run("fetch-users", &["--export", "--force", "users"]).expect(0));
    assert_eq!(left() - before, 100, "all left while it walked");
    let export = world.workdir.read("exports/08_users/cursus_21/all.ndjson");
    let ours: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(missing(&world, &ids(&ours)), 0);
}

#[test]
fn rows_that_come_at_the_head_are_only_read_twice() {
    let world = World::new(&["--students", "2500"]);
    drop(world.mirror("fetch-cursus", "campus"));
    let before = ids(&world.mock.all(STUDENTS));
    stir(&world, STUDENTS, r#""newcomers": 3"#);
    let naive = ids(&by_pages(&world, "sort=-id"));
    let distinct: HashSet<i64> = naive.iter().copied().collect();
    assert!(distinct.len() < naive.len(), "nothing was pushed down a page");
    assert!(before.iter().all(|id| distinct.contains(id)), "by pages too");

    rest(&world);
    stir(&world, STUDENTS, r#""newcomers": 3"#);
    drop(world.mirror("fetch-users", "users"));
    let held: HashSet<i64> = ids(&world.database.rows("SELECT id FROM users")).into_iter().collect();
    assert!(before.iter().all(|id| held.contains(id)));
    rest(&world);
    drop(world.mirror("fetch-users", "users"));
    world.assert_mirrored("users");
}
