//! What is said when there is no answer: one object, `{"error":"…"}`, and never what is inside.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;
use tool::printable;

/// Seconds after which it is worth asking again for what cannot be read.
const LATER: HeaderValue = HeaderValue::from_static("5");

/// An answer that is none.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    text: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, text: &str) -> Self {
        Self { status, text: text.to_owned(), header: None }
    }

    /// What cannot be read now. Why stands in the log: it names hosts, files and users.
    pub(crate) fn unavailable(text: &str, error: &anyhow::Error) -> Self {
        log::warn!("{text}: {}", printable(&format!("{error:#}")));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with(RETRY_AFTER, LATER)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    #[cfg(test)]
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let mut response = answer(format!("{}\n", json!({ "error": self.text }))).into_response();
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.header);
        response
    }
}

/// A body of JSON.
pub(crate) fn answer(json: impl Into<Body>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], json.into())
}
