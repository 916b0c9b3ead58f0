//! What every request passes: its host is looked at, and its answer gets headers, a line in the log, and a count.

use crate::app::App;
use crate::counts::NO_ROUTE;
use crate::refusal::Refusal;
use crate::serve::Ends;
use crate::tokens::Access;
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tool::printable;

/// Longest body of a request, in bytes. None of ours says anything, so it is read only to be let go.
const LONGEST_BODY: usize = 64 * 1024;

/// How long a body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Around every request, also those that mean no route.
pub(crate) async fn watch(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    // Without its query, which may hold what is nobody's business.
    let asked = format!("{} {}", request.method(), printable(request.uri().path()));
    let (parts, body) = request.into_parts();
    let mut response = match app.hosts.admit(&parts, ends.local.ip()) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let code = response.status().as_u16();
    app.counts.add(&route, code);
    let Ends { peer, .. } = ends;
    log::info!("{peer} {asked} {code} {} ms", begun.elapsed().as_millis());
    response
}

/// Around the handler of a route: who asks, how much, how long.
pub(crate) async fn admit(
    app: Arc<App>,
    access: Access,
    limit: Duration,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    app.tokens.admit(request.headers(), access).await?;
    let (parts, body) = request.into_parts();
    swallow(&parts.headers, body).await?;
    let answer = next.run(Request::from_parts(parts, Body::empty()));
    let late = |_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "There is no answer in time");
    timeout(limit, answer).await.map_err(late)
}

async fn swallow(headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > LONGEST_BODY as u64) {
        return Err(too_long());
    }
    match timeout(BODY_PATIENCE, to_bytes(body, LONGEST_BODY)).await {
        Ok(Ok(_)) => Ok(()),
        // It breaks at the limit, or with the connection, and then nobody reads the answer.
        Ok(Err(_)) => Err(too_long()),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "The body does not come")),
    }
}

fn too_long() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than 64 KiB")
}
