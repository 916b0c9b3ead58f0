//! What is checked: derived from the catalog, so that a resource that is added brings its checks along.
//!
//! # Layout
//! - this file: a check as data, and all of them.
//! - `exports`, `references`, `loads`, `claims`: those that are one statement each.
//! - `freshness`: the one that holds runs of jobs against their schedules.

mod claims;
mod exports;
pub(crate) mod freshness;
mod loads;
mod references;

use crate::action::{Action, Remedy};
use crate::level::Weight;
use anyhow::{Result, anyhow};
use catalog::{Catalog, Severity};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use tool::{Judge, Verdict};

/// When a row is old enough to be judged, as SQL: what hangs on it may still be on its way.
pub(crate) const SETTLED: &str = "(now() - interval '10 minutes')";

/// In a statement: the table of people who were erased (`user_id`, `erased_at`, `lifted_at`), whom no export brings back.
pub(crate) const ERASED: &str = "{erased}";

/// One check of one pair of facts.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) name: String,
    /// Another name for it and its likes.
    pub(crate) alias: Option<String>,
    /// The table whose rows are looked at; none when it is about several.
    pub(crate) table: Option<String>,
    pub(crate) about: String,
    pub(crate) severity: Severity,
    pub(crate) weight: Weight,
    /// Tables and columns that it reads.
    pub(crate) needs: Vec<(String, String)>,
    /// Tables that have to have been loaded whole once.
    pub(crate) wants_whole: Vec<String>,
    /// Sources of what is compared.
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) mend: Mend,
    /// More keys of a finding.
    pub(crate) also: BTreeMap<String, String>,
    pub(crate) body: Body,
}

/// How it is looked into.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A statement with a row for each thing compared: `subject` (null where all is well), `left_value`, `right_value`.
    Units(String),
    /// The same, grouped already: with `rows`.
    Groups(String),
    /// The same, against the keys of the table's last full export.
    Export(Side),
    /// Runs of jobs and loads against schedules and exports.
    Schedules,
}

/// Which side of an export and its table has more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Export,
    Table,
}

/// How a finding's remedy is made of its subject.
#[derive(Clone, Debug)]
pub(crate) struct Mend {
    pub(crate) action: Action,
    /// The table it is done to; none when the subject names it.
    pub(crate) target: Option<String>,
    /// The key of the subject that holds an id.
    pub(crate) id: Option<&'static str>,
}

impl Mend {
    fn of_table(action: Action, table: &str) -> Self {
        Self { action, target: Some(table.to_owned()), id: None }
    }

    pub(crate) fn remedy(&self, subject: &Value) -> Remedy {
        let text = |key: &str| match &subject[key] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let target = self.target.clone().unwrap_or_else(|| text("table"));
        Remedy { action: self.action, target, ids: self.id.map(text).into_iter().collect() }
    }
}

impl Check {
    /// Tables that it reads: while one of them is being loaded, it waits.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().map(|(table, _)| table.as_str())
    }

    fn is_called(&self, name: &str) -> bool {
        let whole = self.table.as_ref().map(|table| format!("{}:{table}", self.name));
        self.name == name || self.alias.as_deref() == Some(name) || whole.as_deref() == Some(name)
    }
}

/// Every check that the catalog gives rise to, in the order in which they are reported.
///
/// # Errors
/// [`Verdict::Config`] when two have one name.
pub(crate) fn all(catalog: &Catalog, cursus: u64) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for resource in catalog.resources() {
        checks.extend(exports::of(resource));
    }
    for resource in catalog.resources() {
        checks.extend(references::of(catalog, resource));
    }
    for resource in catalog.resources() {
        checks.extend(claims::of(catalog, resource, cursus));
    }
    for resource in catalog.resources() {
        checks.push(loads::count(resource));
    }
    checks.extend([loads::watermarks(catalog), freshness::check()]);
    let mut seen = HashSet::new();
    for check in &checks {
        if !seen.insert((&check.name, &check.table)) {
            let problem = format!("catalog: the claim `{}` has the name of another check", check.name);
            return Err(anyhow!(problem).verdict(Verdict::Config));
        }
    }
    Ok(checks)
}

/// The checks that are meant by names; all when there are none.
///
/// # Errors
/// [`Verdict::Usage`] when nothing is called so.
pub(crate) fn named(checks: Vec<Check>, names: &[String]) -> Result<Vec<Check>> {
    for name in names {
        if !checks.iter().any(|check| check.is_called(name)) {
            return Err(
                anyhow!("no check `{name}`; check-integrity checks lists them").verdict(Verdict::Usage)
            );
        }
    }
    let is_meant = |check: &Check| names.is_empty() || names.iter().any(|name| check.is_called(name));
    Ok(checks.into_iter().filter(is_meant).collect())
}

/// `("users", "id"), …`, for the columns of a table.
fn needs(table: &str, columns: &[&str]) -> Vec<(String, String)> {
    columns.iter().map(|column| (table.to_owned(), (*column).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str]) -> Vec<String> {
        let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        let checks = named(all(&Catalog::load().unwrap(), 21).unwrap(), &asked).unwrap();
        let name = |check: &Check| match &check.table {
            Some(table) => format!("{}:{table}", check.name),
            None => check.name.clone(),
        };
        checks.iter().map(name).collect()
    }

    #[test]
    fn the_catalog_gives_rise_to_every_check() {
        let all = names(&[]);
        for kind in ["export_rows_in_db", "db_rows_not_in_export", "load_count_vs_rows"] {
            assert_eq!(
                all.iter().filter(|name| name.starts_with(&format!("{kind}:"))).count(),
                13,
                "{all:?}"
            );
        }
        for name in [
            "user_level_vs_cursus_user:cursus_users",
            "cursus_membership:cursus_users",
            "projects_users_user_fk:projects_users",
            "projects_users_project_fk:projects_users",
            "project_mark_coherence:projects_users",
            "watermark_vs_data",
            "freshness_vs_schedule",
        ] {
            assert!(all.contains(&name.to_owned()), "{name} is not among {all:?}");
        }
    }

    #[test]
    fn a_check_is_meant_by_name_by_alias_and_by_name_and_table() {
        assert_eq!(names(&["export_rows_in_db"]).len(), 13);
        assert_eq!(names(&["export_rows_in_db:users"]), ["export_rows_in_db:users"]);
        let two =
            ["coalitions_users_coalition_fk:coalitions_users", "coalitions_users_user_fk:coalitions_users"];
        assert_eq!(names(&["coalitions_users_fk"]), two);
        let refused = named(Vec::new(), &["nope".to_owned()]).unwrap_err();
        assert_eq!(Verdict::of(&refused), Verdict::Usage);
    }
}
