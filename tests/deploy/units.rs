//! Crontab and systemd say the same.

use crate::{need, project, system, text};
use testkit::Workdir;

/// A line of the crontab: when, for how long at most, and what.
struct Line {
    when: String,
    limit: String,
    command: String,
}

fn crontab() -> Vec<Line> {
    let is_job = |line: &&str| !line.starts_with('#') && !line.is_empty();
    let text = text("deploy/cron/mirror42");
    let lines = text.lines().filter(is_job).map(|line| {
        let (when, rest) = line.split_once("cd /srv/mirror42 && timeout -k 30 ").unwrap();
        let (limit, command) = rest.split_once(' ').unwrap();
        let when = when.split_whitespace().collect::<Vec<_>>().join(" ");
        Line { when, limit: limit.to_owned(), command: command.to_owned() }
    });
    lines.collect()
}

/// The unit whose timer stands for a line.
const UNITS: [(&str, &str); 8] = [
    ("nightly_stable_tables.sh", "nightly"),
    ("live_db_sync.sh", "live"),
    ("backlog_worker.sh", "backlog"),
    ("api-token ensure-fresh", "token"),
    ("purge_people.sh", "purge"),
    ("backup.sh", "backup"),
    ("integrity_check.sh", "integrity"),
    ("write_metrics.sh", "metrics"),
];

/// The same times in the words of both.
const TIMES: [(&str, &str); 6] = [
    ("0 2 * * *", "*-*-* 02:00:00 UTC"),
    ("10 1 * * *", "*-*-* 01:10:00 UTC"),
    ("30 1 * * *", "*-*-* 01:30:00 UTC"),
    ("* * * * *", "*-*-* *:*:00 UTC"),
    ("*/5 * * * *", "*-*-* *:00/5:00 UTC"),
    ("7 * * * *", "*-*-* *:07:00 UTC"),
];

fn value(unit: &str, key: &str) -> String {
    let text = text(&format!("deploy/systemd/{unit}"));
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key}=")).map(str::to_owned));
    line.unwrap_or_else(|| panic!("{unit} has no {key}"))
}

#[test]
fn the_crontab_is_that_of_the_readme() {
    let lines = |file: &str| -> Vec<String> {
        text(file).lines().filter(|line| line.contains("cd /srv/mirror42")).map(str::to_owned).collect()
    };
    let (readme, file) = (lines("README.md"), lines("deploy/cron/mirror42"));
    assert!(readme.len() >= 5);
    assert_eq!(readme, file);
    assert_eq!(crontab().len(), readme.len(), "the file holds nothing else");
}

#[test]
fn every_line_of_the_crontab_has_a_timer_that_does_the_same() {
    for Line { when, limit, command } in crontab() {
        let (_, unit) = UNITS
            .iter()
            .find(|(word, _)| command.contains(word))
            .unwrap_or_else(|| panic!("no unit: {command}"));
        let (_, calendar) =
            TIMES.iter().find(|(cron, _)| *cron == when).unwrap_or_else(|| panic!("no calendar: {when}"));
        assert_eq!(value(&format!("mirror42-{unit}.timer"), "OnCalendar"), *calendar);
        let service = format!("mirror42-{unit}.service");
        let started = value(&service, "ExecStart").replace("/srv/mirror42/", "");
        assert_eq!(started, command);
        let seconds = if limit.ends_with(char::is_numeric) { format!("{limit}s") } else { limit };
        assert_eq!(value(&service, "TimeoutStartSec"), seconds);
        let script = command.split(' ').next().unwrap();
        assert!(script.starts_with("target/") || project(script).is_file(), "{script}");
    }
}

#[test]
fn systemd_takes_the_units_and_finds_them_confined() {
    let workdir = Workdir::new();
    need(&workdir, "systemd-analyze", "systemd-analyze systemd");
    // Here the tools are elsewhere, and one that is not built yet is not what is tested.
    let copy = format!(
        "cp -r {}/. units && cd units && sed -i 's|^ExecStart=/srv/mirror42/.*|ExecStart=/bin/true|' *.service \
         && sed -i 's|/srv/mirror42|{}|' *.service */*.conf",
        project("deploy/systemd").display(),
        workdir.path("").display()
    );
    drop(workdir.shell(&copy).expect(0));
    let verified = system(&workdir, "cd units && systemd-analyze verify ./*.service ./*.timer").expect(0);
    assert!(verified.stderr.is_empty(), "{verified:#?}");
    let services = workdir.shell("ls units/*.service").expect(0).stdout;
    assert!(services.lines().count() >= 6, "{services}");
    for service in services.lines() {
        // 0 is a cell, 10 an open door: 20 stands for 2.0.
        let line = format!("systemd-analyze security --no-pager --offline=yes --threshold=20 ./{service}");
        drop(system(&workdir, &line).expect(0));
    }
    // The same command sees what a unit lacks, and what confines all of them.
    drop(workdir.shell("rm -r units/mirror42-.service.d").expect(0));
    let open = system(
        &workdir,
        "systemd-analyze security --no-pager --offline=yes --threshold=20 ./units/mirror42-live.service",
    );
    assert_ne!(open.code, 0, "{open:#?}");
}
