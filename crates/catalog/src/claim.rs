//! Claims about the mirror that types, keys and references cannot hold: check-integrity looks whether they are true.

use crate::Resource;
use anyhow::{Result, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

/// Something that rows have to agree in, with a query that says which do not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its name, and that of the check.
    pub name: String,
    /// One sentence for people.
    pub about: String,
    /// How bad it is when it does not hold.
    pub severity: Severity,
    /// What the query reads, as `table.column`. Where one is absent, there is nothing to check; where they are of several
    /// tables, each has to have been loaded whole once.
    pub needs: Vec<String>,
    /// Names of the two things that are compared.
    pub left: String,
    /// See `left`.
    pub right: String,
    /// What mends it.
    pub mend: Mend,
    /// One row for each row or pair that is compared: `subject`, null where all is well, else a `jsonb` object that
    /// names what is not, by keys only; `left_value` and `right_value`, what was found. `{cursus}` stands for the
    /// cursus' id, `{settled}` for the instant after which a row is too young to be judged.
    pub sql: String,
    /// More keys of a finding: name → JSON pointer into it.
    #[serde(default)]
    pub also: BTreeMap<String, String>,
}

/// How bad it is when something does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Only a large share of it matters.
    #[default]
    Warning,
    /// A single one matters.
    Error,
    /// A single one is an emergency.
    Critical,
}

/// What mends a claim that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mend {
    /// The rows of this resource that hang on `subject.user_id` are fetched again.
    RefetchRows,
    /// Whom `subject.user_id` names is fetched again, with all that hangs on him.
    BacklogAddUser,
    /// The resource's export is loaded again.
    ReloadExport,
}

/// Keys that every finding has.
const TAKEN: [&str; 13] = [
    "check",
    "table",
    "subject",
    "left",
    "right",
    "severity",
    "rows",
    "recommended_action",
    "command",
    "first_seen",
    "last_seen",
    "times_seen",
    "reopened",
];

/// Checks the claims of all files.
pub(crate) fn fit(resources: &[Resource]) -> Result<()> {
    let mut names = HashSet::new();
    for resource in resources {
        for claim in &resource.claims {
            let (file, name) = (&resource.file, &claim.name);
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            ensure!(
                !name.is_empty() && name.len() <= 50 && name.bytes().all(plain),
                "catalog {file}: claim `{name}` is no name: a-z, 0-9, _, 50 at most"
            );
            ensure!(names.insert(name), "catalog {file}: the claim `{name}` is there twice");
            for need in &claim.needs {
                ensure!(
                    need.split('.').filter(|part| !part.is_empty()).count() == 2,
                    "catalog {file}: claim {name}: `{need}` is no table.column"
                );
            }
            for (key, pointer) in &claim.also {
                ensure!(
                    pointer.starts_with('/') && !TAKEN.contains(&key.as_str()),
                    "catalog {file}: claim {name}: also.{key}: a new key, and a JSON pointer into the finding"
                );
            }
            ensure!(!claim.needs.is_empty(), "catalog {file}: claim {name} needs at least one table.column");
        }
    }
    Ok(())
}
