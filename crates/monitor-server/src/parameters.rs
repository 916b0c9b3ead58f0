//! What a query says, and what is answered when it is wrong.

use crate::refusal::Refusal;
use axum::http::{StatusCode, Uri};
use journal::read::Filter;
use monitor_query::Wrong;

pub(crate) fn filter(uri: &Uri) -> Result<Filter, Refusal> {
    monitor_query::filter(uri.query().unwrap_or_default())
        .map_err(|wrong| refusal(StatusCode::BAD_REQUEST, &wrong))
}

pub(crate) fn dry_run(uri: &Uri) -> Result<bool, Refusal> {
    monitor_query::dry_run(uri.query().unwrap_or_default())
        .map_err(|wrong| refusal(StatusCode::UNPROCESSABLE_ENTITY, &wrong))
}

fn refusal(status: StatusCode, Wrong { name, wanted }: &Wrong) -> Refusal {
    Refusal::new(status, &format!("Invalid {name} parameter ({wanted})"))
}
