//! What init-db leaves to a person, with the statement that ends it.

use crate::growth::Rig;

#[test]
fn differences_that_hold_data_are_left_with_their_statements_and_the_rest_is_done() {
    let rig = Rig::new();
    let _made = rig.init(&[]).expect(0);
    rig.database.execute(
        "ALTER TABLE users ALTER wallet TYPE bigint, ADD COLUMN nickname text; CREATE INDEX mine ON users (pool_year);
         CREATE TABLE old (id int); COMMENT ON TABLE old IS 'mirror42 14_old: gone from the catalog';
         CREATE TABLE stranger (id int); ALTER TABLE cursus DROP COLUMN kind; INSERT INTO users (id, wallet) VALUES (1, 5)",
    );
    let run = rig.init(&[]).expect(1);
    assert!(run.stderr.contains("added column cursus.kind"), "{run:#?}");
    for line in [
        "users: column wallet is bigint, not integer; init-db leaves that to you: ALTER TABLE users ALTER COLUMN wallet TYPE integer USING wallet::integer",
        "users: the catalog has no column nickname; init-db leaves that to you: ALTER TABLE users DROP COLUMN nickname",
        "users: the catalog has no index mine; init-db leaves that to you: DROP INDEX mine",
        "old: no file of the catalog describes this table; init-db leaves that to you: DROP TABLE old",
    ] {
        assert!(run.stderr.contains(line), "{line}: {run:#?}");
    }
    assert!(!run.stderr.contains("stranger"), "{run:#?}");
    let check = rig.init(&["--check"]).expect(1).stdout;
    assert_eq!(check.lines().count(), 4, "{check}");
    // The statements are what they promise.
    for line in check.lines() {
        rig.database.execute(line.split("leaves that to you: ").nth(1).unwrap());
    }
    assert_eq!(rig.init(&["--check"]).expect(0).stdout, "");
    assert_eq!(rig.database.value("SELECT wallet FROM users"), "5");
}

#[test]
fn a_check_changes_nothing() {
    let rig = Rig::new();
    let check = rig.init(&["--check"]).expect(1).stdout;
    assert_eq!(check.lines().count(), 23);
    assert!(
        check.lines().all(|line| line.ends_with(": the table is missing; init-db mends that")),
        "{check}"
    );
    assert_eq!(rig.database.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'ops'"), "0");
}
