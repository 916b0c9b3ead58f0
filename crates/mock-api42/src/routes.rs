//! Which path leads to which resource, and which lead nowhere.

use crate::app::App;
use crate::choices::MissingRecord;
use crate::http::Request;
use crate::json::Json;
use crate::lists;
use crate::oauth::Access;
use crate::params::Params;
use crate::reply::{Refusal, Reply};
use crate::resource::{Parent, Resource};
use crate::switches::Switches;
use crate::world::{self, World};

/// A list, or the part of it that hangs on one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) resource: &'static Resource,
    pub(crate) scope: Option<(&'static Parent, u32)>,
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Target {
    List(List),
    /// A record.
    Record(&'static Resource, u32),
    /// A record, or the parent of a list, that does not exist.
    Missing,
    /// Counts of a list's rows by day or month: field and interval.
    Graph(List, String, String),
    /// For staff only.
    Denied,
    /// For tokens of another scope.
    OtherScope,
    /// The person behind a token.
    Me,
    /// A route that the application does not see.
    Nowhere,
}

/// Finds where a path leads, `/v2` included.
pub(crate) fn target(world: &World, path: &str) -> Target {
    let segments: Vec<&str> = path.trim_start_matches("/v2/").trim_end_matches('/').split('/').collect();
    match segments.as_slice() {
        ["me"] => Target::Me,
        ["topics", ..] => Target::OtherScope,
        ["levels" | "quests" | "transactions" | "balances", ..]
        | ["cursus", _, "levels"]
        | ["campus", _, "stats"] => Target::Denied,
        [name] => list(name, None).map_or(Target::Nowhere, Target::List),
        [name, "graph", rest @ ..] => list(name, None).map_or(Target::Nowhere, |list| graph(list, rest)),
        [name, id] => match world::resource(name) {
            Some(resource) => {
                found(world, resource, id).map_or(Target::Missing, |row| Target::Record(resource, row))
            }
            None => Target::Nowhere,
        },
        [parent, id, name] => nested(world, parent, id, name),
        _ => Target::Nowhere,
    }
}

fn nested(world: &World, parent: &str, id: &str, name: &str) -> Target {
    let routes = world::resource(name).map_or(&[][..], |resource| resource.parents);
    let known = routes.iter().find(|route| route.name == parent).zip(world::resource(parent));
    let Some((route, owner)) = known else { return Target::Nowhere };
    let row = found(world, owner, id);
    let list = row.and_then(|row| list(name, Some((route, row))));
    list.map_or(Target::Missing, Target::List)
}

fn list(name: &str, scope: Option<(&'static Parent, u32)>) -> Option<List> {
    Some(List { resource: world::resource(name)?, scope })
}

fn found(world: &World, resource: &Resource, id: &str) -> Option<u32> {
    (resource.find)(world, id).filter(|row| (resource.listed)(world, *row))
}

/// `/graph(/on/:field(/by/:interval))`
fn graph(list: List, rest: &[&str]) -> Target {
    match rest {
        [] => Target::Graph(list, "created_at".to_owned(), "day".to_owned()),
        ["on", field] => Target::Graph(list, (*field).to_owned(), "day".to_owned()),
        ["on", field, "by", interval] => Target::Graph(list, (*field).to_owned(), (*interval).to_owned()),
        _ => Target::Nowhere,
    }
}

/// Answers a call that has passed the door.
pub(crate) fn answer(
    app: &App,
    request: &Request,
    access: &Access,
    switches: &Switches,
    number: u64,
) -> Reply {
    let world = app.world();
    let target = target(&world, &request.path);
    if !matches!(request.method.as_str(), "GET" | "HEAD") && !matches!(target, Target::OtherScope) {
        // The mock only reads; writing is for staff.
        return denied();
    }
    let params = Params::parse(&request.query);
    match target {
        Target::List(list) => lists::answer(app, &world, list, request, &params, number),
        Target::Graph(list, field, by) => lists::graph(&world, list, &field, &by, &params, switches),
        Target::Record(resource, row) => record(&world, resource, row),
        Target::Me if access.personal => {
            let people = world::resource("users").map(|users| record(&world, users, 0));
            people.unwrap_or_else(Reply::not_found)
        }
        Target::OtherScope if access.has("forum") => Reply::json(200, "[]"),
        Target::OtherScope => other_scope(),
        Target::Denied => denied(),
        Target::Missing if switches.missing_record == MissingRecord::Html => Reply::html(404),
        Target::Missing | Target::Me | Target::Nowhere => Reply::not_found(),
    }
}

fn record(world: &World, resource: &Resource, row: u32) -> Reply {
    let mut json = Json::default();
    (resource.write_alone)(world, row, &mut json);
    Reply::json(200, json.into_bytes())
}

fn denied() -> Reply {
    Refusal::new(403, "Access Denied", "You are not authorized to access this page.").into()
}

fn other_scope() -> Reply {
    let description = "The action need the following scopes: [forum]";
    let message =
        format!("Insufficient scope. {description} (Create, update and destroy topics and messages)");
    let challenge =
        format!("Bearer realm=\"42 API\", error=\"insufficient scope\", error_description=\"{description}\"");
    Reply::from(Refusal::new(403, "Forbidden", &message)).with("WWW-Authenticate", challenge)
}
