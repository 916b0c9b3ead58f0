//! The limit of the real API, two calls a second. Alone in its program: a call that the machine sends 50 ms late may
//! meet the one after the next in the same second.

use end_to_end::World;

/// What the mock counted while two processes fetched at once.
fn fetch_at_once() -> (u64, u64, u64) {
    let world =
        World::new(&["--students", "60", "--per-second", "2", "--per-hour", "1200", "--latency", "150"]);
    drop(world.run("fetch-cursus", &["--export", "campus"]).expect(0));
    let line = "fetch-users --export users & fetch-cursus --export --force coalitions achievements; wait $!";
    drop(world.workdir.shell(line).expect(0));
    for table in ["campuses", "users", "coalitions", "achievements"] {
        drop(world.load(table));
        world.assert_mirrored(table);
    }
    (
        world.mock.count("throttled"),
        world.mock.count("limit_violations"),
        world.mock.count("max_in_any_second"),
    )
}

#[test]
fn two_processes_at_once_share_two_calls_a_second() {
    // A pace that is wrong is wrong each time; a machine that stood still is not.
    let tries: Vec<_> = (0..3).map(|_| fetch_at_once()).take_while(|counted| *counted != (0, 0, 2)).collect();
    assert!(tries.len() < 3, "429s, violations, most in a second: {tries:?}");
}
