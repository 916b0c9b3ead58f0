//! What moved in a window.

use super::Mirror;

#[test]
fn live_is_what_the_loads_of_the_window_did() {
    let mirror = Mirror::new();
    mirror.database.execute(
        r#"UPDATE ops.loads SET finished_at = finished_at - interval '2 hours', started_at = started_at - interval '2 hours'
           WHERE table_name <> 'cursus';
           INSERT INTO ops.loads (table_name, source, kind, started_at, finished_at, read, inserted, updated, unchanged, deleted,
               quarantined, released, rejected, out_of_scope, duplicates, stale, cascaded, seconds)
           SELECT name, 's', 'changes', now() - began, now() - ended, 9, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, cascaded::jsonb, 1
           FROM (VALUES ('users', interval '5 hours', interval '10 s', '{"campuses": 7}'), ('users', '20 s', '19 s', '{}'),
               ('projects', '700 s', '650 s', '{}')) AS v(name, began, ended, cascaded)"#,
    );
    let window = mirror.workdir.run("pipeline-status", &["live", "600", "--json"]).expect(0).json();
    let tables = window["tables"].as_array().unwrap();
    let names: Vec<_> = tables.iter().map(|table| table["table"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["campuses", "cursus", "users"],
        "a load of hours counts when it ends; one that ended before does not"
    );
    assert_eq!((tables[0]["loads"].as_i64(), tables[0]["deleted"].as_i64()), (Some(0), Some(7)));
    let users = ["loads", "inserted", "updated", "deleted", "quarantined"]
        .map(|key| tables[2][key].as_i64().unwrap());
    assert_eq!(users, [2, 2, 4, 8, 10]);
    let line = mirror.workdir.run("pipeline-status", &["live", "600", "--compact"]).expect(0).stdout;
    assert!(
        line.contains(" 3 loads: campuses +0 ~0 -7, cursus +") && line.ends_with(", users +2 ~4 -8\n"),
        "{line}"
    );
    let table = mirror.workdir.run("pipeline-status", &["live", "600"]).expect(0).stdout;
    assert!(table.contains("users") && !table.contains("projects"), "{table}");
}
