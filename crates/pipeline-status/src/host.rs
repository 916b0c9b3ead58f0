//! Quota, calls and token, as this host keeps them: no call, no secret.

use crate::measure::Known;
use api42::{Budget, Calls, HostState, TokenState};
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

/// What this host keeps.
pub(crate) struct Host {
    pub(crate) quota: Known<Budget>,
    pub(crate) calls: Known<Calls>,
    pub(crate) token: Known<Option<TokenView>>,
}

pub(crate) fn read() -> Host {
    match HostState::from_env() {
        Ok(state) => Host {
            quota: Known::of(state.budget()),
            calls: Known::of(state.calls()),
            token: Known::of(state.token().map(|token| token.as_ref().map(view))),
        },
        Err(error) => Host { quota: not(&error), calls: not(&error), token: not(&error) },
    }
}

fn not<T>(error: &anyhow::Error) -> Known<T> {
    Known::Not { error: format!("{error:#}") }
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
