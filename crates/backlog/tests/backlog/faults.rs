//! Tools that fail: whose fault it was, and what becomes of the others.

use crate::desk::{BOTH, Desk, Store};
use serde_json::json;

#[test]
fn a_poison_id_ends_alone_and_blocks_nobody() {
    for store in BOTH {
        for code in [1, 2, 65, 101] {
            let desk = Desk::new(store);
            desk.add(1..=40);
            desk.wish("fail_17", code);
            let tally = desk.run(&["process", "--json"]).expect(3).json();
            assert_eq!(
                (&tally["loaded"], &tally["retried"], &tally["dead"]),
                (&json!(39), &json!(1), &json!(0))
            );
            assert_eq!(desk.ids("list"), [17], "{store:?} {code}");
            assert!(desk.loaded().values().all(|times| *times == 1), "{store:?} {code}");
            let status = desk.status();
            assert_eq!((&status["delayed"], &status["due"]), (&json!(1), &json!(0)));
            assert_eq!(status["delayed_errors"], json!({"fetch-users: user #: no": 1}));
            assert!(desk.log().contains("WARN 17 failed 1 times"), "{}", desk.log());
            drop(desk.run(&["process"]).expect(0));
            assert_eq!(desk.loaded().len(), 39, "what is delayed is not claimed before its time");
        }
    }
}

#[test]
fn what_fails_too_often_waits_in_the_dead_letter_until_it_is_brought_back() {
    for store in BOTH {
        let mut desk = Desk::new(store);
        desk.workdir.set("BACKLOG_RETRY_DELAY", "0");
        desk.workdir.set("BACKLOG_MAX_RETRIES", "2");
        desk.add([5, 6]);
        desk.wish("fail_6", 65);
        let tally = desk.run(&["process", "--json"]).expect(3).json();
        assert_eq!((&tally["loaded"], &tally["retried"], &tally["dead"]), (&json!(1), &json!(2), &json!(1)));
        assert_eq!(desk.counts(), [0, 1, 1], "{store:?}");
        let dead = desk.run(&["dead", "--json"]).expect(0).records();
        assert_eq!((&dead[0]["id"], &dead[0]["attempts"]), (&json!(6), &json!(3)));
        assert_eq!(dead[0]["error"], "fetch-users: user 6: no");
        assert_eq!(desk.status()["dead_errors"], json!({"fetch-users: user #: no": 1}));
        assert_eq!(desk.status()["success_rate"], json!(0.25), "one of four attempts");

        let run = desk.run(&["add", "6"]).expect(0);
        assert!(run.stderr.contains("backlog retry"), "{run:#?}");
        desk.wish("missing", "6\n");
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.counts(), [0, 1, 1], "neither a person nor quarantine wakes the dead");

        desk.no_more("fail_6");
        assert_eq!(desk.json(&["retry", "6"]), json!({"retried": 1}));
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.counts(), [0, 0, 2], "{store:?}");
        assert_eq!(desk.json(&["retry"]), json!({"retried": 0}));
    }
}

#[test]
fn the_world_is_nobodys_fault() {
    for store in BOTH {
        for code in [69, 74, 75, 77, 78] {
            let desk = Desk::new(store);
            desk.add(1..=10);
            for wish in ["fail", "load_fail", "missing_fail"] {
                desk.wish(wish, code);
                let run = desk.run(&["process"]).expect(code);
                drop(run.complains(&["backlog: "]));
                desk.no_more(wish);
                let status = desk.status();
                assert_eq!(
                    (&status["due"], &status["dead"]),
                    (&json!(10), &json!(0)),
                    "{store:?} {code} {wish}"
                );
                let items = desk.run(&["list", "--json"]).expect(0).records();
                assert!(items.iter().all(|item| item["attempts"] == 0), "{store:?} {code} {wish}: {items:?}");
            }
            drop(desk.run(&["process"]).expect(0));
            assert_eq!(desk.counts(), [0, 0, 10], "{store:?} {code}");
        }
    }
}

