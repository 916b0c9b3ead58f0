//! CSV with a header instead of NDJSON.

use crate::mirror::{Mirror, campuses};
use serde_json::json;

#[test]
fn cells_are_typed_and_an_empty_cell_is_null() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    let table = "id,login,wallet,active,campus_id,image,updated_at,first_name\r\n\
        10,ann,5,true,1,\"{\"\"link\"\": null}\",2025-06-01T00:00:00Z,\"Ann, \"\"A\"\"\nB\"\r\n\
        11,bob,,f,,,2025-06-01 00:00:00+00,\"\"\r\n";
    let summary = mirror.feed(&["users", "--csv"], table).expect(0).json();
    assert_eq!(summary["inserted"], 2);
    let rows = mirror
        .database
        .rows("SELECT id, login, wallet, active, campus_id, image, first_name FROM users ORDER BY id");
    let first = json!({"id": 10, "login": "ann", "wallet": 5, "active": true, "campus_id": 1, "image": {"link": null}, "first_name": "Ann, \"A\"\nB"});
    let second = json!({"id": 11, "login": "bob", "wallet": null, "active": false, "campus_id": null, "image": null, "first_name": null});
    assert_eq!(rows, [first, second]);
    assert_eq!(mirror.feed(&["users", "--csv"], table).expect(0).json()["unchanged"], 2);
    // Columns that are not in the header are left alone.
    let _moved = mirror.feed(&["users", "--csv"], "id,wallet\n10,6\n").expect(0);
    assert_eq!(mirror.value("SELECT login || wallet FROM users WHERE id = 10"), "ann6");
}

#[test]
fn what_the_database_writes_as_csv_can_be_loaded_again() {
    let mirror = Mirror::new();
    mirror.load(
        "coalitions",
        "{\"id\": 1, \"name\": \"a\\tb\", \"score\": 7}\n{\"id\": 2, \"color\": \" #fff\"}\n",
    );
    let mut client = mirror.database.connect();
    let mut dump = String::new();
    let copy = "COPY (SELECT * FROM coalitions) TO STDOUT (FORMAT csv, HEADER)";
    std::io::Read::read_to_string(&mut client.copy_out(copy).unwrap(), &mut dump).unwrap();
    let summary = mirror.feed(&["coalitions", "--csv"], &dump).expect(0).json();
    assert_eq!((&summary["unchanged"], &summary["read"]), (&json!(2), &json!(2)));
}

#[test]
fn a_cell_that_does_not_fit_waits_and_is_typed_when_the_catalog_can() {
    let mirror = Mirror::new();
    let table = "id,name,kind\n21,42cursus,main\n22,other,brand_new\n";
    let summary = mirror.feed(&["cursus", "--csv", "--max-rejects", "1"], table).expect(3).json();
    assert_eq!((&summary["inserted"], &summary["rejected"]), (&json!(1), &json!(1)));
    let aside = mirror.database.rows("SELECT row, record, reason FROM ops.quarantine").remove(0);
    assert_eq!(
        (&aside["row"], &aside["record"]),
        (&json!({"id": "22", "name": "other", "kind": "brand_new"}), &json!(null))
    );
    assert!(
        aside["reason"].as_str().unwrap().starts_with("line 3, column kind: `brand_new` is none of main, ")
    );
    mirror.database.execute("UPDATE ops.quarantine SET row = row || '{\"kind\": \"test\"}'");
    let summary = mirror.load("cursus", "");
    assert_eq!((&summary["released"], &summary["inserted"]), (&json!(1), &json!(1)));
    assert_eq!(mirror.value("SELECT kind FROM cursus WHERE id = 22"), "test");
}

#[test]
fn a_header_that_is_no_table_is_refused() {
    let mirror = Mirror::new();
    let refused = mirror.feed(&["users", "--csv"], "id;login\n1;ann\n").expect(65);
    let _told = refused
        .complains(&["users: stdin header: `id;login` is no column of the table; there are id, email"]);
    let _short =
        mirror.feed(&["users", "--csv"], "id,login\n1\n").expect(65).complains(&["stdin line 2: 1 cells"]);
    let _both = mirror.feed(&["users", "--csv", "--export"], "").expect(2);
}
