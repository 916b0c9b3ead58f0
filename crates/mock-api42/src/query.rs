//! The question that parameters make, or the refusal they earn.

use crate::choices::{BadRange, CoalitionsFilter, LongFilter, RangeEnds, UnknownEnum};
use crate::params::Params;
use crate::reply::Refusal;
use crate::resource::{FILTER, Field, Kind, LISTED_IDS, LIVE, RANGE, Resource, SORT};
use crate::select::Key;
use crate::switches::Switches;
use crate::world::{self, World};

/// Which rows, and in which order.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// Any of the keys of each field.
    pub(crate) filters: Vec<(&'static Field, Vec<Key>)>,
    /// From and to.
    pub(crate) ranges: Vec<(&'static Field, Key, Key)>,
    pub(crate) range_ends_excluded: bool,
    /// Instants are finer than what is shown.
    pub(crate) fine_times: bool,
    /// Lower case.
    pub(crate) search: Option<String>,
    /// Field, and whether it falls.
    pub(crate) sort: Vec<(&'static Field, bool)>,
    /// An empty list, whatever there is.
    pub(crate) nothing: bool,
    /// The answer depends on the time of the question.
    pub(crate) live: bool,
}

/// Values of a filter that nobody has doubts about.
const MOST_VALUES: usize = 100;

impl Question {
    pub(crate) fn of(
        world: &World,
        resource: &Resource,
        params: &Params,
        switches: &Switches,
    ) -> Result<Self, Refusal> {
        let mut question = Self {
            range_ends_excluded: switches.range_ends == RangeEnds::Exclusive,
            fine_times: switches.fine_times.is_on(),
            search: params.get("search").filter(|_| resource.search.is_some()).map(str::to_lowercase),
            ..Self::default()
        };
        for (name, value) in params.of("filter") {
            question.filter(world, resource, switches, name, value)?;
        }
        for (name, value) in params.of("range") {
            question.range(resource, switches, name, value)?;
        }
        let given = params.get("sort").map_or_else(Vec::new, |text| text.split(',').collect());
        question.sort = sort_of(resource, switches, &given)?;
        Ok(question)
    }

    fn filter(
        &mut self,
        world: &World,
        resource: &Resource,
        switches: &Switches,
        name: &str,
        value: &str,
    ) -> Result<(), Refusal> {
        let closed = resource.filters_undocumented && switches.coalitions_filter == CoalitionsFilter::None;
        let Some(field) = resource.field(name).filter(|field| field.can(FILTER) && !closed) else {
            let names = if closed { String::new() } else { resource.names(FILTER) };
            let message = format!("Attributes {name} doesn't exists. You can only filter on: [{names}]");
            return Err(Refusal::new(400, "Filter Error", &message));
        };
        let most = most_values(name, value, switches)?;
        let mut keys: Vec<Key> =
            value.split(',').take(most).filter_map(|text| Key::parse(field.kind, text)).collect();
        keys.sort();
        if field.can(LISTED_IDS) && !listed(world, field.name, value) {
            if switches.unknown_enum == UnknownEnum::Refuse {
                let message = format!("The value {value} is not allowed for the filter {name}");
                return Err(Refusal::new(400, "Filter Error", &message));
            }
            self.nothing = true;
        }
        self.live |= field.can(LIVE);
        self.filters.push((field, keys));
        Ok(())
    }

    fn range(
        &mut self,
        resource: &Resource,
        switches: &Switches,
        name: &str,
        value: &str,
    ) -> Result<(), Refusal> {
        let refusal = |message: String| match switches.bad_range {
            BadRange::BadRequest => Err(Refusal::new(400, "Range Error", &message)),
            BadRange::Unprocessable => Err(Refusal::new(422, "Range Error", &message)),
            BadRange::Ignore => Ok(()),
        };
        let Some(field) = resource.field(name).filter(|field| field.can(RANGE)) else {
            let names = resource.names(RANGE);
            return refusal(format!("Attributes {name} doesn't exists. You can only range on: [{names}]"));
        };
        let (from, to) = value.split_once(',').unwrap_or((value, ""));
        let open = |text: &str, end: Key| {
            if text.is_empty() && switches.open_range.is_on() { Some(end) } else { None }
        };
        let from = open(from, Key::Number(i64::MIN)).or_else(|| Key::parse(field.kind, from));
        let to = open(to, Key::Last).or_else(|| Key::parse(field.kind, to));
        let (Some(from), Some(to)) = (from, to) else {
            return refusal(format!("The range {value} is not valid for {name}"));
        };
        self.ranges.push((field, from, to));
        Ok(())
    }
}

/// How many values of a filter count.
fn most_values(name: &str, value: &str, switches: &Switches) -> Result<usize, Refusal> {
    match switches.long_filter {
        LongFilter::Allow => Ok(usize::MAX),
        LongFilter::Refuse if value.split(',').count() > MOST_VALUES => {
            let message = format!("The filter {name} has more than {MOST_VALUES} values");
            Err(Refusal::new(400, "Filter Error", &message))
        }
        LongFilter::Cut | LongFilter::Refuse => Ok(MOST_VALUES),
    }
}

/// Whether all ids are among those that the documentation lists.
fn listed(world: &World, parent: &str, ids: &str) -> bool {
    let Some(resource) = world::resource(parent) else { return false };
    ids.split(',').all(|id| id.parse::<u32>().is_ok() && (resource.find)(world, id).is_some())
}

fn sort_of(
    resource: &Resource,
    switches: &Switches,
    given: &[&str],
) -> Result<Vec<(&'static Field, bool)>, Refusal> {
    let mut sort = Vec::new();
    let default = given.is_empty();
    for text in if default { resource.default_sort } else { given } {
        let (name, falls) = text.strip_prefix('-').map_or((*text, false), |name| (name, true));
        let documented =
            !resource.order_undocumented || name == "marked_at" || switches.projects_users_sort.is_allowed();
        let field = resource.field(name).filter(|field| default || field.can(SORT) && documented);
        let Some(field) = field else {
            return Err(Refusal::new(400, "Sort Error", &format!("The {name} field is not sortable")));
        };
        sort.push((field, falls));
    }
    Ok(sort)
}

/// Refuses a graph over a field that has none; gives the field.
pub(crate) fn graph_field(resource: &Resource, name: &str) -> Result<&'static Field, Refusal> {
    let field = matches!(name, "created_at" | "updated_at").then(|| resource.field(name)).flatten();
    field.filter(|field| field.kind == Kind::Time).ok_or_else(|| {
        let fields = "Available fields are: created_at and updated_at";
        let message = format!("Attribute {name} do not exist or isn't graphable. {fields}");
        Refusal::new(422, "Graph Error", &message)
    })
}
