use super::*;

fn table() -> Table {
    let column = |name: &str, not_null| Column {
        name: name.to_owned(),
        kind: "bigint".to_owned(),
        not_null,
        filled: String::new(),
    };
    Table {
        name: "things".to_owned(),
        comment: format!("{MARK}01_things: things"),
        columns: vec![column("id", true), column("size", false)],
        constraints: vec![
            Constraint { name: "things_pkey".to_owned(), definition: "PRIMARY KEY (id)".to_owned() },
            Constraint { name: "things_size_check".to_owned(), definition: "CHECK ((size = 1))".to_owned() },
        ],
        indexes: vec![Index { name: "things_size_idx".to_owned(), definition: "(size)".to_owned() }],
    }
}

/// The only change between the table and what became of it.
fn only(change: impl FnOnce(&mut Table)) -> Change {
    let mut live = table();
    change(&mut live);
    let changes = between(&[table()], &[live]);
    let [change] = changes.as_slice() else { panic!("one change is wanted: {changes:?}") };
    change.clone()
}

fn mends(change: &Change) -> bool {
    matches!(change.how, How::Mend { .. })
}

#[test]
fn equal_tables_need_nothing() {
    assert_eq!(between(&[table()], &[table()]), vec![]);
}

#[test]
fn parentheses_that_a_release_of_postgresql_leaves_out_make_no_difference() {
    let mut live = table();
    live.constraints[1].definition = "CHECK (size = 1)".to_owned();
    live.indexes[0].definition = "((size))".to_owned();
    assert_eq!(between(&[table()], &[live]), vec![]);
}

#[test]
fn what_is_missing_is_made() {
    let change = only(|live| drop(live.columns.pop()));
    assert!(mends(&change));
    assert_eq!(change.statement, "ALTER TABLE things ADD COLUMN size bigint");
    assert_eq!(only(|live| live.indexes.clear()).statement, "CREATE INDEX things_size_idx ON things (size)");
    assert!(only(|live| drop(live.constraints.pop())).statement.contains("ADD CONSTRAINT things_size_check"));
    assert!(between(&[table()], &[])[0].statement.starts_with("CREATE TABLE things"));
}

#[test]
fn a_check_of_other_values_is_replaced_in_one_statement() {
    let change = only(|live| live.constraints[1].definition = "CHECK ((size = 2))".to_owned());
    let expected = "ALTER TABLE things DROP CONSTRAINT things_size_check, ADD CONSTRAINT things_size_check CHECK ((size = 1))";
    assert_eq!(change.statement, expected);
    let obstacles = "SELECT * FROM things WHERE NOT ((size = 1))".to_owned();
    let done = "replaced constraint things_size_check".to_owned();
    assert_eq!(change.how, How::Mend { done, obstacles: Some(obstacles) });
}

#[test]
fn nothing_that_holds_data_is_dropped_or_retyped() {
    for change in [
        only(|live| live.columns[1].kind = "text".to_owned()),
        only(|live| live.columns.push(Column { name: "more".to_owned(), ..live.columns[1].clone() })),
        only(|live| live.indexes[0].definition = "(id)".to_owned()),
        only(|live| live.indexes.push(Index { name: "mine".to_owned(), definition: "(id)".to_owned() })),
        only(|live| live.constraints[0].definition = "PRIMARY KEY (size)".to_owned()),
    ] {
        assert_eq!(change.how, How::Drift, "{change:?}");
    }
    let stranger = Table { name: "strangers".to_owned(), comment: "mine".to_owned(), ..table() };
    assert_eq!(between(&[table()], &[table(), stranger.clone()]), vec![]);
    let ours = Table { comment: format!("{MARK}02_gone: gone"), ..stranger };
    assert_eq!(between(&[table()], &[table(), ours])[0].statement, "DROP TABLE strangers");
}

#[test]
fn a_rule_that_the_catalog_has_no_more_goes() {
    let rule = Constraint { name: "things_id_check".to_owned(), definition: "CHECK ((id = 1))".to_owned() };
    assert!(mends(&only(|live| live.constraints.push(rule))));
    assert!(mends(&only(|live| live.columns[1].not_null = true)));
    assert!(mends(&only(|live| live.columns[0].not_null = false)));
}
