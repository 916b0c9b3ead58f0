//! Who is told: of transitions only, after two runs, once, and again when it is over.

use crate::Things;
use crate::receiver::Receiver;
use serde_json::{Value, json};

/// A mirror of a thousand things, which all have names, and somebody who hears of them in two ways.
struct Watched {
    things: Things,
    receiver: Receiver,
}

impl Watched {
    fn new() -> Self {
        let (mut things, receiver) = (Things::new(), Receiver::start());
        things.fill(1000, 0);
        things.workdir.set("ALERT_WEBHOOK", &receiver.url);
        let heard = things.workdir.path("heard").display().to_string();
        things.workdir.set("ALERT_COMMAND", &format!("cat >> {heard}"));
        Self { things, receiver }
    }

    /// A run, and what is told of it; the exit code of telling.
    fn look(&self, code: i32) -> Vec<Value> {
        drop(self.things.check(&["run"]));
        self.tell(code)
    }

    /// What is told of what runs have left.
    fn tell(&self, code: i32) -> Vec<Value> {
        let run = self.things.check(&["alert"]).expect(code);
        assert!(!run.stderr.contains("secret-path"), "{run:#?}");
        self.receiver.taken()
    }

    /// What the command heard.
    fn heard(&self) -> Vec<Value> {
        let text = self.things.workdir.read("heard");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Lets time pass over what the alerts remember: what they saw last was another minute's.
    fn wait(&self, minutes: i64) {
        let path = "logs/.monitor_state/integrity_alerts.json";
        let mut page: Value = serde_json::from_str(&self.things.workdir.read(path)).unwrap();
        for state in page["conditions"].as_object_mut().unwrap().values_mut() {
            let since =
                state["since"].as_str().map(|since| since.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
            state["evidence"] = json!("another minute's");
            state["since"] = json!(since.map(|since| since - chrono::TimeDelta::minutes(minutes)));
        }
        self.things.workdir.write(path, &page.to_string());
    }
}

fn events(messages: &[Value]) -> Vec<String> {
    let word = |message: &Value, key: &str| message[key].as_str().unwrap().to_owned();
    messages.iter().map(|message| word(message, "event") + " " + &word(message, "condition")).collect()
}

#[test]
fn more_than_ten_rows_are_told_once_by_both_ways_and_when_it_is_over() {
    let watched = Watched::new();
    assert_eq!(events(&watched.look(0)), [""; 0]);
    watched.things.fill(10_000, 11);
    assert_eq!(events(&watched.look(0)), [""; 0], "one run is no alert");
    assert_eq!(events(&watched.tell(0)), [""; 0], "the same run again is no second one");
    let told = watched.look(0);
    assert_eq!(events(&told), ["raised many_inconsistent"]);
    assert_eq!(watched.heard(), told, "the command hears the same");
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.contains("more than 10 rows are inconsistent: 11 of 10000 rows"), "{text}");
    assert_eq!(told[0]["status"]["total_violations"], 11);
    assert!(!told[0].to_string().contains("\"subject\""), "no keys: {told:#?}");
    assert_eq!(events(&watched.look(0)), [""; 0]);
    assert_eq!(watched.things.check(&["alert"]).expect(0).json()["raised"].as_object().unwrap().len(), 1);
    watched.things.fill(10_000, 10);
    assert_eq!(events(&watched.look(0)), [""; 0]);
    assert_eq!(events(&watched.look(0)), ["recovered many_inconsistent"]);
    assert_eq!(events(&watched.heard()), ["raised many_inconsistent", "recovered many_inconsistent"]);
    watched.things.fill(10_000, 11);
    assert_eq!(events(&watched.look(0)), [""; 0]);
    assert_eq!(events(&watched.look(0)), ["raised many_inconsistent"], "it may come again");
}

#[test]
fn a_low_rate_has_to_last_a_quarter_of_an_hour_and_a_crisis_half_of_one() {
    let watched = Watched::new();
    watched.things.fill(100, 6);
    assert_eq!(events(&watched.look(0)), [""; 0]);
    watched.wait(14);
    assert_eq!(events(&watched.look(0)), [""; 0]);
    watched.wait(1);
    assert_eq!(events(&watched.look(0)), ["raised rate_low"]);
    watched.wait(15);
    let told = watched.look(0);
    assert_eq!(events(&told), ["raised critical"]);
    assert!(told[0]["text"].as_str().unwrap().contains("things_have_names:things: 6 findings"), "{told:#?}");
    watched.things.fill(100, 5);
    drop(watched.look(0));
    assert_eq!(
        events(&watched.look(0)),
        ["recovered critical", "recovered rate_low"],
        "95 % is not under 95 %"
    );
}

#[test]
fn a_check_that_fails_and_a_database_that_is_away_are_told_and_nothing_recovers_meanwhile() {
    let mut watched = Watched::new();
    watched.things.fill(100, 11);
    drop(watched.look(0));
    assert_eq!(events(&watched.look(0)), ["raised many_inconsistent"]);
    watched.things.database.execute("ALTER TABLE ops.quarantine RENAME TO elsewhere");
    drop(watched.look(0));
    let told = watched.look(0);
    assert_eq!(events(&told), ["raised check_failing"]);
    assert!(told[0]["text"].as_str().unwrap().contains("run init-db"), "{told:#?}");
    watched.things.database.execute("ALTER TABLE ops.elsewhere RENAME TO quarantine");
    drop(watched.look(0));
    assert_eq!(events(&watched.look(0)), ["recovered check_failing"]);
    // And one that cannot be asked at all.
    let url = watched.things.database.url();
    watched.things.workdir.set("DATABASE_URL", "postgresql:///mirror42?host=/nowhere&user=nobody");
    drop(watched.look(0));
    assert_eq!(events(&watched.look(0)), ["raised check_failing"]);
    watched.things.workdir.set("DATABASE_URL", &url);
    drop(watched.look(0));
    assert_eq!(events(&watched.look(0)), ["recovered check_failing"]);
}

#[test]
fn a_checker_that_is_dead_is_told() {
    let watched = Watched::new();
    drop(watched.look(0));
    watched.things.wait(11);
    assert_eq!(events(&watched.tell(0)), [""; 0]);
    watched.wait(1);
    let told = watched.tell(0);
    assert_eq!(events(&told), ["raised check_failing"]);
    assert!(told[0]["text"].as_str().unwrap().contains("the last check was"), "{told:#?}");
}

#[test]
fn what_does_not_arrive_is_said_and_sent_again_in_its_order() {
    let watched = Watched::new();
    watched.things.fill(1000, 11);
    drop(watched.look(0));
    watched.receiver.answer(500);
    let tried = watched.look(4);
    assert_eq!(events(&tried), ["raised many_inconsistent"; 3], "three attempts");
    assert_eq!(events(&watched.heard()), ["raised many_inconsistent"], "the other way has it");
    let said = watched.things.check(&["alert"]).expect(4);
    assert!(
        said.stderr.contains("127.0.0.1 answers 500") && said.stderr.contains("tried again"),
        "{said:#?}"
    );
    assert_eq!(said.json()["waiting"], 1);
    watched.things.fill(1000, 0);
    drop(watched.look(4));
    drop(watched.look(4));
    watched.receiver.answer(200);
    let arrived = watched.tell(0);
    assert_eq!(events(&arrived), ["raised many_inconsistent", "recovered many_inconsistent"]);
    assert_eq!(arrived[0]["id"], tried[0]["id"]);
    assert_eq!(events(&watched.tell(0)), [""; 0]);
    assert_eq!(
        events(&watched.heard()),
        ["raised many_inconsistent", "recovered many_inconsistent"],
        "nothing twice"
    );
}

#[test]
fn who_is_killed_while_he_tells_tells_it_again_with_the_same_id() {
    let mut watched = Watched::new();
    let heard = watched.things.workdir.path("heard").display().to_string();
    watched.things.workdir.set("ALERT_WEBHOOK", "");
    watched.things.workdir.set("ALERT_COMMAND", &format!("cat >> {heard}; kill -9 $PPID"));
    watched.things.fill(1000, 11);
    drop(watched.look(0));
    drop(watched.look(137));
    watched.things.workdir.set("ALERT_COMMAND", &format!("cat >> {heard}"));
    drop(watched.tell(0));
    let heard = watched.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0], heard[1]);
}

