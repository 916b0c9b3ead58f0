//! A fourteenth resource is one file: fetched, typed, referenced and loaded without a line of code.

use end_to_end::World;
use testkit::{Database, Mock, Workdir};

const CAMPUS_USERS: &str = r#"
about = "Which student is at which campus, also in second place"
table = "campus_users"
group = "users"
key = ["id"]
version = "updated_at"
columns = [
    { name = "id", type = "bigint", null = false },
    { name = "user_id", type = "bigint", null = false, references = "users", index = true },
    { name = "campus_id", type = "bigint", null = false, references = "campuses", index = true },
    { name = "is_primary", type = "boolean" },
    { name = "updated_at", type = "timestamptz" },
]
[fetch]
path = "/v2/campus_users"
[fetch.each]
of = "users"
by = "filter[user_id]"
batch = 100
"#;

#[test]
fn one_file_is_enough() {
    let mock = Mock::start(&["--students", "300"]);
    let database = Database::create();
    let mut workdir = Workdir::with(&mock, &database);
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/catalog/resources");
    for entry in std::fs::read_dir(built_in).unwrap() {
        let path = entry.unwrap().path();
        workdir.write(
            &format!("catalog/{}", path.file_name().unwrap().display()),
            &std::fs::read_to_string(&path).unwrap(),
        );
    }
    workdir.write("catalog/14_campus_users.toml", CAMPUS_USERS);
    workdir.set("CATALOG_DIR", &workdir.path("catalog").display().to_string());
    let world = World { mock, database, workdir };

    drop(world.run("init-db", &[]).expect(0));
    drop(world.run("init-db", &["--check"]).expect(0));
    drop(world.mirror("fetch-cursus", "campus"));
    drop(world.mirror("fetch-users", "users"));
    let summary = world.mirror("fetch-users", "campus_users");

    let users: Vec<_> =
        world.database.rows("SELECT id FROM users").iter().map(|row| row["id"].clone()).collect();
    let links = world.mock.all("/v2/campus_users");
    let expected = links.iter().filter(|link| users.contains(&link["user_id"])).count() as u64;
    assert_eq!(summary["inserted"].as_u64(), Some(expected), "{summary}");
    assert_eq!(world.rows("campus_users"), expected);
    assert!(expected >= 300);
    let same = "SELECT count(*) FROM campus_users c JOIN users u ON u.id = c.user_id AND u.campus_id = c.campus_id WHERE is_primary";
    assert_eq!(world.database.value(same), world.rows("users").to_string());
}

#[test]
fn a_catalog_that_makes_no_sense_is_refused_by_every_tool() {
    let mut workdir = Workdir::new();
    workdir.write("catalog/01_campus_users.toml", CAMPUS_USERS);
    workdir.set("CATALOG_DIR", &workdir.path("catalog").display().to_string());
    for (tool, arguments) in [
        ("init-db", ["--print"].as_slice()),
        ("load-table", &["campus_users", "--export"]),
        ("fetch-users", &["--export"]),
        ("fetch-cursus", &["--export"]),
    ] {
        let run = workdir.run(tool, arguments).expect(78);
        drop(run.complains(&[tool, "01_campus_users: refers to the table `"]));
    }
}
