//! What people type.

use crate::desk::{BOTH, Desk, Store};
use serde_json::json;

#[test]
fn an_id_is_there_once_and_leaves_when_it_is_loaded() {
    for store in BOTH {
        let desk = Desk::new(store);
        assert_eq!(desk.json(&["add", "7", "asked by mail"]), json!({"added": 1, "known": 0, "dead": 0}));
        assert_eq!(desk.json(&["add", "7"]), json!({"added": 0, "known": 1, "dead": 0}));
        let run = desk
            .workdir
            .feed("backlog", &["add", "-", "live", "--json"], "7\n9\n{\"id\": \"8\"}\n9\n")
            .expect(0);
        assert_eq!(run.json(), json!({"added": 2, "known": 2, "dead": 0}), "{store:?}");
        assert_eq!(desk.ids("list"), [7, 8, 9]);
        let items = desk.run(&["list", "--json", "--limit", "1"]).expect(0).records();
        assert_eq!((items.len(), &items[0]["reason"]), (1, &json!("asked by mail")));

        desk.wish("absent_8", "");
        let tally = desk.json(&["process"]);
        assert_eq!((&tally["loaded"], &tally["absent"], &tally["dead"]), (&json!(2), &json!(1), &json!(0)));
        assert_eq!(desk.counts(), [0, 0, 3], "{store:?}");
        assert_eq!(desk.status()["outcomes"], json!({"absent": 1, "loaded": 2}));
        let fetched = desk.workdir.read("wishes/fetched");
        let expected = "users 7 8 9\ncursus_users 7 9\nprojects_users 7 9\nachievements_users 7 9\ncoalitions_users 7 9\n";
        assert_eq!(fetched, expected, "one call for each table, and none for who is no student");
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.workdir.read("wishes/fetched"), expected, "nothing to do");
    }
}

#[test]
fn marking_clearing_and_bringing_back() {
    for store in BOTH {
        let desk = Desk::new(store);
        desk.add(1..=5);
        assert_eq!(desk.json(&["mark-processed", "1", "2", "99"]), json!({"marked": 2, "unknown": 1}));
        assert_eq!(desk.ids("list"), [3, 4, 5]);
        assert_eq!(desk.status()["outcomes"], json!({"marked": 2}));
        drop(desk.run(&["clear"]).expect(2).complains(&["--yes"]));
        assert_eq!(desk.counts(), [3, 0, 2]);
        assert_eq!(desk.json(&["clear", "--yes"]), json!({"cleared": 3, "ids": [3, 4, 5]}));
        assert_eq!(desk.counts(), [0, 0, 2], "{store:?}");
        assert!(desk.log().contains("WARN forgot all who wait: 3 (3 4 5)"));
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.loaded().len(), 0);
    }
}

#[test]
fn somebody_who_is_forgotten_is_nowhere_any_more() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_MAX_RETRIES", "0");
        desk.add(1..=4);
        drop(desk.run(&["mark-processed", "1", "2"]).expect(0));
        desk.wish("fail_3", 1);
        drop(desk.run(&["process"]).expect(3));
        desk.add([1, 7]);
        let piles = |ids: &str| -> Vec<String> {
            let run = desk.workdir.feed("backlog", &["about", "-", "--json"], ids).expect(0);
            run.records().iter().map(|line| line["pile"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(piles("1\n3\n"), ["pending", "dead", "processed"], "{store:?}");
        let text = desk.run(&["about", "3"]).expect(0).stdout;
        assert!(text.starts_with("        3  2") && text.ends_with("  dead  by hand\n"), "{text}");
        let run = desk.workdir.feed("backlog", &["forget", "-", "--json"], "1\n3\n99\n").expect(0);
        assert_eq!(run.json(), json!({"forgotten": 3}), "{store:?}");
        assert_eq!(piles("1\n3\n"), Vec::<String>::new());
        assert_eq!((desk.counts(), desk.ids("list")), ([1, 0, 2], vec![7]), "{store:?}");
        assert_eq!(desk.json(&["forget", "1"]), json!({"forgotten": 0}));
        drop(desk.run(&["forget"]).expect(2));
    }
}

#[test]
fn who_was_never_there_is_forgotten_without_a_file() {
    let desk = Desk::new(Store::Files);
    assert_eq!(desk.json(&["forget", "1"]), json!({"forgotten": 0}));
    assert!(!desk.workdir.path("logs").exists());
}

#[test]
fn a_rehearsal_shows_the_batches_and_calls_nothing() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.add([4, 5, 6]);
        desk.workdir.set("BACKLOG_FETCH_BATCH_SIZE", "2");
        let batches = desk.run(&["process", "--test", "--json"]).expect(0).records();
        let ids: Vec<_> = batches.iter().map(|batch| batch["ids"].clone()).collect();
        assert_eq!(ids, [json!([4, 5]), json!([6])]);
        assert_eq!(batches[0]["commands"][0], "fetch-users users --ids - | load-table users");
        assert!(desk.run(&["process", "--test"]).expect(0).stdout.starts_with("batch 1: 2 (4 5)\n"));
        assert_eq!(desk.workdir.read("wishes/fetched"), "");
        assert_eq!((desk.counts(), desk.status()["leased"].as_u64()), ([3, 0, 0], Some(0)));
    }
}