#[test]
fn a_command_sees_no_secret_of_the_env_file_and_one_that_hangs_is_ended() {
    let mut watched = Watched::new();
    let seen = watched.things.workdir.path("seen").display().to_string();
    watched.things.workdir.write(".env", "CLIENT_SECRET=s-s4t2ud-planted\n");
    watched.things.workdir.set("ALERT_WEBHOOK", "");
    watched.things.workdir.set("ALERT_COMMAND", &format!("env > {seen}"));
    watched.things.fill(1000, 11);
    drop(watched.look(0));
    drop(watched.look(0));
    let environment = watched.things.workdir.read("seen");
    assert!(environment.contains("PATH=") && !environment.contains("planted"), "{environment}");
    watched.things.workdir.set("ALERT_COMMAND", "sleep 600 & wait");
    watched.things.fill(1000, 0);
    drop(watched.look(0));
    drop(watched.things.check(&["run"]));
    let run = watched.things.check(&["alert"]).expect(4);
    assert!(run.stderr.contains("ALERT_COMMAND took longer than 10 s"), "{run:#?}");
}

#[test]
fn nobody_to_tell_is_no_failure_and_an_address_that_is_none_is_not_quoted() {
    let mut watched = Watched::new();
    watched.things.workdir.set("ALERT_WEBHOOK", "");
    watched.things.workdir.set("ALERT_COMMAND", "");
    watched.things.fill(1000, 11);
    drop(watched.look(0));
    drop(watched.look(0));
    assert_eq!(watched.things.check(&["alert"]).expect(0).json()["waiting"], 0);
    watched.things.workdir.set("ALERT_WEBHOOK", "secret-path");
    let run =
        watched.things.check(&["alert"]).expect(4).complains(&["ALERT_WEBHOOK is no http or https address"]);
    assert!(!run.stderr.contains("secret-path"));
}
