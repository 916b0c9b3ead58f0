//! The names of the metrics: those that are printed, and those that are asked for.

use std::collections::BTreeSet;

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

/// Checks that everything that is asked for is printed.
///
/// # Panics
/// When it is not.
pub(crate) fn assert_printed(asked: &BTreeSet<String>, printed: &BTreeSet<String>) {
    let unknown = asked.iter().filter(|name| !printed.contains(*name) && *name != OF_THE_COLLECTOR);
    let unknown: Vec<_> = unknown.collect();
    assert!(unknown.is_empty(), "nobody prints {unknown:?}");
}
