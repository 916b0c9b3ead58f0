//! What was done: counts by place, and ids. Never a name.

use anyhow::Error;
use exports::Rewritten;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use tool::Verdict;
use warehouse::erase::Sifted;

/// Examples that the text gives of a long list.
const EXAMPLES: usize = 5;

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Who was due.
    pub(crate) due: Vec<i64>,
    /// Who asked for it.
    pub(crate) requested: Vec<i64>,
    /// How many people are kept away, these included.
    pub(crate) kept_away: u64,
    /// Rows deleted, by table.
    pub(crate) tables: BTreeMap<String, u64>,
    pub(crate) quarantine: Sifted,
    /// Lines taken out, and lines of others without the people in them, by file.
    pub(crate) exports: BTreeMap<String, Rewritten>,
    /// Entries of the backlog.
    pub(crate) backlog: u64,
    /// Files below `EXPORTS_DIR` that nobody knows how to look into.
    pub(crate) unknown_files: Vec<String>,
    /// What could not be done; the next run does it.
    pub(crate) left: Vec<String>,
    pub(crate) seconds: f64,
    pub(crate) dry_run: bool,
    /// The first of what is left.
    #[serde(skip)]
    pub(crate) first: Option<Error>,
}

impl Report {
    /// Takes note of what became of a file.
    pub(crate) fn swept(&mut self, path: &Path, swept: anyhow::Result<Rewritten>) {
        match swept {
            Ok(rewritten) if rewritten.is_nothing() => {}
            Ok(rewritten) => drop(self.exports.insert(path.display().to_string(), rewritten)),
            Err(error) => self.trouble(error),
        }
    }

    /// Takes note of what could not be done.
    pub(crate) fn trouble(&mut self, error: Error) {
        self.left.push(format!("{error:#}"));
        // What is only busy says less than what is broken.
        let is_worse =
            |first: &Error| Verdict::of(first) == Verdict::Busy && Verdict::of(&error) != Verdict::Busy;
        if self.first.as_ref().is_none_or(is_worse) {
            self.first = Some(error);
        }
    }

    /// In words.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "{words}").unwrap_or_default();
        let (due, requested) = (self.due.len(), self.requested.len());
        let rehearsed = if self.dry_run { " (a rehearsal: nothing was changed)" } else { "" };
        line(format!("{due} due, {requested} asked for, {} are kept away{rehearsed}", self.kept_away));
        let tables = self.tables.iter().map(|(table, rows)| format!("{table} {rows}"));
        let tables: Vec<_> = tables.collect();
        line(format!("rows: {}", if tables.is_empty() { "none".to_owned() } else { tables.join(", ") }));
        let Sifted { deleted, cleansed } = self.quarantine;
        line(format!(
            "quarantine: {deleted} deleted, {cleansed} cleansed; backlog: {} entries",
            self.backlog
        ));
        for (file, Rewritten { dropped, replaced }) in &self.exports {
            line(format!("{file}: {dropped} lines taken out, {replaced} cleansed"));
        }
        if !self.unknown_files.is_empty() {
            let few: Vec<_> = self.unknown_files.iter().take(EXAMPLES).map(String::as_str).collect();
            let count = self.unknown_files.len();
            line(format!(
                "not looked into, because the catalog knows nothing of it: {count} files, such as {}",
                few.join(", ")
            ));
        }
        for left in &self.left {
            line(format!("left to the next run: {left}"));
        }
        text
    }
}
