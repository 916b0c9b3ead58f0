//! The hand behind the scenery: never limited, never faulty, never counted.

use crate::app::{App, locked};
use crate::faults::Fault;
use crate::http::Request;
use crate::json::Json;
use crate::params::Params;
use crate::query::Question;
use crate::reply::Reply;
use crate::routes::{self, List, Target};
use crate::select;
use crate::world::Moves;
use anyhow::Context;
use serde::Serialize;
use serde_json::json;

/// An answer, whole or row by row.
pub(crate) enum Administered<'a> {
    Whole(Reply),
    /// Pieces of NDJSON.
    Rows(Box<dyn Iterator<Item = Vec<u8>> + 'a>),
}

/// Rows in a piece.
const PIECE: usize = 256;

/// Answers a path under `/_mock/`.
pub(crate) fn answer<'a>(app: &'a App, request: &Request) -> Administered<'a> {
    if let Some(path) = request.path.strip_prefix("/_mock/all").filter(|path| path.starts_with("/v2/")) {
        return all(app, path, &request.query);
    }
    let reply = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_mock/health") => Ok(Reply::json(200, r#"{"status":"ok"}"#)),
        ("GET", "/_mock/stats") => stats(app, request),
        ("GET", "/_mock/moved") => shown(&app.world().moved),
        ("GET", "/_mock/switches") => shown(&*app.switches()),
        ("POST", path) => order(app, path, &request.body),
        _ => Ok(Reply::not_found()),
    };
    // An order that cannot be read is the test's mistake: say which.
    Administered::Whole(reply.unwrap_or_else(|error| {
        let body = json!({ "error": format!("{error:#}") }).to_string();
        Reply::json(400, body)
    }))
}

/// The statistics; with `window=SECONDS` also the most calls in any so many seconds.
fn stats(app: &App, request: &Request) -> anyhow::Result<Reply> {
    let params = Params::parse(&request.query);
    let stats = locked(&app.stats);
    let mut shown = serde_json::to_value(&*stats)?;
    if let Some(window) = params.get("window") {
        shown["most_in_window"] = json!(stats.most_in(window.parse().context("window: seconds")?));
    }
    Ok(Reply::json(200, shown.to_string()))
}

fn order(app: &App, path: &str, body: &[u8]) -> anyhow::Result<Reply> {
    match path {
        "/_mock/stats/reset" => {
            locked(&app.stats).reset();
            shown(&json!({}))
        }
        "/_mock/move" => {
            let moves: Moves = serde_json::from_slice(body).context("moves")?;
            let moved = app.world_mut().move_on(moves);
            shown(&moved)
        }
        "/_mock/faults" => {
            let faults: Vec<Fault> = serde_json::from_slice(body).context("faults")?;
            shown(&json!({ "faults": locked(&app.faults).add(faults) }))
        }
        "/_mock/switch" => shown(&*app.switch(&serde_json::from_slice(body).context("switches")?)?),
        "/_mock/expire-tokens" => {
            let now = app.now();
            shown(&json!({ "tokens": locked(&app.issuer).expire(now) }))
        }
        "/_mock/code" => shown(&json!({ "code": locked(&app.issuer).code() })),
        _ => Ok(Reply::not_found()),
    }
}

fn shown(value: &impl Serialize) -> anyhow::Result<Reply> {
    Ok(Reply::json(200, serde_json::to_vec(value)?))
}

/// Every row of a list, with its filters, ids rising. A row that vanishes while this goes on may be missing.
fn all<'a>(app: &'a App, path: &str, query: &str) -> Administered<'a> {
    let world = app.world();
    let Target::List(list) = routes::target(&world, path) else {
        return Administered::Whole(Reply::not_found());
    };
    let mut question = match Question::of(&world, list.resource, &Params::parse(query), &app.switches()) {
        Ok(question) => question,
        Err(refusal) => return Administered::Whole(refusal.into()),
    };
    question.sort.clear();
    let rows = select::rows(&world, list.resource, list.scope, &question);
    drop(world);
    Administered::Rows(Box::new((0..rows.len()).step_by(PIECE).map(move |from| {
        let to = (from + PIECE).min(rows.len());
        piece(app, list, &rows[from..to])
    })))
}

fn piece(app: &App, list: List, rows: &[u32]) -> Vec<u8> {
    let world = app.world();
    let mut lines = Vec::new();
    for row in rows {
        let mut json = Json::default();
        (list.resource.write)(&world, *row, &mut json);
        lines.append(&mut json.into_bytes());
        lines.push(b'\n');
    }
    lines
}
