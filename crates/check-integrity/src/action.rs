//! What mends a finding: one vocabulary, each word of it a command that exists.

use catalog::{Catalog, Resource};
use std::fmt::Write;

/// So many ids go into a line of shell; more than that nobody reads.
const MOST_IDS: usize = 1000;

/// What is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// The export of a table is loaded again, at no call of the API.
    ReloadExport,
    /// The same, where rows are in the table that the export lacks: a complete export deletes them, up to --max-prune.
    ReviewDeletion,
    /// The list of the missing parents is fetched again and loaded; what waited for them comes by itself.
    RefetchParent,
    /// Students are fetched again, with all that hangs on them.
    BacklogAddUser,
    /// The rows of a table that hang on some students are fetched again.
    RefetchRows,
    /// The watermark goes back to where loads prove it.
    RewindWatermark,
    /// A table is fetched whole again, and loaded.
    RerunStage,
    /// A job did not run, or failed: its schedule and its last runs are to be looked at. Nothing is mended by it.
    CheckCronAndToken,
}

impl Action {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ReloadExport => "reload_export",
            Self::ReviewDeletion => "review_deletion",
            Self::RefetchParent => "refetch_parent",
            Self::BacklogAddUser => "backlog_add_user",
            Self::RefetchRows => "refetch_rows",
            Self::RewindWatermark => "rewind_watermark",
            Self::RerunStage => "rerun_stage",
            Self::CheckCronAndToken => "check_cron_and_token",
        }
    }
}

/// An action, and what it is done to. Those of one action and target are done together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remedy {
    pub(crate) action: Action,
    /// A table; the name of a job for [`Action::CheckCronAndToken`].
    pub(crate) target: String,
    /// The ids of students, for actions that want them.
    pub(crate) ids: Vec<String>,
}

/// Tools that are run together: what one prints, the next one reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) tools: Vec<Vec<String>>,
    /// What the first one reads.
    pub(crate) input: Option<String>,
}

impl Remedy {
    /// The steps, each to be done only when the one before went well.
    pub(crate) fn steps(&self, catalog: &Catalog) -> Vec<Step> {
        let target = self.target.as_str();
        let fetch = catalog.find(target).map_or("fetch-users", |resource: &Resource| resource.group.tool());
        let load = || Step::of(&[&["load-table", target, "--export"]]);
        match self.action {
            Action::ReloadExport | Action::ReviewDeletion => vec![load()],
            Action::RefetchParent | Action::RerunStage => {
                vec![Step::of(&[&[fetch, "--export", "--force", target]]), load()]
            }
            Action::RefetchRows => {
                vec![Step::of(&[&[fetch, target, "--ids", "-"], &["load-table", target]]).reading(&self.ids)]
            }
            Action::BacklogAddUser => {
                let add = Step::of(&[&["backlog", "add", "-", "check-integrity"]]).reading(&self.ids);
                vec![add, Step::of(&[&["backlog", "process"]])]
            }
            Action::RewindWatermark => vec![Step::of(&[&["load-table", target, "--rewind-watermark"]])],
            Action::CheckCronAndToken => {
                vec![Step::of(&[&["job-monitor", "history", "--job", target, "--limit", "5"]])]
            }
        }
    }

    /// The steps as one line of shell.
    pub(crate) fn command(&self, catalog: &Catalog) -> String {
        let steps = self.steps(catalog);
        steps.iter().map(Step::shell).collect::<Vec<_>>().join(" && ")
    }

    /// Takes the ids of another one of the same action and target.
    pub(crate) fn join(&mut self, other: Self) {
        for id in other.ids {
            if !self.ids.contains(&id) && self.ids.len() < MOST_IDS {
                self.ids.push(id);
            }
        }
    }
}

impl Step {
    fn of(tools: &[&[&str]]) -> Self {
        let owned = |words: &&[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self { tools: tools.iter().map(owned).collect(), input: None }
    }

    /// Has the first tool read these, one a line.
    fn reading(mut self, ids: &[String]) -> Self {
        self.input = Some(ids.iter().map(|id| format!("{id}\n")).collect());
        self
    }

    /// The step as a person types it.
    pub(crate) fn shell(&self) -> String {
        let mut line = String::new();
        if let Some(input) = &self.input {
            let words: Vec<_> = input.lines().map(quoted).collect();
            // Writing to a string cannot fail.
            write!(line, "printf '%s\\n' {} | ", words.join(" ")).unwrap_or_default();
        }
        let tool = |words: &Vec<String>| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        line + &self.tools.iter().map(tool).collect::<Vec<_>>().join(" | ")
    }
}

fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(action: Action, target: &str, ids: &[&str], expected: &str) {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let remedy = Remedy { action, target: target.to_owned(), ids };
        assert_eq!(remedy.command(&Catalog::load().unwrap()), expected);
    }

    #[test]
    fn every_action_is_a_line_of_shell() {
        check(Action::ReloadExport, "users", &[], "load-table users --export");
        check(Action::ReviewDeletion, "users", &[], "load-table users --export");
        let parent = "fetch-cursus --export --force coalitions && load-table coalitions --export";
        check(Action::RefetchParent, "coalitions", &[], parent);
        let rows = "printf '%s\\n' 7 9 | fetch-users projects_users --ids - | load-table projects_users";
        check(Action::RefetchRows, "projects_users", &["7", "9"], rows);
        let users = "printf '%s\\n' 7 | backlog add - check-integrity && backlog process";
        check(Action::BacklogAddUser, "users", &["7"], users);
        check(Action::RewindWatermark, "users", &[], "load-table users --rewind-watermark");
        let stage = "fetch-users --export --force users && load-table users --export";
        check(Action::RerunStage, "users", &[], stage);
        let job = "job-monitor history --job live_sync --limit 5";
        check(Action::CheckCronAndToken, "live_sync", &[], job);
    }

    #[test]
    fn a_strange_word_stays_one_word() {
        check(Action::ReloadExport, "a'b; c", &[], r"load-table 'a'\''b; c' --export");
    }
}
