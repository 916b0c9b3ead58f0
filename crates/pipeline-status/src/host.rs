//! Quota and token, as this host keeps them: no call, no secret.

use crate::measure::Known;
use api42::{Budget, HostState, TokenState};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// What is shown of the token: nothing of its text.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TokenView {
    pub(crate) kind: api42::TokenKind,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) expires_in: Option<i64>,
    pub(crate) secret_valid_until: Option<DateTime<Utc>>,
    pub(crate) secret_days_left: Option<i64>,
}

/// Both.
pub(crate) struct Host {
    pub(crate) quota: Known<Budget>,
    pub(crate) token: Known<Option<TokenView>>,
}

pub(crate) fn read() -> Host {
    let state = match HostState::from_env() {
        Ok(state) => state,
        Err(error) => {
            let error = format!("{error:#}");
            return Host { quota: Known::Not { error: error.clone() }, token: Known::Not { error } };
        }
    };
    let token = state.token().map(|token| token.as_ref().map(view));
    Host { quota: Known::of(state.budget()), token: Known::of(token) }
}

fn view(token: &TokenState) -> TokenView {
    TokenView {
        kind: token.kind,
        expires_at: token.expires_at,
        expires_in: token.expires_in,
        secret_valid_until: token.secret_valid_until,
        secret_days_left: token.secret_days_left,
    }
}
