//! What is mirrored: one TOML file is one resource, from its path in the API to the columns of its table.
//!
//! The files of `resources/` are compiled in; `CATALOG_DIR` replaces them at run time, so that an operator adds a
//! resource without a compiler. The number in a file's name is its place in the pipeline: a resource may refer only to
//! those before it. An unknown key, a cycle or a reference to nothing is an error that names the file.
//!
//! # Layout
//! - [`resource`]: the types a file is read into. [`Claim`]: what else has to hold, for check-integrity.
//! - `check`: what has to hold within a file and between files.

mod check;
mod claim;
pub mod resource;

use anyhow::{Context, Result, bail};
pub use claim::{Claim, Mend, Severity};
pub use resource::{
    Column, Derive, Each, Fetch, Field, Find, Group, Live, Lookup, Personal, Resource, Source, Stamp, Type,
};
use std::path::Path;
use verdict::{Judge, Verdict};

/// The files that are compiled in, as (name, text), in order.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/resources.rs"));

/// All resources, in the order of their numbers: parents before children.
#[derive(Clone, Debug)]
pub struct Catalog {
    resources: Vec<Resource>,
}

impl Catalog {
    /// Reads the catalog: the folder that `CATALOG_DIR` names, or the files that are compiled in.
    ///
    /// # Errors
    /// [`Verdict::Config`] when a file cannot be read, says something unknown, or does not fit the others.
    pub fn load() -> Result<Self> {
        match std::env::var_os("CATALOG_DIR").filter(|folder| !folder.is_empty()) {
            Some(folder) => Self::from_folder(Path::new(&folder)),
            None => Self::parse(BUILT_IN),
        }
        .verdict(Verdict::Config)
    }

    /// Reads every `.toml` file of a folder.
    ///
    /// # Errors
    /// As [`Catalog::load`].
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let place = || format!("catalog {}", folder.display());
        let mut files = Vec::new();
        for entry in folder.read_dir().with_context(place)? {
            let path = entry.with_context(place)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let text =
                    std::fs::read_to_string(&path).with_context(|| format!("catalog {}", path.display()))?;
                files.push((name, text));
            }
        }
        if files.is_empty() {
            bail!("catalog {} holds no .toml file", folder.display());
        }
        Self::parse(&files)
    }

    /// Reads files given as (name, text), in any order.
    ///
    /// # Errors
    /// When a file says something unknown, or does not fit the others.
    pub fn parse<Text: AsRef<str>>(files: &[(Text, Text)]) -> Result<Self> {
        let mut resources = Vec::new();
        for (name, text) in files {
            resources.push(Resource::parse(name.as_ref(), text.as_ref())?);
        }
        resources.sort_by(|left, right| left.file.cmp(&right.file));
        check::all(&resources)?;
        Ok(Self { resources })
    }

    /// All resources, parents before children.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resource with this name (`campus`) or table (`campuses`).
    ///
    /// # Errors
    /// [`Verdict::Usage`] when there is none; the sentence lists those there are.
    pub fn find(&self, name: &str) -> Result<&Resource> {
        let found = self.resources.iter().find(|resource| resource.name == name || resource.table == name);
        found
            .with_context(|| format!("unknown resource `{name}`; there are {}", self.names()))
            .verdict(Verdict::Usage)
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.resources.iter().map(|resource| resource.name.as_str()).collect();
        names.join(", ")
    }

    /// The resource that a resource's records come from: the one walked through, or the one derived from.
    #[must_use]
    pub fn parent(&self, resource: &Resource) -> Option<&Resource> {
        let table = match &resource.source {
            Source::Fetch(fetch) => &fetch.each.as_ref()?.of,
            Source::Derive(derive) => &derive.from,
        };
        self.resources.iter().find(|candidate| candidate.table == *table)
    }

    /// The resource whose rows are the people: the one with `erase_at`.
    #[must_use]
    pub fn people(&self) -> Option<&Resource> {
        self.resources.iter().find(|resource| !resource.erase_at.is_empty())
    }

    /// The columns of a resource that hold the key of one of the people whose row it is: its own key, where its rows
    /// are the people, or else its references to them.
    #[must_use]
    pub fn owners<'a>(&self, resource: &'a Resource) -> Vec<&'a Column> {
        let Some(people) = self.people() else { return Vec::new() };
        if people.table == resource.table {
            return resource.column(&resource.key[0]).into_iter().collect();
        }
        let refers = |column: &&Column| column.references.as_ref() == Some(&people.table);
        resource.columns.iter().filter(refers).collect()
    }

    /// Whether a resource's records depend on the cursus: its path names it, or its parent's does.
    #[must_use]
    pub fn is_of_cursus(&self, resource: &Resource) -> bool {
        let named = matches!(&resource.source, Source::Fetch(fetch) if fetch.names_cursus());
        named || self.parent(resource).is_some_and(|parent| self.is_of_cursus(parent))
    }

    /// The tables that refer to a table, with the column that does.
    pub fn children<'a>(&'a self, table: &'a str) -> impl Iterator<Item = (&'a Resource, &'a Column)> {
        self.resources.iter().flat_map(move |resource| {
            let columns = resource.columns.iter();
            columns
                .filter(move |column| column.references.as_deref() == Some(table))
                .map(move |c| (resource, c))
        })
    }
}

#[cfg(test)]
mod tests;
