//! All routes, in one table.

use crate::app::App;
use crate::refusal::Refusal;
use crate::tokens::Access;
use crate::{guard, health, jobs, page, probes, status};
use axum::Router;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;
use std::time::Duration;

/// A path, and what it takes to be answered there.
struct Route {
    path: String,
    access: Access,
    handler: MethodRouter<Arc<App>>,
    /// Past which there is no answer any more.
    limit: Limit,
}

#[derive(Clone, Copy)]
enum Limit {
    /// What waits for the database or a tool gives up long before.
    Usual,
    /// That of a check.
    Check,
}

/// The routes, behind what guards them.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in table() {
        let limit = match route.limit {
            // It may have to wait for an answer that is being measured before its own.
            Limit::Usual => 2 * app.patience + Duration::from_secs(5),
            Limit::Check => health::LONGEST_CHECK + 2 * app.patience,
        };
        let (state, access) = (Arc::clone(app), route.access);
        let admit =
            from_fn(move |request, next| guard::admit(Arc::clone(&state), access, limit, request, next));
        router = router.route(&route.path, route.handler.route_layer(admit));
    }
    let missing =
        || async { Refusal::new(StatusCode::NOT_FOUND, "There is no such route; see /openapi.json") };
    let wrong_method =
        || async { Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Another method is wanted; see Allow") };
    router
        .fallback(missing)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(app), guard::watch))
        .with_state(Arc::clone(app))
}

fn table() -> Vec<Route> {
    let mut table = vec![
        reading("/", Access::Open, page::shell),
        reading("/page.css", Access::Open, page::style),
        reading("/page.js", Access::Open, page::script),
        reading("/scripts/{name}", Access::Open, page::part),
        reading("/openapi.json", Access::Open, page::openapi),
        reading("/healthz", Access::Open, probes::alive),
        reading("/readyz", Access::Open, probes::ready),
        reading("/metrics", Access::Read, status::metrics),
        reading("/api/monitoring/status", Access::Read, status::status),
        reading("/api/monitoring/jobs/active", Access::Read, jobs::active),
        reading("/api/monitoring/jobs/history", Access::Read, jobs::history),
        reading("/api/monitoring/jobs/summary", Access::Read, jobs::summary),
        reading("/api/monitoring/jobs/{id}", Access::Read, jobs::one),
    ];
    for prefix in ["/api/v1/health", "/health"] {
        table.extend([
            reading(&format!("{prefix}/status"), Access::Admin, health::status),
            reading(&format!("{prefix}/latest-report"), Access::Admin, health::latest_report),
            reading(&format!("{prefix}/violations"), Access::Admin, health::violations),
            reading(&format!("{prefix}/metrics"), Access::Admin, health::metrics),
            Route {
                path: format!("{prefix}/check-now"),
                access: Access::Act,
                handler: post(health::check_now),
                limit: Limit::Check,
            },
        ]);
    }
    table
}

fn reading<H: Handler<T, Arc<App>>, T: 'static>(path: &str, access: Access, handler: H) -> Route {
    Route { path: path.to_owned(), access, handler: get(handler), limit: Limit::Usual }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::OPENAPI;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_described_and_everything_described_is_a_route() {
        let described: Value = serde_json::from_str(OPENAPI).unwrap();
        let described: BTreeSet<_> = described["paths"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, operations)| {
                let methods: Vec<_> = operations.as_object().unwrap().keys().cloned().collect();
                let operation = &operations[methods[0].as_str()];
                (path.clone(), methods.join(" "), access(operation))
            })
            .collect();
        let routes: BTreeSet<_> = table()
            .iter()
            .map(|route| {
                let method = if route.access == Access::Act { "post" } else { "get" };
                (route.path.clone(), method.to_owned(), format!("{:?}", route.access))
            })
            .collect();
        assert_eq!(described, routes);
    }

    /// Who may, as it is described: the answers 401 and 403 are those of who may not.
    fn access(operation: &Value) -> String {
        let has = |code: &str| operation["responses"].get(code).is_some();
        let name = match (has("401"), has("403"), has("409")) {
            (false, false, false) => "Open",
            (true, false, false) => "Read",
            (true, true, false) => "Admin",
            (true, true, true) => "Act",
            other => panic!("{other:?}: {operation}"),
        };
        name.to_owned()
    }
}
