use super::*;
use catalog::Catalog;

const THINGS: &str = r#"
about = "things"
table = "things"
group = "cursus"
key = ["id"]
columns = [
    { name = "id", type = "bigint", null = false },
    { name = "size", type = "integer" },
    { name = "weight", type = "double precision" },
    { name = "name", type = "text", from = "/naming/name" },
    { name = "kind", type = "text", one_of = ["a", "b"] },
    { name = "open", type = "boolean", from = "/open?" },
    { name = "seen_at", type = "timestamptz" },
    { name = "more", type = "jsonb" },
]
[fetch]
path = "/v2/things"
[scope]
"/kind" = "a"
"#;

fn catalog() -> Catalog {
    Catalog::parse(&[("01_things.toml", THINGS)]).unwrap()
}

fn read(line: &str) -> Result<Outcome, NoRecord> {
    let catalog = catalog();
    Converter::new(&catalog.resources()[0]).line(line, &mut Fields::default())
}

/// The reason for which a record with this member beside a good id is rejected.
fn complaint(member: &str) -> String {
    match read(&format!(r#"{{"id": 1, {member}}}"#)) {
        Ok(Outcome::Rejected { reason, keyed: true }) => reason,
        other => panic!("{member} should be rejected: {other:?}"),
    }
}

fn absent(line: &str) -> i64 {
    match read(line) {
        Ok(Outcome::Typed { absent }) => absent,
        other => panic!("{line} should be a row: {other:?}"),
    }
}

#[test]
fn absent_and_null_are_two_things() {
    assert_eq!(absent(r#"{"id": 1}"#), 0b1111_1110);
    let all = r#"{"id": 1, "size": null, "weight": null, "naming": null, "kind": "a", "open?": false, "seen_at": null, "more": null}"#;
    assert_eq!(absent(all), 0);
    assert_eq!(absent(r#"{"id": 1, "naming": {}}"#), 0b1111_1110);
    assert_eq!(absent(r#"{"id": 1, "naming": {"name": ""}}"#), 0b1111_0110);
}

#[test]
fn values_fit_their_columns_or_say_why_not() {
    for member in [
        r#""size": 5.0"#,
        r#""size": -2147483648"#,
        r#""weight": 3"#,
        r#""naming": {"name": 42}"#,
        r#""naming": {"name": {}}"#,
    ] {
        absent(&format!(r#"{{"id": 1, {member}}}"#));
    }
    assert_eq!(complaint(r#""size": 3000000000"#), "column size: 3000000000 is out of range for integer");
    assert_eq!(complaint(r#""size": 1.5"#), "column size: 1.5 is no integer");
    assert_eq!(
        complaint(r#""size": 23456789012345678901234"#),
        "column size: 2.3456789012345677e+22 is out of range for integer"
    );
    assert_eq!(complaint(r#""size": "Ann""#), "column size: a text is no integer");
    assert_eq!(complaint(r#""weight": true"#), "column weight: true or false is no double precision");
    assert_eq!(complaint(r#""naming": "x""#), "column name: there is no object around `name`");
    assert_eq!(complaint(r#""naming": {"name": [1]}"#), "column name: an array is no text");
    assert_eq!(
        complaint(r#""naming": {"name": "a\u0000b"}"#),
        "column name: \\u0000 in a text, which PostgreSQL cannot hold"
    );
    assert_eq!(
        complaint(r#""naming": {"name": 23456789012345678901234}"#),
        "column name: a number of too many digits"
    );
    assert_eq!(complaint(r#""open?": 1"#), "column open: a number is no boolean");
    assert_eq!(complaint(r#""seen_at": "soon""#), "column seen_at: a text that is no timestamp");
    assert_eq!(
        complaint(r#""more": {"a": ["\u0000"]}"#),
        "column more: \\u0000 in a text, which PostgreSQL cannot hold"
    );
    assert_eq!(
        complaint(r#""more": {"\u0000": 1}"#),
        "column more: \\u0000 in a text, which PostgreSQL cannot hold"
    );
    absent(r#"{"id": 1, "more": "a\\u0000"}"#);
}

#[test]
fn a_value_that_the_catalog_does_not_know_is_named_when_it_is_a_word() {
    let catalog = Catalog::parse(&[("01_things.toml", THINGS.split("[scope]").next().unwrap())]).unwrap();
    let converter = Converter::new(&catalog.resources()[0]);
    let reason = |line| match converter.line(line, &mut Fields::default()) {
        Ok(Outcome::Rejected { reason, .. }) => reason,
        other => panic!("{line} should be rejected: {other:?}"),
    };
    assert_eq!(reason(r#"{"id": 1, "kind": "c"}"#), "column kind: `c` is none of a, b");
    assert_eq!(reason(r#"{"id": 1, "kind": "Ann@x"}"#), "column kind: a text is none of a, b");
}

#[test]
fn a_record_without_a_readable_key_is_rejected_without_one() {
    for line in ["{}", r#"{"id": null}"#, r#"{"id": "1"}"#, r#"{"id": 9223372036854775808}"#] {
        assert!(matches!(read(line), Ok(Outcome::Rejected { keyed: false, .. })), "{line}");
    }
    assert_eq!(read("{}"), Ok(Outcome::Rejected { reason: "column id: missing".to_owned(), keyed: false }));
    assert_eq!(complaint(r#""size": 1e400"#), "column size: number out of range");
    assert!(complaint(r#""more": "\ud800""#).starts_with("column more: "));
    assert!(complaint(r#""naming": {"name": "\ud800"}"#).starts_with("column name: "));
    // What no column wants may say what it likes.
    absent(r#"{"id": 1, "other": 1e400, "another": "\ud800"}"#);
}

#[test]
fn a_line_that_is_no_object_is_no_record() {
    let problem = |line| read(line).unwrap_err();
    assert_eq!(problem("<html>").column, 1);
    assert_eq!(problem("<html>").problem, "not JSON (expected value): the input was cut or is no NDJSON");
    assert!(problem(r#"{"id": 1, "na"#).problem.contains("EOF while parsing a string"));
    assert!(problem(r#"[{"id": 1}]"#).problem.contains("jq -c '.[]'"));
    assert!(problem(r#"[{"id": 1},"#).problem.contains("jq -c '.[]'"));
    assert!(problem("{").problem.contains("jq -c ."));
    assert!(problem("1").problem.contains("single value"));
    assert!(problem(r#"{"id": 1, "\ud800": 2}"#).problem.contains("a name that is no text"));
    assert!(problem(r#"{"id": 1} {"id": 2}"#).problem.contains("trailing characters"));
}

#[test]
fn a_record_that_carries_the_evidence_is_out_of_scope() {
    assert_eq!(read(r#"{"id": 1, "kind": "b"}"#), Ok(Outcome::OutOfScope));
    assert_eq!(read(r#"{"id": 1, "kind": null}"#), Ok(Outcome::OutOfScope));
    assert!(matches!(read(r#"{"id": 1}"#), Ok(Outcome::Typed { .. })));
}

#[test]
fn cells_are_read_as_the_api_would_have_sent_them() {
    let catalog = catalog();
    let converter = Converter::new(&catalog.resources()[0]);
    let read = |cells: &str| {
        let Value::Object(cells) = serde_json::from_str(cells).unwrap() else {
            panic!("{cells} is no object")
        };
        converter.cells(&cells, &mut Fields::default())
    };
    let all = r#"{"id": "1", "size": "2", "weight": "0.5", "name": "7", "kind": "a", "open": "t", "seen_at": "2025-01-01 00:00:00+00", "more": "[1]"}"#;
    assert_eq!(read(all), Outcome::Typed { absent: 0 });
    assert_eq!(read(r#"{"id": "1", "size": null}"#), Outcome::Typed { absent: 0b1111_1100 });
    assert_eq!(read(r#"{"id": "1", "kind": "b"}"#), Outcome::OutOfScope);
    let reason = "column size: a text that is no integer".to_owned();
    assert_eq!(read(r#"{"id": "1", "size": "Ann"}"#), Outcome::Rejected { reason, keyed: true });
}

/// How many pieces of memory are asked for while records are read.
fn allocations(converter: &Converter<'_>, line: &str) -> u64 {
    const RECORDS: u64 = 100;
    let mut fields = Fields::default();
    let mut read = || assert!(matches!(converter.line(line, &mut fields), Ok(Outcome::Typed { .. })));
    // The first one makes room for the fields.
    read();
    let counted = allocation_counter::measure(|| (0..RECORDS).for_each(|_| read()));
    assert_eq!(counted.count_total % RECORDS, 0, "not the same for each record");
    counted.count_total / RECORDS
}

#[test]
fn a_flat_record_costs_one_allocation_and_each_level_below_another() {
    let catalog = catalog();
    let converter = Converter::new(&catalog.resources()[0]);
    let flat = r#"{"id": 1, "size": 2, "weight": null, "kind": "a", "open?": true, "x": "y", "seen_at": "2025-12-13T08:24:09.123Z"}"#;
    assert_eq!(allocations(&converter, flat), 1);
    let within = |member: &str| flat.replacen('{', &format!("{{{member}, "), 1);
    let picked = r#""naming": {"name": "a text", "others": [1, {}]}"#;
    assert_eq!(allocations(&converter, &within(picked)), 3);
    // The only one of which a tree is made.
    let tree = allocations(&converter, &within(r#""more": {"a": ["z", 2.5]}"#));
    assert!(tree <= 12, "{tree}");
}
