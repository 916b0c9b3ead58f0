//! How a resource of the catalog becomes NDJSON: by its lists, or from another export, to stdout or to an export.
//!
//! `fetch-cursus` and `fetch-users` differ in the resources they offer and in nothing else, so what they do is here.
//!
//! # Layout
//! - [`Options`], [`run`]: the command line, and what it comes to.
//! - `plan`: which lists a resource is read from.
//! - `lists`: reading them. `derive`: reading another export instead.
//! - `rest`: what is in none of them.
//! - `changes`: following what changed in a list. `roster`: who belongs to the mirror, `memory`: who was looked up.
//! - `ids`: what belongs to some students.
//! - `anything`: any path of the API, the escape hatch.
//! - `record`: a record as one line. `sink`: where lines go. `summary`: what it came to.

mod anything;
mod changes;
mod derive;
mod ids;
mod lists;
mod memory;
mod options;
mod parent;
mod plan;
mod record;
mod rest;
mod roster;
mod sink;
mod summary;

use anyhow::{Context, Result, anyhow};
pub use catalog::Group;
use catalog::{Catalog, Resource, Source};
use chrono::Utc;
use exports::{Place, Scope, Snapshot};
pub use options::{Options, Part};
use summary::Summary;
use tool::{Judge, Verdict};

/// Fetches what the options ask for. Each resource ends with one line on stderr; the first failure decides the verdict.
///
/// # Errors
/// When the command line makes no sense, or when nothing but one resource was asked for and it failed.
pub fn run(name: &'static str, group: Group, options: &Options, part: &Part) -> Result<Verdict> {
    options.deadline.start(name);
    if let Some(path) = &options.path {
        return anything::print(name, &path.replace("{cursus}", &options.cursus.to_string()));
    }
    let catalog = Catalog::load()?;
    let resources = options.resources(&catalog, group)?;
    if !options.export {
        let [resource] = resources.as_slice() else {
            return Err(options::one_at_a_time(&catalog, group));
        };
        let job = Job { name, catalog: &catalog, resource, options, part };
        return job.print().with_context(|| resource.name.clone()).map(|()| Verdict::Done);
    }
    let mut verdict = Verdict::Done;
    for resource in &resources {
        let job = Job { name, catalog: &catalog, resource, options, part };
        let outcome = job.export().with_context(|| resource.name.clone());
        if resources.len() == 1 {
            return outcome.map(|()| Verdict::Done);
        }
        if let Err(error) = outcome {
            verdict = if verdict == Verdict::Done { Verdict::of(&error) } else { verdict };
            summary::complain(name, &error);
        }
    }
    Ok(verdict)
}

/// One resource to fetch, and how.
struct Job<'a> {
    name: &'static str,
    catalog: &'a Catalog,
    resource: &'a Resource,
    options: &'a Options,
    part: &'a Part,
}

impl Job<'_> {
    /// Prints the resource.
    fn print(&self) -> Result<()> {
        self.scope()?;
        if let Some(list) = &self.part.ids {
            return ids::print(self, list);
        }
        if let Some(since) = self.part.since {
            return changes::print(self, &changes::Window::of(self, since)?);
        }
        match &self.resource.source {
            Source::Fetch(fetch) => lists::print(self, fetch),
            Source::Derive(derive) => derive::print(self, derive),
        }
    }

    /// Brings the resource's export up to date.
    fn export(&self) -> Result<()> {
        let place = Place::new(&Place::root(), &self.resource.file, self.scope()?);
        if let Some(since) = self.part.since {
            return changes::export(self, &changes::Window::of(self, since)?, &place.changes());
        }
        match &self.resource.source {
            Source::Fetch(fetch) => {
                let question = plan::question(self, fetch);
                if self.is_fresh(&place, &question)? {
                    Ok(())
                } else {
                    lists::export(self, fetch, &question, &place)
                }
            }
            Source::Derive(derive) => {
                let parent = parent::open(self, &derive.from)?;
                let query = derive::query(self, derive, &parent)?;
                if self.is_fresh(&place, &query)? {
                    Ok(())
                } else {
                    derive::export(self, derive, parent, &place)
                }
            }
        }
    }

    /// The part of the world that is asked for.
    fn scope(&self) -> Result<Scope> {
        let cursus = self.catalog.is_of_cursus(self.resource).then_some(self.options.cursus);
        let campus = self.options.campus;
        if campus.is_some() && !plan::is_by_campus(self.resource) {
            let resource = &self.resource.name;
            return Err(anyhow!("--campus does not apply to {resource}: its list is not split by campus"))
                .verdict(Verdict::Usage);
        }
        Ok(Scope { cursus, campus })
    }

    /// Whether what is there will do; says so when it does.
    fn is_fresh(&self, place: &Place, query: &str) -> Result<bool> {
        if self.options.force {
            return Ok(false);
        }
        // A damaged export is no reason to stop here: it is what fetching again is for.
        let Ok(Some(snapshot)) = Snapshot::open(place) else { return Ok(false) };
        let fresh = snapshot.is_fresh(query, self.options.max_age(self.resource), Utc::now());
        if fresh {
            Summary::fresh(self.name, &self.resource.name, &snapshot.manifest);
        }
        Ok(fresh)
    }
}
