//! The command line of both fetching tools.

use anyhow::{Result, anyhow};
use catalog::{Catalog, Group, Resource};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use tool::{Deadline, Judge, Verdict, number_or};

/// Seconds for which an export is fresh.
const HOUR: u32 = 3600;

/// What to fetch, and where to.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Resources by name or table; one goes to stdout, with --export as many as you like, none meaning all
    #[arg(value_name = "RESOURCE")]
    names: Vec<String>,
    /// Write an export (whole or absent, with a manifest) instead of stdout
    #[arg(long)]
    pub(crate) export: bool,
    /// Print any path of the API as NDJSON, to its last page unless it names page or per_page:
    /// /v2/campus/1/users?filter[pool_year]=2024; {cursus} stands for the cursus' id
    #[arg(long, value_name = "PATH", conflicts_with_all = ["names", "export", "campus"])]
    pub(crate) path: Option<String>,
    /// Id of the cursus
    #[arg(long, value_name = "ID", env = "CURSUS_ID", hide_env_values = true)]
    #[arg(default_value_t = 21, value_parser = number_or(21))]
    pub(crate) cursus: u64,
    /// Only what belongs to the campus with this id
    #[arg(long, value_name = "ID")]
    pub(crate) campus: Option<u64>,
    /// An export whose walk began less than this many seconds ago is not fetched again
    /// [default: 3600, or what the catalog says of the resource]
    #[arg(long, value_name = "SECONDS", requires = "export")]
    max_age: Option<u32>,
    /// Fetch even what is fresh
    #[arg(long, requires = "export")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) deadline: Deadline,
}

impl Options {
    /// The resources asked for, in the order of the catalog.
    pub(crate) fn resources<'a>(&self, catalog: &'a Catalog, group: Group) -> Result<Vec<&'a Resource>> {
        for name in &self.names {
            let resource = catalog.find(name)?;
            let wanted = resource.group;
            if wanted != group {
                return Err(anyhow!("`{name}` is fetched by {}", wanted.tool()).verdict(Verdict::Usage));
            }
        }
        let wanted = |resource: &&Resource| {
            let named = self.names.iter().any(|name| *name == resource.name || *name == resource.table);
            resource.group == group && (named || self.names.is_empty())
        };
        Ok(catalog.resources().iter().filter(wanted).collect())
    }

    /// Age from which an export of a resource is fetched again.
    pub(crate) fn max_age(&self, resource: &Resource) -> TimeDelta {
        let seconds = self.max_age.or(resource.fresh_for).unwrap_or(HOUR);
        TimeDelta::seconds(i64::from(seconds))
    }
}

/// Less than everything: what changed in a window, or what belongs to some students.
#[derive(clap::Args, Debug, Default)]
pub struct Part {
    /// Only records that changed since this instant (2025-12-13T02:35:00Z or 2025-12-13), oldest change first where the
    /// API sorts; with --export into changes.ndjson
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    #[arg(conflicts_with_all = ["path", "campus", "max_age", "force"])]
    pub(crate) since: Option<DateTime<Utc>>,
    /// With --since: only changes up to this instant
    #[arg(long, value_name = "INSTANT", value_parser = instant, requires = "since")]
    pub(crate) until: Option<DateTime<Utc>>,
    /// Only records of the students with these ids (1,2,3), a hundred to a call, to stdout; - reads one id a line from
    /// stdin
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    #[arg(conflicts_with_all = ["path", "campus", "export", "since"])]
    pub(crate) ids: Option<String>,
}

/// Reads an instant: RFC 3339, or a date, which means its midnight in UTC.
fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let instant = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
    let midnight =
        || NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|date| date.and_time(NaiveTime::MIN).and_utc());
    let is_usual = |instant: &DateTime<Utc>| (1970..2999).contains(&instant.year());
    let instant = instant.or_else(|_| midnight()).ok().filter(is_usual);
    instant.ok_or_else(|| {
        "an instant reads 2025-12-13T02:35:00Z, or 2025-12-13 for its midnight in UTC".to_owned()
    })
}

/// The error for a command line that names no resource, or several without --export.
pub(crate) fn one_at_a_time(catalog: &Catalog, group: Group) -> anyhow::Error {
    let offered = catalog.resources().iter().filter(|resource| resource.group == group);
    let names: Vec<_> = offered.map(|resource| resource.name.as_str()).collect();
    let names = names.join(", ");
    anyhow!("name one resource for stdout, or use --export; there are {names}").verdict(Verdict::Usage)
}
