//! The script that measures every minute, and the text it gives.

use crate::families::{self, asked, assert_printed, printed};
use crate::{promtool, system, text};
use end_to_end::World;
use std::os::unix::fs::PermissionsExt;
use testkit::{Run, Workdir};

const SCRIPT: &str = "scripts/cron/write_metrics.sh";
const RULES: &str = "deploy/prometheus/mirror42.rules.yml";
const DASHBOARD: &str = "deploy/grafana/mirror42.json";

/// A mirror in which there is something of everything: runs, one of them going on, a backlog, a quarantine, the end of a
/// secret.
fn filled() -> World {
    let world = World::new(&["--students", "120", "--secret-valid-until", "1800000000"]);
    for script in ["nightly_stable_tables.sh", "live_db_sync.sh", "backlog_worker.sh", "integrity_check.sh"] {
        let run = world.workdir.script(&format!("scripts/cron/{script}"), &[]);
        assert!(matches!(run.code, 0 | 3), "{run:#?}");
    }
    drop(world.run("job-run", &["--job", "token_refresh", "--", "true"]).expect(0));
    drop(world.run("backlog", &["add", "99999999", "for a test"]).expect(0));
    world.database.execute(
        "INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, total_items, items_processed,
             items_succeeded, items_failed, items_per_second, started_at, heartbeat_at, host, pid, lease)
         VALUES ('00000000-0000-4000-8000-00000000000a', 1, 'my_report', 'x', 'running', 10, 5, 5, 0, 1,
             now() - interval '100 s', now(), 'host', 7, 'l')",
    );
    world
}

/// The same world with a folder for the collector.
fn collected(mut world: World) -> World {
    std::fs::create_dir(world.workdir.path("collector")).unwrap();
    let textfile = world.workdir.path("collector/mirror42.prom").display().to_string();
    world.workdir.set("METRICS_TEXTFILE", &textfile);
    world
}

fn write(workdir: &Workdir) -> Run {
    workdir.script(SCRIPT, &[])
}

#[test]
fn the_text_is_what_prometheus_reads_and_nothing_else_is_asked_for() {
    let world = collected(filled());
    drop(write(&world.workdir).expect(0));
    let file = world.workdir.path("collector/mirror42.prom");
    let checked = promtool(&world.workdir, &format!("check metrics < {}", file.display())).expect(0);
    assert!(checked.stderr.is_empty(), "{checked:#?}");
    // The same command refuses a family that is there twice.
    let twice = format!("cat {0} {0} >twice && promtool check metrics <twice", file.display());
    assert_ne!(system(&world.workdir, &twice).code, 0);

    let written = world.workdir.read("collector/mirror42.prom");
    let printed = printed(&written);
    let scraped = families::printed(&world.run("pipeline-status", &["--openmetrics"]).stdout);
    assert!(scraped.len() > 30 && scraped.is_subset(&printed), "{scraped:?}");
    for name in ["backlog_oldest_timestamp_seconds", "api_calls_last_hour", "integrity_check_status"] {
        assert!(printed.contains(&format!("mirror42_{name}")), "{name}: {written}");
    }
    for file in [RULES, DASHBOARD] {
        let asked = asked(&text(file));
        assert!(asked.len() > 20, "{asked:?}");
        assert_printed(&asked, &printed);
        assert_followed(file, &tables(world.run("init-db", &["--list", "--live"])));
    }
    let all = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    let nightly = tables(world.run("init-db", &["--list"])).len().to_string();
    assert_eq!(nightly, world.database.value(all), "a rule holds the age of the nightly's against all");
}

/// The tables that init-db lists, sorted.
fn tables(listed: Run) -> Vec<String> {
    let listed = listed.expect(0).stdout;
    let mut tables: Vec<_> = listed.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    tables.sort();
    tables
}

