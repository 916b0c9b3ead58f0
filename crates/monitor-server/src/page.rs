//! What is compiled in: the page, and the description of the routes.

use crate::refusal::answer;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// Every route: parameters, answers, refusals.
pub(crate) const OPENAPI: &str = include_str!("../openapi.json");

pub(crate) async fn shell() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], include_str!("../page/index.html"))
}

pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../page/page.css"))
}

pub(crate) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../page/page.js"))
}

pub(crate) async fn openapi() -> impl IntoResponse {
    answer(OPENAPI)
}
