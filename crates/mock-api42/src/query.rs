//! What a caller asks for: parameters, and the question they make, or the refusal they earn.

use crate::reply::Refusal;
use crate::resource::{FILTER, Field, Kind, LISTED_IDS, LIVE, RANGE, Resource, SORT};
use crate::select::Key;
use crate::switches::{BadRange, CoalitionsFilter, OnBad, RangeEnds, Switches};
use crate::world::{self, World};

/// Decoded parameters, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(key, value)| (decode(key), decode(value)))
                .collect(),
        )
    }

    /// The last value of a parameter, as Rails takes it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `name[field]=value`: fields and values.
    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let field = move |key: &'a str| key.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']');
        self.0.iter().filter_map(move |(key, value)| Some((field(key)?, value.as_str())))
    }

    /// The parameters with another page, keys in order, as the Link header gives them.
    pub(crate) fn with_page(&self, page: u64, keep_size: bool) -> String {
        let wanted = |key: &str| match key {
            "page" | "page[number]" | "access_token" => false,
            "page[size]" => keep_size,
            _ => true,
        };
        let mut pairs: Vec<(String, String)> =
            self.0.iter().filter(|(key, _)| wanted(key)).cloned().collect();
        pairs.push(("page".to_owned(), page.to_string()));
        pairs.sort();
        let pairs: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        pairs.join("&")
    }

    /// What decides on the rows, and nothing else: the key under which they can be kept.
    pub(crate) fn choice(&self) -> String {
        let plain = ["page", "per_page", "page[number]", "page[size]", "access_token"];
        let pairs = self.0.iter().filter(|(key, _)| !plain.contains(&key.as_str()));
        pairs.map(|(key, value)| format!("{key}\u{1}{value}\u{2}")).collect()
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The page that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) number: u64,
    pub(crate) size: u64,
}

impl Page {
    /// Both syntaxes; 30 rows by default, never more than 100.
    pub(crate) fn of(params: &Params, on_bad: OnBad) -> Result<Self, Refusal> {
        let read = |plain: &str, bracketed: &str, default: u64| {
            let Some(text) = params.get(bracketed).or_else(|| params.get(plain)) else { return Ok(default) };
            match text.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ if on_bad == OnBad::First => Ok(default),
                _ => Err(Refusal::new(400, "Page Error", &format!("The page parameter {text} is not valid"))),
            }
        };
        Ok(Self {
            number: read("page", "page[number]", 1)?,
            size: read("per_page", "page[size]", 30)?.min(100),
        })
    }
}

/// Which rows, and in which order.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// Any of the keys of each field.
    pub(crate) filters: Vec<(&'static Field, Vec<Key>)>,
    /// From and to.
    pub(crate) ranges: Vec<(&'static Field, Key, Key)>,
    pub(crate) range_ends_excluded: bool,
    /// Lower case.
    pub(crate) search: Option<String>,
    /// Field, and whether it falls.
    pub(crate) sort: Vec<(&'static Field, bool)>,
    /// An empty list, whatever there is.
    pub(crate) nothing: bool,
    /// The answer depends on the time of the question.
    pub(crate) live: bool,
}

impl Question {
    pub(crate) fn of(
        world: &World,
        resource: &Resource,
        params: &Params,
        switches: &Switches,
    ) -> Result<Self, Refusal> {
        let mut question = Self {
            range_ends_excluded: switches.range_ends == RangeEnds::Exclusive,
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
        let mut keys: Vec<Key> = value.split(',').filter_map(|text| Key::parse(field.kind, text)).collect();
        keys.sort();
        if field.can(LISTED_IDS) && !listed(world, field.name, value) {
            if switches.unknown_enum == crate::switches::UnknownEnum::Refuse {
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

#[cfg(test)]
mod tests {
    use super::{Page, Params};
    use crate::switches::OnBad;

    fn check(query: &str, number: u64, size: u64) {
        let page = Page::of(&Params::parse(query), OnBad::First).unwrap();
        assert_eq!((page.number, page.size), (number, size), "{query}");
    }

    #[test]
    fn pages_come_in_two_syntaxes_and_are_clamped() {
        check("", 1, 30);
        check("page=3&per_page=50", 3, 50);
        check("page%5Bnumber%5D=3&page[size]=50", 3, 50);
        check("per_page=500", 1, 100);
        check("page=0&per_page=x", 1, 30);
        assert!(Page::of(&Params::parse("page=-1"), OnBad::Refuse).is_err());
    }

    #[test]
    fn a_link_loses_the_bracketed_size() {
        let params = Params::parse("page[size]=50&page[number]=2&filter[alumni?]=false");
        assert_eq!(params.with_page(3, false), "filter%5Balumni%3F%5D=false&page=3");
        assert_eq!(params.with_page(3, true), "filter%5Balumni%3F%5D=false&page=3&page%5Bsize%5D=50");
    }

    #[test]
    fn keys_and_values_are_decoded() {
        let params = Params::parse("filter%5Balumni%3F%5D=false&search=a+b%20c%zz");
        assert_eq!(params.of("filter").collect::<Vec<_>>(), [("alumni?", "false")]);
        assert_eq!(params.get("search"), Some("a b c%zz"));
    }
}
