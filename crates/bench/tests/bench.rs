//! The bench at work, small, on a server of its own.

use std::path::Path;
use testkit::{Server, Workdir};

const RUNS: &str = "runs.ndjson";

/// Measures two small tables for one round; gives the folder with the runs.
fn measured(server: &Server) -> Workdir {
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", server.url());
    let folder = workdir.path("data").display().to_string();
    let plan = ["--rows", "500", "--rounds", "1", "--only", "users", "--only", "real users", "--runs", RUNS];
    let places = ["--folder", &folder, "--peers", "peers"];
    let _measured = workdir.run("bench", &[&["measure"][..], &plan, &places].concat()).expect(0);
    workdir
}

/// The cells of a contender's line in the table of a workload.
fn cells(table: &str, workload: &str, contender: &str) -> Vec<String> {
    let section = table.split("### ").find(|section| section.starts_with(&format!("{workload}, ")));
    let line = section.and_then(|section| section.lines().find(|line| line.contains(contender)));
    let line = line.unwrap_or_else(|| panic!("no {contender} of {workload} in {table}"));
    line.split('|').skip(2).map(|cell| cell.trim().to_owned()).collect()
}

fn without(workdir: &Workdir, words: &str) {
    let text = workdir.read(RUNS);
    let lines = text.lines().filter(|line| !line.contains(words)).map(|line| format!("{line}\n"));
    workdir.write(RUNS, &lines.collect::<String>());
}

#[test]
fn a_table_is_made_of_rounds_and_of_no_round_without_its_floor() {
    let server = Server::start();
    let workdir = measured(&server);
    let table = workdir.run("bench", &["table", RUNS]).expect(0).stdout;
    for workload in ["users", "real users"] {
        assert_eq!(cells(&table, workload, "raw \\copy")[0], "**1.00** (once)");
        for loader in ["load-table", "floor: text to a stage, joined"] {
            let cells = cells(&table, workload, loader);
            assert!(cells[..3].iter().all(|cell| cell.starts_with("**")), "{cells:?}");
            // 22 of 500 rows differ, two of them are new. None is wrong.
            assert_eq!((cells[6].as_str(), cells[7].as_str()), ("0 / 22", "0"), "{cells:?}");
        }
    }
    assert!(cells(&table, "users", "DuckDB")[0].contains("--install-peers"));
    without(&workdir, r#""contender":"raw"#);
    let refused = workdir.run("bench", &["table", RUNS]).expect(65);
    assert!(refused.stderr.contains("there is no ratio of different rounds"), "{refused:#?}");
    assert!(refused.stdout.is_empty());
}

#[test]
fn the_peers_have_versions() {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/requirements.txt");
    let text = std::fs::read_to_string(requirements).unwrap();
    let peers: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(peers.len() > 3 && peers.iter().all(|line| line.contains("==")), "{peers:?}");
}

#[test]
fn a_server_elsewhere_is_left_alone() {
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", "postgresql://mirror.invalid/mirror42");
    let refused =
        workdir.run("bench", &["measure", "--folder", "data", "--runs", RUNS, "--peers", "peers"]).expect(78);
    assert!(refused.stderr.contains("scripts/bench.sh brings up one of its own"), "{refused:#?}");
}
