//! Lists: the page asked for, and the headers that tell where it stands.

use crate::app::App;
use crate::chance::Chance;
use crate::choices::{LinkSize, Order};
use crate::http::Request;
use crate::json::Json;
use crate::moment::utc;
use crate::params::{Page, Params};
use crate::query::{self, Question};
use crate::reply::{Refusal, Reply};
use crate::resource::Cell;
use crate::routes::List;
use crate::select;
use crate::switches::Switches;
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Answers a list with one of its pages.
pub(crate) fn answer(
    app: &App,
    world: &World,
    list: List,
    request: &Request,
    params: &Params,
    number: u64,
) -> Reply {
    let switches = app.switches();
    let page = Page::of(params, switches.bad_page);
    let rows = page.and_then(|page| {
        let question = Question::of(world, list.resource, params, &switches)?;
        Ok((page, rows(app, world, list, params, &question)))
    });
    let (page, mut rows) = match rows {
        Ok(found) => found,
        Err(refusal) => return refusal.into(),
    };
    if list.resource.order_undocumented
        && switches.projects_users_order == Order::Shuffle
        && params.get("sort").is_none()
    {
        rows = Arc::new(shuffled(&rows, app.seed, number));
    }
    let from = page.size.saturating_mul(page.number - 1).min(rows.len() as u64) as usize;
    let to = (from + page.size as usize).min(rows.len());
    let mut json = Json::with_capacity(64 * 1024);
    json.array(|json| rows[from..to].iter().for_each(|row| (list.resource.write)(world, *row, json)));
    let reply = Reply::json(200, json.into_bytes());
    placed(reply, request, params, page, rows.len() as u64, &switches)
}

/// The rows, as they were chosen for the page before or as they have to be chosen now.
fn rows(app: &App, world: &World, list: List, params: &Params, question: &Question) -> Arc<Vec<u32>> {
    let choose = || select::rows(world, list.resource, list.scope, question);
    if question.live {
        return Arc::new(choose());
    }
    let scope = list.scope.map_or_else(String::new, |(parent, row)| format!("{} {row}", parent.name));
    let key = format!("{} {scope}\u{0}{}", list.resource.name, params.choice());
    app.kept(&key, (list.resource.version)(world), choose)
}

fn shuffled(rows: &[u32], seed: u64, number: u64) -> Vec<u32> {
    let mut rows = rows.to_vec();
    let mut chance = Chance::of(seed, "shuffle", number);
    for place in (1..rows.len()).rev() {
        rows.swap(place, chance.below(place as u64 + 1) as usize);
    }
    rows
}

fn placed(
    reply: Reply,
    request: &Request,
    params: &Params,
    page: Page,
    total: u64,
    switches: &Switches,
) -> Reply {
    let last = total.div_ceil(page.size).max(1);
    let keep_size = switches.link_size == LinkSize::Keep;
    let host = request.header("host").unwrap_or("127.0.0.1");
    let link = |relation: &str, number: u64| {
        format!("<http://{host}{}?{}>; rel=\"{relation}\"", request.path, params.with_page(number, keep_size))
    };
    let mut links = Vec::new();
    if page.number > 1 {
        links.push(link("first", 1));
        links.push(link("prev", page.number - 1));
    }
    if page.number < last {
        links.push(link("last", last));
        links.push(link("next", page.number + 1));
    }
    let mut reply = reply.with("X-Page", page.number.to_string()).with("X-Per-Page", page.size.to_string());
    if switches.x_total.is_on() {
        reply = reply.with("X-Total", total.to_string());
    }
    if links.is_empty() { reply } else { reply.with("Link", links.join(", ")) }
}

/// Answers `/graph`: how many rows of each day or month, by a date that can be graphed.
pub(crate) fn graph(
    world: &World,
    list: List,
    field: &str,
    by: &str,
    params: &Params,
    switches: &Switches,
) -> Reply {
    let counted = query::graph_field(list.resource, field).and_then(|field| {
        let question = Question::of(world, list.resource, params, switches)?;
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for row in select::rows(world, list.resource, list.scope, &question) {
            if let Cell::Time(moment) = (field.get)(world, row) {
                let day = &utc(moment)[..10];
                let label = if by == "month" { format!("{}-01", &day[..7]) } else { day.to_owned() };
                *counts.entry(label).or_default() += 1;
            }
        }
        Ok::<_, Refusal>(counts)
    });
    match counted {
        Ok(counts) => {
            let mut json = Json::default();
            json.object(|json| counts.iter().for_each(|(label, count)| json.int(label, *count)));
            Reply::json(200, json.into_bytes())
        }
        Err(refusal) => refusal.into(),
    }
}
