//! The names of the metrics: those that are printed, and those that are asked for.

use std::collections::BTreeSet;

/// What pipeline-status prints once `check-integrity` has run. Each is to be taken off this list when it is printed here; a
/// name that is printed already fails the test.
pub(crate) const NOT_YET: [&str; 3] = [
    "mirror42_integrity_check_timestamp_seconds",
    "mirror42_integrity_consistency_ratio",
    "mirror42_integrity_violations",
];

/// What node_exporter says of its own files.
const OF_THE_COLLECTOR: &str = "node_textfile_mtime_seconds";

/// The families of a text, each by its line of TYPE.
pub(crate) fn printed(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The metrics that expressions ask for.
pub(crate) fn asked(expressions: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    let words = expressions.split(|character| !is_part(character));
    words
        .filter(|word| word.starts_with("mirror42_") || *word == OF_THE_COLLECTOR)
        .map(str::to_owned)
        .collect()
}

/// Checks that everything that is asked for is printed, or will be.
///
/// # Panics
/// When it is not; or when something is on the list that has no place there any more.
pub(crate) fn assert_printed(asked: &BTreeSet<String>, printed: &BTreeSet<String>) {
    let known = |name: &&String| {
        printed.contains(*name) || NOT_YET.contains(&name.as_str()) || *name == OF_THE_COLLECTOR
    };
    let unknown: Vec<_> = asked.iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "nobody prints {unknown:?}");
    let done: Vec<_> = NOT_YET.iter().filter(|name| printed.contains(**name)).collect();
    assert!(done.is_empty(), "{done:?} are printed now: take them off the list");
}
