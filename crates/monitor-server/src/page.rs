//! What is compiled in: the page, and the description of the routes.

use crate::refusal::{Refusal, answer};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// Every route: parameters, answers, refusals.
pub(crate) const OPENAPI: &str = include_str!("../openapi.json");

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// What page.js imports.
const SCRIPTS: [(&str, &str); 11] = [
    ("answers.js", include_str!("../page/scripts/answers.js")),
    ("ask.js", include_str!("../page/scripts/ask.js")),
    ("charts.js", include_str!("../page/scripts/charts.js")),
    ("facts.js", include_str!("../page/scripts/facts.js")),
    ("history.js", include_str!("../page/scripts/history.js")),
    ("integrity.js", include_str!("../page/scripts/integrity.js")),
    ("jobs.js", include_str!("../page/scripts/jobs.js")),
    ("rows.js", include_str!("../page/scripts/rows.js")),
    ("status.js", include_str!("../page/scripts/status.js")),
    ("text.js", include_str!("../page/scripts/text.js")),
    ("view.js", include_str!("../page/scripts/view.js")),
];

pub(crate) async fn shell() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], include_str!("../page/index.html"))
}

pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../page/page.css"))
}

pub(crate) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, JAVASCRIPT)], include_str!("../page/page.js"))
}

pub(crate) async fn part(Path(name): Path<String>) -> Result<impl IntoResponse, Refusal> {
    let known = SCRIPTS.iter().find(|(known, _)| *known == name);
    let missing = || Refusal::new(StatusCode::NOT_FOUND, "The page has no such script");
    known.map(|(_, text)| ([(CONTENT_TYPE, JAVASCRIPT)], *text)).ok_or_else(missing)
}

pub(crate) async fn openapi() -> impl IntoResponse {
    answer(OPENAPI)
}