#[test]
fn an_id_that_looks_like_an_outage_is_found_by_the_others() {
    for store in BOTH {
        for (poison, others) in [(1, 2..2), (1, 2..10), (9, 1..9), (40, 1..40), (1, 2..251), (250, 1..250)] {
            let desk = Desk::new(store);
            let count = others.clone().count() as u64;
            desk.add(others.chain([poison]));
            desk.wish(&format!("fail_{poison}"), 69);
            // Alone it cannot be told from an outage.
            let code = if count == 0 { 69 } else { 3 };
            drop(desk.run(&["process"]).expect(code));
            assert_eq!(desk.counts(), [1, 0, count], "{store:?} {poison}: {}", desk.log());
            assert_eq!(
                desk.status()["delayed"],
                json!(u64::from(count > 0)),
                "{store:?} {poison}: {}",
                desk.log()
            );
        }
    }
}

#[test]
fn two_ids_that_look_like_an_outage_are_found_too() {
    for store in BOTH {
        let desk = Desk::new(store);
        desk.add(1..=64);
        desk.wish("fail_1", 69);
        desk.wish("fail_33", 69);
        drop(desk.run(&["process"]).expect(3));
        assert_eq!(desk.counts(), [2, 0, 62], "{store:?}: {}", desk.log());
        assert_eq!(desk.status()["delayed"], json!(2));
    }
}

#[test]
fn a_tool_that_is_killed_blames_nobody() {
    for store in BOTH {
        let desk = Desk::new(store);
        desk.tool("load-table", "#!/bin/sh\n[ \"$2\" != --missing ] || exit 0\nkill -9 $$\n");
        desk.add(1..=3);
        drop(desk.run(&["process"]).expect(75).complains(&["signal"]));
        let items = desk.run(&["list", "--json"]).expect(0).records();
        assert!(items.iter().all(|item| item["attempts"] == 0 && item.get("lease").is_none()), "{items:?}");
    }
}

#[test]
fn a_tool_that_is_not_there_is_a_matter_of_configuration() {
    let desk = Desk::new(Store::Files);
    desk.add([1]);
    for tool in ["fetch-users", "load-table"] {
        std::fs::remove_file(desk.workdir.path(&format!("tools/{tool}"))).unwrap();
        drop(desk.run(&["process"]).expect(78).complains(&["PATH"]));
        assert_eq!(desk.status()["due"], json!(1));
    }
}

#[test]
fn missing_parents_come_by_themselves_and_absent_ones_not_again() {
    for store in BOTH {
        let desk = Desk::new(store);
        desk.wish("missing", "41\n42\n");
        desk.wish("absent_42", "");
        let tally = desk.json(&["process"]);
        assert_eq!(
            (&tally["missing_added"], &tally["loaded"], &tally["absent"]),
            (&json!(2), &json!(1), &json!(1))
        );
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.batches(), [[41, 42]], "{store:?}: nobody is asked for twice");
        drop(desk.run(&["add", "42"]).expect(0));
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.batches(), [vec![41, 42], vec![42]], "a person may ask");
    }
}

#[test]
fn who_is_added_while_a_worker_is_at_it_is_done_once_more() {
    for store in BOTH {
        let desk = Desk::new(store);
        desk.add([1, 2]);
        // The tool that fetches 1 and 2 is told that 2 has changed again meanwhile.
        let add = format!("{} add 2", testkit::tool("backlog").display());
        let once = "[ -e $WISHES/told ] || { : >$WISHES/told; ";
        desk.tool(
            "load-table",
            &format!(
                "#!/bin/sh\n[ \"$2\" != --missing ] || exit 0\n{once}{add} >/dev/null; }}\ncat >/dev/null\n"
            ),
        );
        let tally = desk.json(&["process"]);
        assert_eq!(tally["loaded"], json!(3), "{store:?}");
        assert_eq!(desk.batches(), [vec![1, 2], vec![2]], "{store:?}");
        assert_eq!(desk.counts(), [0, 0, 3]);
    }
}

#[test]
fn when_everybody_fails_alike_the_rest_is_left_in_peace() {
    for store in BOTH {
        let desk = Desk::new(store);
        desk.add(1..=64);
        desk.wish("load_fail", 65);
        drop(desk.run(&["process"]).expect(1).complains(&["10 users failed one after the other", "no"]));
        let status = desk.status();
        assert_eq!((&status["delayed"], &status["due"]), (&json!(10), &json!(54)), "{store:?}");
        desk.no_more("load_fail");
        drop(desk.run(&["process"]).expect(0));
        assert_eq!(desk.counts(), [10, 0, 54]);
    }
}