#[test]
fn what_is_no_id_is_refused_and_nothing_is_added() {
    for store in BOTH {
        let desk = Desk::new(store);
        for id in ["", "-5", "<html>", "1180591620717411303424", "0", "1.5"] {
            drop(desk.run(&["add", id]).expect(2).complains(&["no user's id"]));
            drop(desk.run(&["retry", id]).expect(2));
            let line = format!("3\n{}\n", if id.is_empty() { "{\"id\":\"\"}" } else { id });
            let run = desk.workdir.feed("backlog", &["add", "-"], &line).expect(65);
            drop(run.complains(&["line 2", "nothing was done"]));
        }
        drop(desk.workdir.feed("backlog", &["add", "-"], "<!DOCTYPE html>\n<p>429</p>\n").expect(65));
        drop(desk.workdir.feed("backlog", &["add", "-"], "\n\n").expect(0));
        assert_eq!(desk.counts(), [0, 0, 0], "{store:?}");
    }
}

#[test]
fn eight_at_once_add_each_id_once() {
    for store in BOTH {
        let desk = Desk::new(store);
        let ids = |number: i64| -> String {
            (1..=200).map(|id| format!("{}\n", 1 + (id * 7 + number * 13) % 250)).collect()
        };
        std::thread::scope(|scope| {
            let adders: Vec<_> = (0..8)
                .map(|number| {
                    let (desk, lines) = (&desk, ids(number));
                    scope.spawn(move || {
                        for lines in lines.lines().collect::<Vec<_>>().chunks(50) {
                            drop(desk.workdir.feed("backlog", &["add", "-"], &lines.join("\n")).expect(0));
                        }
                    })
                })
                .collect();
            adders.into_iter().for_each(|adder| adder.join().unwrap());
        });
        let mut found = desk.ids("list");
        found.sort_unstable();
        assert_eq!(found, (1..=250).collect::<Vec<_>>(), "{store:?}");
    }
}

#[test]
fn old_files_are_read_and_broken_lines_are_set_aside() {
    let desk = Desk::new(Store::Files);
    let old = "{\"id\": 123}\n{\"id\": }\n{\"user_id\": \"124\", \"source\": \"live\"}\n{\"id\":\"\"}\n{\"id\": 123}\n\u{0}\u{1}\n125";
    desk.workdir.write("logs/.monitor_state/pending_users.jsonl", old);
    desk.workdir.write("logs/.monitor_state/processed_users.jsonl", "{\"id\": 5}\n{\"id\": 6, \"cut");
    let status = desk.status();
    assert_eq!(
        (&status["depth"], &status["unreadable"], &status["processed"]),
        (&json!(3), &json!(3), &json!(1))
    );
    assert_eq!(
        desk.workdir.read("logs/.monitor_state/pending_users.jsonl"),
        old,
        "who looks changes nothing"
    );
    let run = desk.run(&["add", "126"]).expect(0);
    assert!(run.stderr.contains("3 lines of"), "{run:#?}");
    assert_eq!(
        desk.workdir.read("logs/.monitor_state/pending_users.jsonl.rejected"),
        "{\"id\": }\n{\"id\":\"\"}\n\u{0}\u{1}\n"
    );
    assert!(desk.workdir.read("logs/.monitor_state/pending_users.jsonl").contains("\"source\":\"live\""));
    drop(desk.run(&["process"]).expect(0));
    assert_eq!(desk.loaded().into_keys().collect::<Vec<_>>(), [123, 124, 125, 126]);
    assert_eq!(desk.counts(), [0, 0, 5], "a line that a crash had cut is not glued to the next");
}

#[test]
fn a_store_that_cannot_be_read_is_never_empty() {
    let mut desk = Desk::new(Store::Files);
    desk.workdir.write("logs/.monitor_state", "no folder");
    for command in ["status", "list", "dead"] {
        drop(desk.run(&[command]).expect(74).complains(&[".monitor_state"]));
    }
    drop(desk.run(&["add", "1"]).expect(74));
    desk.workdir.set("BACKLOG_STORE", "postgres");
    desk.workdir.set("DATABASE_URL", "postgresql:///x?host=/nonexistent");
    drop(desk.run(&["status"]).expect(69).complains(&["cannot reach PostgreSQL"]));
    let database = testkit::Database::create();
    desk.workdir.set("DATABASE_URL", &database.url());
    drop(desk.run(&["status"]).expect(78).complains(&["ops.backlog", "init-db"]));
}

#[test]
fn a_reason_cannot_drive_a_terminal() {
    for store in BOTH {
        let desk = Desk::new(store);
        drop(desk.run(&["add", "1", "\u{1b}]52;c;x\u{7}\nnext"]).expect(0));
        let shown = desk.run(&["list"]).expect(0).stdout;
        assert!(shown.contains(r"\u{1b}]52;c;x\u{7}\nnext") && shown.lines().count() == 1, "{shown}");
    }
}
