//! A fourteenth resource is one file: tables, references, loads and quarantine follow from it.

use crate::mirror::Mirror;
use serde_json::json;

const FOURTEENTH: &str = r#"
about = "Events at a campus"
table = "order"
group = "cursus"
key = ["campus_id", "user"]
columns = [
    { name = "campus_id", type = "bigint", null = false, references = "campuses" },
    { name = "user", type = "text", null = false },
    { name = "end", type = "timestamptz", index = true },
    { name = "kind", type = "text", one_of = ["it's", "b"] },
]
[fetch]
path = "/v2/events"
"#;

/// A mirror whose catalog has another file.
fn grown() -> Mirror {
    let mut mirror = Mirror::without_tables();
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../catalog/resources");
    for entry in std::fs::read_dir(built_in).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        mirror.workdir.write(&format!("catalog/{name}"), &std::fs::read_to_string(&path).unwrap());
    }
    mirror.workdir.write("catalog/14_events.toml", FOURTEENTH);
    let folder = mirror.workdir.path("catalog").display().to_string();
    mirror.workdir.set("CATALOG_DIR", &folder);
    mirror
}

#[test]
fn a_fourteenth_resource_is_one_file_reserved_words_and_all() {
    let mirror = grown();
    let _made = mirror.workdir.run("init-db", &[]).expect(0);
    let _same = mirror.workdir.run("init-db", &["--check"]).expect(0);
    let input = "{\"campus_id\": 1, \"user\": \"a, b\", \"end\": null, \"kind\": \"it's\"}\n{\"campus_id\": 1, \"user\": \"c\"}\n";
    assert_eq!(mirror.feed(&["events"], input).expect(3).json()["quarantined"], 2);
    let key = mirror.value("SELECT record_key FROM ops.quarantine ORDER BY 1 LIMIT 1");
    assert_eq!(key, r#"[1, "a, b"]"#);
    assert_eq!(mirror.load("campus", r#"{"id": 1}"#)["released_elsewhere"], json!({"order": 2}));
    assert_eq!(mirror.load("order", input)["unchanged"], 2);
    let changed = "{\"campus_id\": 1, \"user\": \"c\", \"end\": \"2025-01-01\"}\n{\"campus_id\": 1, \"user\": \"c\", \"kind\": \"b\"}\n";
    let summary = mirror.load("order", changed);
    assert_eq!((&summary["updated"], &summary["duplicates"]), (&json!(1), &json!(1)));
}

#[test]
fn a_value_that_was_unknown_is_released_when_the_catalog_learns_it() {
    let mirror = grown();
    let _made = mirror.workdir.run("init-db", &[]).expect(0);
    mirror.load("campus", r#"{"id": 1}"#);
    let _unknown = mirror
        .feed(&["events", "--max-rejects", "1"], r#"{"campus_id": 1, "user": "x", "kind": "new"}"#)
        .expect(3);
    mirror.workdir.write("catalog/14_events.toml", &FOURTEENTH.replace(r#""b"]"#, r#""b", "new"]"#));
    let made = mirror.workdir.run("init-db", &[]).expect(0);
    assert!(made.stderr.contains("replaced constraint order_kind_check"), "{made:#?}");
    let summary = mirror.load("events", "");
    assert_eq!((&summary["released"], &summary["inserted"]), (&json!(1), &json!(1)));
    assert_eq!(mirror.count("ops.quarantine"), 0);
}
