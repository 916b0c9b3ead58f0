//! Which folder an export lives in.

use crate::Scope;
use std::path::{Path, PathBuf};

/// A folder of exports: `exports/08_users/cursus_21`, or `…/campus_1` below it when only one campus was walked.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    resource: String,
    scope: Scope,
}

impl Place {
    /// The folder of a resource, given by its file's name, in a scope. Nothing is created.
    #[must_use]
    pub fn new(root: &Path, resource: &str, scope: Scope) -> Self {
        let mut folder = root.join(resource);
        if let Some(cursus) = scope.cursus {
            folder.push(format!("cursus_{cursus}"));
        }
        if let Some(campus) = scope.campus {
            folder.push(format!("campus_{campus}"));
        }
        Self { folder, resource: resource.to_owned(), scope }
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

    /// The NDJSON file of the last full walk.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("all.ndjson")
    }

    /// The manifest beside it.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.folder.join("all.manifest.json")
    }

    /// A manifest that was written, but not yet put in place.
    pub(crate) fn next_manifest(&self) -> PathBuf {
        self.folder.join("all.manifest.json.next")
    }

    /// The pages of a walk that is not finished.
    pub(crate) fn part(&self) -> PathBuf {
        self.folder.join("all.ndjson.part")
    }

    /// How far that walk is.
    pub(crate) fn walk_state(&self) -> PathBuf {
        self.folder.join("all.walk.json")
    }
}
