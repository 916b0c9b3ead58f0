//! Walls, names and manuals: what DESIGN promises of the house, looked up in the house.

use catalog::Catalog;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::Workdir;

const TOOLS: [&str; 13] = [
    "fetch-cursus",
    "fetch-users",
    "load-table",
    "init-db",
    "mock-api42",
    "backlog",
    "api-token",
    "job-run",
    "job-monitor",
    "pipeline-status",
    "monitor-server",
    "purge-people",
    "check-integrity",
];

/// It has exit codes of its own: they say how the mirror is, and 4 is whatever went wrong.
const OWN_CODES: &str = "check-integrity";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The crates that a crate is built from, tests aside.
fn crates_of(package: &str) -> BTreeSet<String> {
    let tree =
        ["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--package", package];
    let output = Command::new(env!("CARGO")).args(tree).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn fetch_cannot_reach_postgresql_and_load_cannot_reach_the_api() {
    for (tool, forbidden) in [
        ("fetch-cursus", ["postgres", "warehouse"]),
        ("fetch-users", ["postgres", "warehouse"]),
        ("api-token", ["postgres", "warehouse"]),
        ("load-table", ["ureq", "api42"]),
        ("init-db", ["ureq", "api42"]),
        ("backlog", ["ureq", "api42"]),
        ("job-run", ["ureq", "api42"]),
        ("job-monitor", ["api42", "fetch"]),
        ("monitor-server", ["ureq", "api42"]),
        ("purge-people", ["ureq", "api42"]),
        ("check-integrity", ["fetch", "api42"]),
    ] {
        let crates = crates_of(tool);
        assert!(crates.contains(tool));
        for name in forbidden {
            assert!(!crates.contains(name), "{tool} is built with {name}");
        }
    }
}

#[test]
fn no_tool_depends_on_another_tool_or_on_the_testkit() {
    for tool in TOOLS {
        let crates = crates_of(tool);
        let others = TOOLS.iter().filter(|other| **other != tool).copied().chain(["testkit"]);
        for other in others {
            assert!(!crates.contains(other), "{tool} is built with {other}");
        }
    }
}

#[test]
fn only_the_catalog_names_a_resource() {
    let catalog = Catalog::load().unwrap();
    // Two names are words of the language or of the API too.
    let names: Vec<_> = catalog.resources().iter().map(|resource| resource.table.as_str()).collect();
    let names: Vec<_> = names.into_iter().filter(|name| !["users", "cursus"].contains(name)).collect();
    let mut read = 0;
    for room in [
        "api42",
        "exports",
        "fetch",
        "warehouse",
        "tool",
        "fetch-cursus",
        "fetch-users",
        "load-table",
        "init-db",
        "backlog",
        "api-token",
        "journal",
        "job-run",
        "job-monitor",
        "pipeline-status",
        "monitor-server",
        "sibling",
        "purge-people",
        "check-integrity",
    ] {
        for file in sources(&root().join("crates").join(room).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.lines().take_while(|line| !line.contains("#[cfg(test)]"));
            for line in code.filter(|line| !line.trim_start().starts_with("//")) {
                read += 1;
                for name in &names {
                    assert!(!line.contains(&format!("\"{name}\"")), "{}: {line}", file.display());
                }
            }
        }
    }
    assert!(read > 1000, "only {read} lines were read");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            files.push(path);
        }
    }
    files
}

#[test]
fn help_is_the_manual() {
    let workdir = Workdir::new();
    for tool in TOOLS {
        let run = workdir.run(tool, &["--help"]).expect(0);
        let code = if tool == OWN_CODES { "4 error" } else { "75 busy or out of quota, try again later" };
        assert!(run.stdout.contains(code), "{tool} lists no exit codes");
        testkit::assert_golden(&format!("docs/tools/{tool}.txt"), &run.stdout);
    }
}

#[test]
fn every_tool_says_its_version_and_refuses_what_it_does_not_know() {
    let workdir = Workdir::new();
    for tool in TOOLS {
        assert!(workdir.run(tool, &["--version"]).expect(0).stdout.starts_with(tool));
        let refused = if tool == OWN_CODES { 4 } else { 2 };
        let run = workdir.run(tool, &["--no-such-option"]).expect(refused);
        assert!(run.stderr.contains("--no-such-option"));
    }
}

#[test]
fn the_readme_names_every_tool_script_and_table() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let catalog = Catalog::load().unwrap();
    let tables = catalog.resources().iter().map(|resource| resource.table.clone());
    let scripts = [
        "quickstart.sh",
        "test.sh",
        "simulated_day.sh",
        "faults.sh",
        "db.sh",
        "nightly_stable_tables.sh",
        "backup.sh",
        "restore.sh",
    ]
    .map(str::to_owned);
    for name in TOOLS.map(str::to_owned).into_iter().chain(tables).chain(scripts) {
        assert!(readme.contains(&name), "README.md says nothing of {name}");
    }
}

#[test]
fn cron_scripts_are_glue() {
    for entry in std::fs::read_dir(root().join("scripts/cron")).unwrap() {
        let path = entry.unwrap().path();
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines < 40, "{}: {lines} lines", path.display());
    }
}