/// Checks that the tables that are named where a watermark is asked for are those whose changes are followed.
fn assert_followed(file: &str, followed: &[String]) {
    let text = text(file).replace('\\', "");
    let mut read = 0;
    for expression in text.split("mirror42_table_watermark_timestamp_seconds").skip(1) {
        let list = expression.split("table=~\"").nth(1).unwrap().split('"').next().unwrap();
        let mut named: Vec<_> = list.split('|').map(str::to_owned).collect();
        named.sort();
        assert_eq!(named, followed, "{file}");
        read += 1;
    }
    assert!(read > 0, "{file}");
}

#[test]
fn what_is_dead_is_measured_too_and_nothing_is_said_of_it() {
    let mut world = collected(World::new(&["--students", "60"]));
    for (url, up) in
        [("postgresql:///x?host=/nonexistent&user=nobody", "0"), (world.database.url().as_str(), "1")]
    {
        world.workdir.set("DATABASE_URL", url);
        let run = write(&world.workdir).expect(0);
        assert!(run.stdout.is_empty() && run.stderr.is_empty(), "quiet, for cron: {run:#?}");
        let written = world.workdir.read("collector/mirror42.prom");
        assert!(written.contains(&format!("mirror42_database_up {up}\n")), "{written}");
        let status: serde_json::Value =
            serde_json::from_str(&world.workdir.read("logs/metrics_latest.json")).unwrap();
        assert_eq!(status["database"]["error"].is_string(), up == "0", "{status:#}");
    }
    let mode = std::fs::metadata(world.workdir.path("collector/mirror42.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "another user collects it");
    assert_eq!(world.workdir.shell("ls -A collector").expect(0).stdout, "mirror42.prom\n");
    // Without the API's settings there is less, and no failure.
    world.workdir.set("CLIENT_ID", "");
    drop(write(&world.workdir).expect(0));
    world.workdir.set("METRICS_TEXTFILE", "");
    drop(write(&world.workdir).expect(0));
}

#[test]
fn a_file_that_cannot_be_written_is_74_and_the_old_one_stays_whole() {
    let mut world = collected(World::new(&["--students", "60"]));
    drop(write(&world.workdir).expect(0));
    let before = world.workdir.read("collector/mirror42.prom");
    std::fs::create_dir(world.workdir.path("collector/mirror42.prom.new")).unwrap();
    let run = write(&world.workdir).expect(74);
    assert!(run.stderr.contains("mirror42.prom.new: Is a directory"), "{run:#?}");
    assert_eq!(world.workdir.read("collector/mirror42.prom"), before);
    std::fs::remove_dir(world.workdir.path("collector/mirror42.prom.new")).unwrap();
    // What was not measured is not published: not nothing, and not half.
    world.workdir.set("CURSUS_ID", "none");
    drop(write(&world.workdir).expect(78).complains(&["CURSUS_ID none"]));
    assert_eq!(world.workdir.read("collector/mirror42.prom"), before);
    world.workdir.set("CURSUS_ID", "21");
    // The folder of the log stays away, and what the collector reads is there nevertheless.
    std::fs::remove_file(world.workdir.path("logs/metrics_latest.json")).unwrap();
    std::fs::create_dir(world.workdir.path("logs/metrics_latest.json")).unwrap();
    let run = write(&world.workdir).expect(74);
    assert!(run.stderr.contains("metrics_latest.json: Is a directory"), "{run:#?}");
    assert_ne!(world.workdir.read("collector/mirror42.prom"), before);
}

#[test]
fn one_copy_measures_at_a_time() {
    let workdir = Workdir::new();
    workdir.write("logs/.write_metrics.lock", "");
    let lock = std::fs::File::open(workdir.path("logs/.write_metrics.lock")).unwrap();
    lock.lock().unwrap();
    let run = write(&workdir).expect(75);
    assert!(run.stderr.is_empty(), "every minute that is no news: {run:#?}");
    drop(lock);
    drop(write(&workdir).expect(0));
}
