//! What is refused whole, and what is set aside.

use crate::mirror::{CURSUS, Mirror, campuses, lines, text, user};
use serde_json::json;
use testkit::Workdir;

#[test]
fn input_that_is_no_ndjson_is_refused_with_its_place() {
    let mirror = Mirror::new();
    let good = r#"{"id": 1, "name": "x"}"#;
    let cases: [(String, &str); 7] = [
        (
            format!("{good}\n<html><body>Just a moment...\n"),
            "stdin line 2 column 1: not JSON (expected value)",
        ),
        (format!("{good}\n{}", &good[..15]), "line 2 column 15: not JSON (EOF while parsing a string)"),
        (format!("[{good}]\n"), "line 1 column 1: an array, not a record; jq -c '.[]'"),
        ("{\n  \"id\": 1\n}\n".to_owned(), "a record over several lines; jq -c ."),
        (format!("{good}\n\"text\"\n"), "line 2 column 1: a single value"),
        (format!("{good}\r\n\r\n{good}}}"), "line 3 column 23: not JSON (trailing characters)"),
        (
            "429 Too Many Requests (Spam Rate Limit Exceeded)".to_owned(),
            "line 1 column 5: not JSON (trailing characters)",
        ),
    ];
    for (input, words) in cases {
        let run = mirror.feed(&["coalitions"], &input).expect(65);
        let run = run.complains(&["load-table: coalitions: ", words, "nothing was written"]);
        assert_eq!(run.stdout, "");
    }
    assert_eq!(mirror.count("coalitions"), 0);
}

#[test]
fn a_file_is_named_and_cut_at_every_byte_it_is_refused() {
    let mirror = Mirror::new();
    let whole = "{\"id\": 1, \"name\": \"é\"}\n{\"id\": 2}\n";
    for end in (1..whole.len() - 1).step_by(3) {
        std::fs::write(mirror.workdir.path("cut.ndjson"), &whole.as_bytes()[..end]).unwrap();
        let whole_lines = end == 23 || end == 24;
        let run = mirror.feed(&["coalitions", "cut.ndjson", "--dry-run"], "");
        if whole_lines {
            assert_eq!(run.json()["read"], 1);
        } else {
            let _named = run.expect(65).complains(&["coalitions: cut.ndjson line "]);
        }
    }
}

#[test]
fn more_rejects_than_allowed_refuse_everything() {
    let mirror = Mirror::new();
    let bad = |count: u64| {
        let bad = (0..count).map(|id| json!({"id": 1000 + id, "score": 3_000_000_000_u64}));
        let good = (0..200 - count).map(|id| json!({"id": id, "score": 1}));
        text(good.chain(bad))
    };
    let refused = mirror.feed(&["coalitions"], &bad(3)).expect(65);
    let reason = "line 198, column score: 3000000000 is out of range for integer";
    let _told = refused.complains(&["3 of 200 records", "--max-rejects 0.01", reason, "nothing was written"]);
    assert_eq!(mirror.count("coalitions") + mirror.count("ops.quarantine"), 0);
    let taken = mirror.feed(&["coalitions"], &bad(2)).expect(3).json();
    assert_eq!((&taken["inserted"], &taken["rejected"]), (&json!(198), &json!(2)));
    let aside =
        mirror.database.rows("SELECT record_key, reason_kind, reason, record FROM ops.quarantine ORDER BY 1");
    let record = r#"{"id":1000,"score":3000000000}"#;
    let reason = "line 199, column score: 3000000000 is out of range for integer";
    assert_eq!(
        aside[0],
        json!({"record_key": "1000", "reason_kind": "type", "reason": reason, "record": record})
    );
}

