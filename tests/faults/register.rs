//! The register: which test holds which fault, and `docs/FAULTS.md`, which is made of it.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const HERE: &str = "tests/faults/";

const INTRODUCTION: &str = "\
# What can go wrong, and what happens then

Each fault is produced by the tests that are named; a test fails when its fault did not happen, when a tool does not end
as it says here, or when a row is lost. `scripts/test.sh` runs the short form of `tests/faults/` among all tests;
`scripts/faults.sh [SEED]` the whole of it, with a kill before every system call and two hundred at random, and then every
other test that is named here. Both say at their end what was injected, what survived, and what was skipped.

Made of `tests/faults/matrix.toml` by its own tests; do not edit.

";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    fault: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    number: u32,
    name: String,
    happens: String,
    #[serde(default)]
    needs: String,
    #[serde(default)]
    unproducible: String,
    #[serde(default)]
    tests: Vec<String>,
}

fn matrix() -> Vec<Row> {
    toml::from_str::<Matrix>(include_str!("matrix.toml")).unwrap().fault
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The tests of a source file that are run, and what stands in them.
fn tests_of(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // Attributes may stand between the two.
    let parts = text.split("#[test]").skip(1).filter_map(|rest| rest.split_once("fn "));
    let parts = parts.filter(|(attributes, _)| !attributes.contains("#[ignore"));
    parts
        .filter_map(|(_, rest)| rest.split_once('('))
        .map(|(name, rest)| (name.into(), rest.into()))
        .collect()
}

/// The tests of this folder: the file, the name, and what stands in it.
fn tests_here() -> Vec<(String, String, String)> {
    let entries = std::fs::read_dir(root().join(HERE)).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let of_file = |path: PathBuf| {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        tests_of(&path).into_iter().map(move |(name, text)| (file.clone(), name, text))
    };
    files.flat_map(of_file).filter(|(file, ..)| file != "register").collect()
}

#[test]
fn every_fault_has_a_test_or_a_reason_why_it_has_none() {
    let rows = matrix();
    let numbers: Vec<u32> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    for row in rows {
        assert!(
            !row.tests.is_empty() || !row.unproducible.is_empty(),
            "fault {} is held by nothing",
            row.number
        );
        assert!(row.happens.ends_with('.') && !row.name.is_empty(), "fault {}", row.number);
    }
}

#[test]
fn every_test_that_is_named_exists_and_every_test_here_is_named() {
    let mut files = BTreeMap::new();
    let mut named = BTreeSet::new();
    for test in matrix().iter().flat_map(|row| &row.tests) {
        let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{test} is not FILE::NAME"));
        let tests = files.entry(file.to_owned()).or_insert_with(|| tests_of(&root().join(file)));
        assert!(tests.contains_key(name), "{test} is in the register and not in the sources");
        named.insert(test.clone());
    }
    for (file, name, _) in tests_here() {
        let test = format!("{HERE}{file}.rs::{name}");
        assert!(named.contains(&test), "{test} holds a fault and is not in the register");
    }
}

#[test]
fn a_test_that_may_be_skipped_says_its_name_and_the_register_what_it_needs() {
    let rows = matrix();
    let can_be_skipped: Vec<_> =
        tests_here().into_iter().filter(|(.., text)| text.contains("skip(")).collect();
    assert!(can_be_skipped.len() > 5, "{can_be_skipped:#?}");
    for (file, name, text) in can_be_skipped {
        assert!(text.contains(&format!("\"{file}::{name}\"")), "{name} is skipped under another name");
        let test = format!("{HERE}{file}.rs::{name}");
        let said = rows.iter().any(|row| row.tests.contains(&test) && !row.needs.is_empty());
        assert!(said, "the register does not say what {test} needs");
    }
}

#[test]
fn the_document_is_what_the_register_says() {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("| | fault | what happens | held by |\n|--:|---|---|---|\n");
    let rows = matrix();
    for row in &rows {
        let tests: Vec<String> = row.tests.iter().map(|test| format!("`{test}`")).collect();
        writeln!(text, "| {} | {} | {} | {} |", row.number, row.name, row.happens, tests.join("<br>"))
            .unwrap();
    }
    text.push_str("\n## What cannot be produced on one machine\n");
    for row in rows.iter().filter(|row| !row.unproducible.is_empty()) {
        writeln!(text, "- {}, {}: {}", row.number, row.name, row.unproducible).unwrap();
    }
    text.push_str("\n## What some tests need\nWithout it they are skipped, and say so.\n");
    for row in rows.iter().filter(|row| !row.needs.is_empty()) {
        writeln!(text, "- {}, {}: {}.", row.number, row.name, row.needs).unwrap();
    }
    testkit::assert_golden("docs/FAULTS.md", &text);
}
