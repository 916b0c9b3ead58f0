//! Which folder an export lives in.

use crate::{Kind, Scope};
use anyhow::{Context, Result};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use verdict::{Judge, Verdict};

/// A folder of exports: `exports/08_users/cursus_21`, or `…/campus_1` below it when only one campus was walked. It holds
/// the last full walk, `all.ndjson`, and the last window of changes, `changes.ndjson`; a place means one of the two.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    resource: String,
    scope: Scope,
    kind: Kind,
}

impl Place {
    /// The full export of a resource, given by its file's name, in a scope. Nothing is created.
    #[must_use]
    pub fn new(root: &Path, resource: &str, scope: Scope) -> Self {
        let mut folder = root.join(resource);
        if let Some(cursus) = scope.cursus {
            folder.push(format!("cursus_{cursus}"));
        }
        if let Some(campus) = scope.campus {
            folder.push(format!("campus_{campus}"));
        }
        Self { folder, resource: resource.to_owned(), scope, kind: Kind::Full }
    }

    /// The window of changes in the same folder.
    #[must_use]
    pub fn changes(self) -> Self {
        Self { kind: Kind::Changes, ..self }
    }

    /// The places of a resource that something was exported to, whatever their scope, full walks and changes.
    ///
    /// # Errors
    /// [`Verdict::Io`] when a folder cannot be read.
    pub fn found(root: &Path, resource: &str) -> Result<Vec<Self>> {
        let mut scopes = vec![Scope::default()];
        for cursus in numbers(&root.join(resource), "cursus_")? {
            scopes.push(Scope { cursus: Some(cursus), campus: None });
        }
        let mut places = Vec::new();
        for scope in scopes {
            let place = Self::new(root, resource, scope);
            let campuses = numbers(&place.folder, "campus_")?;
            let below = campuses.into_iter().map(|id| Scope { campus: Some(id), ..scope });
            places.extend(below.map(|scope| Self::new(root, resource, scope)));
            places.push(place);
        }
        Ok(places.into_iter().flat_map(|place| [place.clone(), place.changes()]).collect())
    }

    /// The folder that all exports live in: `EXPORTS_DIR`, or `exports` below the working directory.
    #[must_use]
    pub fn root() -> PathBuf {
        let named = std::env::var_os("EXPORTS_DIR").filter(|name| !name.is_empty());
        named.map_or_else(|| PathBuf::from("exports"), PathBuf::from)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The resource's file in the catalog, without `.toml`.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// What its exports cover.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// What its exports hold.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The NDJSON file.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.file(".ndjson")
    }

    /// The manifest beside it.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.file(".manifest.json")
    }

    /// What people turned out to be who are not in the export, one note a line: written by fetch-users, which holds the
    /// file of that name with the ending `.lock` meanwhile.
    #[must_use]
    pub fn looked_up(&self) -> PathBuf {
        self.folder.join("looked_up.ndjson")
    }

    /// A manifest that was written, but not yet put in place.
    pub(crate) fn next_manifest(&self) -> PathBuf {
        self.file(".manifest.json.next")
    }

    /// The pages of a walk that is not finished.
    #[must_use]
    pub fn part(&self) -> PathBuf {
        self.file(".ndjson.part")
    }

    /// How far that walk is.
    pub(crate) fn walk_state(&self) -> PathBuf {
        self.file(".walk.json")
    }

    /// What that walk had planned to read.
    pub(crate) fn walk_plan(&self) -> PathBuf {
        self.file(".plan.json")
    }

    /// Held by whoever writes: a walk of hours does not keep the changes away.
    pub(crate) fn lock(&self) -> PathBuf {
        self.file(".lock")
    }

    fn file(&self, ending: &str) -> PathBuf {
        let stem = match self.kind {
            Kind::Full => "all",
            Kind::Changes => "changes",
        };
        self.folder.join(format!("{stem}{ending}"))
    }
}

/// The numbers of the folders `cursus_21`, … below a folder, ascending.
fn numbers(folder: &Path, prefix: &str) -> Result<Vec<u64>> {
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| folder.display().to_string()).verdict(Verdict::Io)?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.with_context(|| folder.display().to_string()).verdict(Verdict::Io)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
