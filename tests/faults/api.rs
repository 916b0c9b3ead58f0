//! An API that gives no more, for now.

use crate::fault::{Fault, nightly};
use end_to_end::World;

#[test]
fn a_nightly_that_uses_the_hour_up_stops_and_goes_on_where_it_was() {
    let mut world = World::new(&["--students", "400", "--per-hour", "20"]);
    world.workdir.set("MAX_WAIT_SECONDS", "1");
    world.workdir.set("HOUR_SHARE", "1");
    let (tables, mut fault) = (["cursus", "campuses", "users"], Fault::of(23));
    let run = nightly(&world, &tables).expect(75);
    assert!(run.stderr.contains("quota") || run.stderr.contains("hour"), "{run:#?}");
    let first = world.mock.count("calls");
    assert!(first <= 20, "{first} calls of an hour of 20");
    assert_eq!((world.mock.count("throttled"), world.rows("users")), (0, 0));
    fault.happened(1);
    // The next hour.
    world.mock.switch(r#"{"per_hour": 100000}"#);
    world.workdir.set("STATE_DIR", &world.workdir.path("state/next").display().to_string());
    let run = nightly(&world, &tables).expect(0);
    assert!(run.stderr.is_empty(), "{run:#?}");
    let lists = world.mock.all("/v2/campus").len() as u64;
    let calls = world.mock.count("calls");
    assert!(calls <= lists + 400 / 100 + 10, "{calls} calls: what was fetched is not fetched again");
    fault.survived(&world, &tables);
}