#[test]
fn a_record_that_cannot_be_typed_waits_and_a_good_one_takes_its_place() {
    let mirror = Mirror::new();
    mirror.load("coalitions", r#"{"id": 7, "score": 1}"#);
    let bad =
        "{\"id\": 7, \"score\": \"x\"}\n{\"score\": 1}\n{\"id\": 8, \"name\": \"\\u0000\"}\n{\"id\": null}\n";
    let summary = mirror.feed(&["coalitions", "--max-rejects", "1"], bad).expect(3).json();
    assert_eq!(summary["rejected"], 4);
    assert_eq!(mirror.value("SELECT score FROM coalitions"), "1");
    let keys =
        mirror.value("SELECT string_agg(left(record_key, 7), ' ' ORDER BY record_key) FROM ops.quarantine");
    assert_eq!(keys, "7 8 sha256: sha256:");
    mirror.load("coalitions", "{\"id\": 7, \"score\": 2}\n{\"id\": 8, \"name\": \"\"}\n");
    assert_eq!(mirror.count("ops.quarantine WHERE record_key IN ('7', '8')"), 0);
}

#[test]
fn a_good_record_and_a_later_bad_one_of_its_key_are_both_kept() {
    let mirror = Mirror::new();
    let input = "{\"id\": 7, \"score\": 1}\n{\"id\": 7, \"score\": \"x\"}\n{\"id\": 8, \"score\": \"x\"}\n{\"id\": 8, \"score\": 2}\n";
    let summary = mirror.feed(&["coalitions", "--max-rejects", "1"], input).expect(3).json();
    assert_eq!(
        (&summary["inserted"], &summary["rejected"], &summary["duplicates"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(mirror.value("SELECT string_agg(record_key, ' ') FROM ops.quarantine"), "7");
    assert_eq!(mirror.value("SELECT string_agg(score::text, ' ' ORDER BY id) FROM coalitions"), "1 2");
}

#[test]
fn what_the_user_can_mend_is_told_with_its_exit_code() {
    let mirror = Mirror::new();
    let feed = |arguments: &[&str]| mirror.feed(arguments, "{\"id\": 1}\n");
    let _unknown =
        feed(&["nope"]).expect(2).complains(&["unknown resource `nope`; there are cursus, campus"]);
    let _usage = feed(&["coalitions", "--max-prune", "2"]).expect(2);
    let _missing = feed(&["coalitions", "missing.ndjson"]).expect(74).complains(&["missing.ndjson"]);
    let _export =
        feed(&["coalitions", "--export"]).expect(74).complains(&["all.ndjson is not there", "--export"]);
    assert_eq!(mirror.load("coalitions", "")["read"], 0);
    let full = mirror.workdir.shell("load-table coalitions </dev/null >/dev/full").expect(74);
    let _told = full.complains(&["standard output", "No space left on device"]);
}

#[test]
fn a_database_that_is_not_there_or_not_ready_is_told_with_the_way_out() {
    let bare = Mirror::without_tables();
    let _tables = bare.feed(&["coalitions"], "{\"id\": 1}\n").expect(78).complains(&["run init-db"]);
    let feed = |url: &str| {
        let mut workdir = Workdir::new();
        workdir.set("DATABASE_URL", url);
        workdir.run("load-table", &["coalitions"])
    };
    let away = feed("postgres://ann:s3cret@127.0.0.1:1/mirror").expect(69);
    let away = away.complains(&["cannot reach PostgreSQL at 127.0.0.1:1/mirror", "scripts/db.sh start"]);
    assert!(!away.stderr.contains("s3cret"));
    let url = bare.database.url().replace("/test_", "/absent_");
    let _absent = feed(&url).expect(69).complains(&["does not exist", "createdb"]);
    let _nothing = Workdir::new().run("load-table", &["coalitions"]).expect(78).complains(&["DATABASE_URL"]);
}

#[test]
fn a_column_that_is_missing_is_told_with_the_way_out() {
    let mirror = Mirror::new();
    mirror.database.execute("ALTER TABLE coalitions DROP COLUMN score");
    let _told = mirror.feed(&["coalitions"], "{\"id\": 1}\n").expect(78).complains(&["score", "run init-db"]);
}

#[test]
fn an_export_of_other_bytes_than_its_manifest_promises_is_refused() {
    let mirror = Mirror::new();
    mirror.load("campus", &campuses());
    mirror.export("08_users", CURSUS, &lines((10..20).map(user)));
    let path = mirror.workdir.path("exports/08_users/cursus_21/all.ndjson");
    let text = std::fs::read_to_string(&path).unwrap().replacen("login10", "login01", 1);
    std::fs::write(&path, text).unwrap();
    let _told = mirror.load_export("users", &[]).expect(65).complains(&["was damaged", "--force"]);
    assert_eq!(mirror.count("users"), 0);
    let mut lying = lines((10..12).map(user));
    lying[1] = String::new();
    mirror.export("08_users", CURSUS, &lying);
    let _told =
        mirror.load_export("users", &[]).expect(65).complains(&["holds 1 records, its manifest promises 2"]);
}
