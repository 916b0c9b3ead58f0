//! Files that hold what a tool is expected to print.

use crate::workdir::root;

/// Compares a text with a file of the project; `UPDATE_GOLDEN=1` writes it instead, for the diff to be reviewed.
///
/// # Panics
/// When they differ.
pub fn assert_golden(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    let first = expected.lines().zip(text.lines()).position(|(left, right)| left != right);
    assert!(
        expected == text,
        "{path} differs from line {}; UPDATE_GOLDEN=1 rewrites it:\n{text}",
        first.map_or(0, |n| n + 1)
    );
}
