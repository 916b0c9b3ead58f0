//! What init-db makes.

use testkit::{Database, Run, Workdir, assert_golden};

const THINGS: &str = r#"
about = "Things"
table = "things"
group = "cursus"
key = ["id"]
columns = [
    { name = "id", type = "bigint", null = false },
    { name = "kind", type = "text", one_of = ["a", "b"] },
]
[fetch]
path = "/v2/things"
"#;

pub(crate) struct Rig {
    pub(crate) database: Database,
    pub(crate) workdir: Workdir,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let (database, mut workdir) = (Database::create(), Workdir::new());
        workdir.set("DATABASE_URL", &database.url());
        Self { database, workdir }
    }

    pub(crate) fn init(&self, arguments: &[&str]) -> Run {
        self.workdir.run("init-db", arguments)
    }

    /// Replaces the catalog by one resource.
    fn catalog(&mut self, text: &str) {
        self.workdir.write("catalog/01_things.toml", text);
        let folder = self.workdir.path("catalog").display().to_string();
        self.workdir.set("CATALOG_DIR", &folder);
    }

    fn says(&self, words: &str) {
        let run = self.init(&[]).expect(0);
        assert_eq!(run.stderr, format!("init-db: {words}\n"));
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn the_sql_of_an_empty_database_is_printed_without_one() {
    let printed = Workdir::new().run("init-db", &["--print"]).expect(0).stdout;
    assert_golden("crates/init-db/tests/schema/schema.sql", &printed);
}

#[test]
fn the_printed_sql_makes_what_init_db_makes() {
    let rig = Rig::new();
    rig.database.execute(&rig.init(&["--print"]).expect(0).stdout);
    assert_eq!(rig.init(&["--check"]).expect(0).stdout, "");
    rig.says("up to date");
}

#[test]
fn the_second_run_finds_nothing_to_do_and_writes_nothing() {
    let rig = Rig::new();
    rig.says("created 23 tables");
    let catalogs = "SELECT string_agg(md5(xmin::text || ctid::text), '' ORDER BY oid) FROM pg_class";
    let before = rig.database.value(catalogs);
    rig.says("up to date");
    assert_eq!(rig.database.value(catalogs), before);
    assert_eq!(rig.init(&["--check"]).expect(0).stdout, "");
}

#[test]
fn two_at_once_are_fine() {
    let rig = Rig::new();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| drop(rig.init(&[]).expect(0)));
        }
    });
    rig.says("up to date");
}

#[test]
fn a_column_an_index_and_a_value_added_to_a_file_appear() {
    let mut rig = Rig::new();
    rig.catalog(THINGS);
    rig.says("created 11 tables");
    rig.database.execute("INSERT INTO things VALUES (1, 'a')");
    let grown = THINGS.replace(
        "    { name = \"kind\"",
        "    { name = \"size\", type = \"integer\", index = true },\n    { name = \"kind\"",
    );
    rig.catalog(&grown.replace(r#""b"]"#, r#""b", "it's"]"#));
    let check = rig.init(&["--check"]).expect(1).stdout;
    for line in
        ["things: column size is missing; init-db mends that", "things: index things_size_idx is missing"]
    {
        assert!(check.contains(line), "{check}");
    }
    rig.says(
        "added column things.size, replaced constraint things_kind_check, created index things_size_idx",
    );
    rig.database.execute("INSERT INTO things (id, kind, size) VALUES (2, 'it''s', 3)");
    assert_eq!(rig.init(&["--check"]).expect(0).stdout, "");
    // Fewer values than rows use: the rows are in the way.
    rig.catalog(&grown.replace(r#"["a", "b"]"#, r#"["a"]"#));
    let words =
        ["things: constraint things_kind_check", "nothing was changed", "SELECT * FROM things WHERE NOT"];
    let refused = rig.init(&[]).expect(65).complains(&words);
    let query = refused.stderr.split("see them with: ").nth(1).unwrap().trim().to_owned();
    assert_eq!(rig.database.rows(&query).len(), 1);
}

#[test]
fn rows_that_violate_a_reference_are_shown() {
    let rig = Rig::new();
    let _made = rig.init(&[]).expect(0);
    rig.database.execute("ALTER TABLE users DROP CONSTRAINT users_campus_id_fkey; INSERT INTO users (id, campus_id) VALUES (1, 9)");
    let refused = rig.init(&[]).expect(65).complains(&["users: constraint users_campus_id_fkey is missing"]);
    let query = refused.stderr.split("see them with: ").nth(1).unwrap().trim().to_owned();
    assert_eq!(rig.database.rows(&query).len(), 1);
}

#[test]
fn what_went_missing_is_made_again() {
    let rig = Rig::new();
    let _made = rig.init(&[]).expect(0);
    rig.database.execute(
        "DROP TABLE coalitions_users; DROP INDEX users_login_idx; ALTER TABLE users DROP COLUMN wallet;
         ALTER TABLE users ALTER ingested_at DROP DEFAULT; ALTER TABLE users ALTER login SET NOT NULL;
         ALTER TABLE ops.loads DROP COLUMN scope; DROP TABLE ops.watermarks; COMMENT ON TABLE cursus IS NULL;
         ALTER TABLE projects_users DROP CONSTRAINT projects_users_user_id_fkey,
            ADD CONSTRAINT projects_users_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)",
    );
    assert_eq!(rig.init(&["--check"]).expect(1).stdout.lines().count(), 9);
    let _mended = rig.init(&[]).expect(0);
    assert_eq!(rig.init(&["--check"]).expect(0).stdout, "");
}

#[test]
fn every_reserved_word_of_the_server_is_one_that_we_quote() {
    let rig = Rig::new();
    let words =
        rig.database.rows("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T') ORDER BY 1");
    let words: Vec<&str> = words.iter().map(|row| row["word"].as_str().unwrap()).collect();
    assert!(words.len() > 90);
    for words in words.chunks(60) {
        let mut rig = Rig::new();
        let columns: String =
            words.iter().map(|word| format!("    {{ name = \"{word}\", type = \"text\" }},\n")).collect();
        rig.catalog(&THINGS.replace("    { name = \"kind\"", &format!("{columns}    {{ name = \"kind\"")));
        let _made = rig.init(&[]).expect(0);
        assert_eq!(rig.init(&["--check"]).expect(0).stdout, "");
    }
}

#[test]
fn a_wrong_command_line_or_catalog_is_told() {
    let mut rig = Rig::new();
    let _both = rig.init(&["--print", "--check"]).expect(2);
    rig.catalog(&THINGS.replace("about", "abuot"));
    let _catalog = rig
        .init(&["--print"])
        .expect(78)
        .complains(&["catalog 01_things.toml, line 2: unknown field `abuot`"]);
    let _nowhere = Workdir::new().run("init-db", &[]).expect(78).complains(&["DATABASE_URL"]);
}
