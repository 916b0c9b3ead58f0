//! What the catalog says of the people of the backlog: their table, and the tables that hang on it.

use anyhow::{Result, anyhow};
use catalog::{Catalog, Resource, Source};
use tool::{Judge, Verdict};

/// Whom the backlog fetches, and what along with them.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The table whose ids are in the backlog.
    pub(crate) people: &'a Resource,
    /// The tables that are walked by those ids, parents first.
    pub(crate) hanging: Vec<&'a Resource>,
}

impl<'a> Plan<'a> {
    /// Finds the one table whose ids can be looked up and that others are walked by.
    ///
    /// # Errors
    /// [`Verdict::Config`] when a catalog of the operator's own has none, or several.
    pub(crate) fn of(catalog: &'a Catalog) -> Result<Self> {
        let walked_by = |table: &str| {
            catalog.resources().iter().filter(|resource| walks(resource, table)).collect::<Vec<_>>()
        };
        let mut people = catalog
            .resources()
            .iter()
            .filter(|resource| resource.lookup.is_some() && !walked_by(&resource.table).is_empty());
        let (Some(first), None) = (people.next(), people.next()) else {
            let wanted = "exactly one resource with [lookup] has to be the `each.of` of others";
            return Err(
                anyhow!("catalog: {wanted}; the backlog cannot tell whom it holds").verdict(Verdict::Config)
            );
        };
        Ok(Self { people: first, hanging: walked_by(&first.table) })
    }

    /// JSON pointer to the id in a record of theirs.
    pub(crate) fn pointer(&self) -> &str {
        self.people.column(&self.people.key[0]).map_or("/id", |column| column.from.as_str())
    }
}

fn walks(resource: &Resource, table: &str) -> bool {
    matches!(&resource.source, Source::Fetch(fetch) if fetch.each.as_ref().is_some_and(|each| each.of == table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_says_who_is_in_the_backlog() {
        let catalog = Catalog::load().unwrap();
        let plan = Plan::of(&catalog).unwrap();
        let hanging: Vec<_> = plan.hanging.iter().map(|resource| resource.table.as_str()).collect();
        assert_eq!((plan.people.table.as_str(), plan.pointer()), ("users", "/id"));
        assert_eq!(hanging, ["cursus_users", "projects_users", "achievements_users", "coalitions_users"]);
    }
}
