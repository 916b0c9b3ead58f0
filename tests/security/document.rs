//! docs/SECURITY.md says of each risk what is done, and names the tests that hold it: they are there, and it leaves out none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The rows of its tables, as cells.
fn rows() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(root().join("docs/SECURITY.md")).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| risk"));
    lines
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// What stands in backticks and looks like `path::test`.
fn named(cell: &str) -> Vec<(String, String)> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted
        .filter_map(|text| text.split_once("::"))
        .map(|(path, test)| (path.to_owned(), test.to_owned()))
        .collect()
}

#[test]
fn every_row_is_done_or_refuted_and_names_tests_that_are_there() {
    let rows = rows();
    assert!(rows.len() > 25, "only {} rows", rows.len());
    for row in &rows {
        let [risk, state, held] = row.as_slice() else { panic!("three cells are wanted: {row:?}") };
        let is_known =
            ["done", "refuted", "done in part"].iter().any(|word| state.starts_with(&format!("**{word}**")));
        assert!(is_known, "{risk}: done, done in part or refuted? {state}");
        let tests = named(held);
        assert!(!tests.is_empty(), "{risk}: no test");
        for (path, test) in tests {
            let file = root().join(&path);
            let text =
                std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{risk}: {path}: {error}"));
            let found = text.split(&format!("fn {test}()")).next().filter(|before| before.len() < text.len());
            let attribute = found.map(|before| before.trim_end().ends_with("#[test]"));
            assert_eq!(attribute, Some(true), "{risk}: there is no test {test} in {path}");
        }
    }
}

#[test]
fn no_row_stands_there_twice() {
    let rows = rows();
    let risks: BTreeSet<_> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(risks.len(), rows.len());
}

#[test]
fn what_is_built_is_what_the_lock_file_says_and_was_looked_at() {
    let mut builds = 0;
    for name in
        ["scripts/test.sh", "scripts/quickstart.sh", "scripts/deny.sh", "README.md", "deploy/README.md"]
    {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        for line in text.lines().filter(|line| {
            ["cargo build --release", "cargo test", "cargo clippy", "cargo deny"]
                .iter()
                .any(|command| line.contains(command))
        }) {
            builds += 1;
            assert!(line.contains("--locked"), "{name}: {line}");
        }
    }
    assert!(builds >= 5, "only {builds} were seen");
    let checks = std::fs::read_to_string(root().join("scripts/test.sh")).unwrap();
    assert!(checks.lines().any(|line| line == "scripts/deny.sh"), "{checks}");
}

#[test]
fn no_tool_prints_a_spreadsheet() {
    for entry in std::fs::read_dir(root().join("docs/tools")).unwrap() {
        let path = entry.unwrap().path();
        let manual = std::fs::read_to_string(&path).unwrap().to_lowercase();
        // It reads one.
        assert!(path.ends_with("load-table.txt") || !manual.contains("csv"), "{}: {manual}", path.display());
    }
}
