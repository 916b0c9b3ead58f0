//! The token by itself: looked after, renewed, traded for, forgotten. Calls do what they need of this on their own.

use crate::client::{Client, Inner, broken};
use crate::clock::{self, Stop};
use crate::pace::Patience;
use crate::secret::Secret;
use crate::token::{Asking, Renewal, TokenKind, TokenState, redacted};
use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// The answer of `/oauth/token/info`, as far as it matters.
#[derive(Deserialize)]
struct Info {
    resource_owner_id: Option<Value>,
    #[serde(default)]
    scopes: Vec<String>,
    expires_in_seconds: Option<i64>,
    application: Option<Application>,
    created_at: Option<i64>,
}

#[derive(Deserialize)]
struct Application {
    uid: Option<String>,
}

impl Client {
    /// Makes sure that the token lasts so long. The API hands the same one out again while it lasts, so what comes of
    /// it may be [`Renewal::Again`]; then calls go on with it and renew it when it ends.
    ///
    /// # Errors
    ///
    /// [`verdict::Verdict::Credentials`] when the API refuses the secret, [`verdict::Verdict::Io`] when the token
    /// cannot be kept, and whatever keeps the request from being made.
    pub fn ensure_token(&self, long: Duration) -> anyhow::Result<(TokenState, Renewal)> {
        let (token, renewal) =
            self.asking(|inner, asking| inner.tokens.lasting(clock::micros(long), asking))?;
        Ok((token.state(), renewal))
    }

    /// Asks for a token, whatever is kept.
    ///
    /// # Errors
    ///
    /// As [`Client::ensure_token`].
    pub fn renew_token(&self) -> anyhow::Result<(TokenState, Renewal)> {
        let (token, renewal) = self.asking(|inner, asking| inner.tokens.renew(asking))?;
        Ok((token.state(), renewal))
    }

    /// Trades the code of a person who agreed for that person's token. All calls of this host use it from now on, and
    /// renew it by its refresh token.
    ///
    /// # Errors
    ///
    /// [`verdict::Verdict::Credentials`] when the API refuses the code or the secret; else as [`Client::ensure_token`].
    pub fn exchange_code(&self, code: &Secret, redirect_uri: &str) -> anyhow::Result<TokenState> {
        let token = self.asking(|inner, asking| inner.tokens.exchange(code, redirect_uri, asking))?;
        Ok(token.state())
    }

    /// Forgets the token that is kept; says whether there was one.
    ///
    /// # Errors
    ///
    /// [`verdict::Verdict::Io`] when it cannot be removed.
    pub fn forget_token(&self) -> anyhow::Result<bool> {
        self.inner.tokens.forget()
    }

    /// What the API says about the token in use, and what is kept beside it.
    ///
    /// # Errors
    ///
    /// As [`Client::get`].
    pub fn token_info(&self) -> anyhow::Result<TokenState> {
        const PATH: &str = "/oauth/token/info";
        let parse = |body: &[u8]| serde_json::from_slice::<Info>(body).map_err(|error| broken(&error));
        let (info, _) =
            self.read(PATH, &[], parse, &Stop::default()).with_context(|| format!("GET {PATH}"))?;
        let token = self.asking(|inner, asking| inner.tokens.current(asking))?;
        let mut state = token.state();
        state.refine(info.expires_in_seconds, info.created_at);
        state.scopes = info.scopes;
        state.kind = match info.resource_owner_id {
            None | Some(Value::Null) => TokenKind::Application,
            Some(_) => TokenKind::Person,
        };
        state.application = info.application.and_then(|application| application.uid).as_deref().map(redacted);
        Ok(state)
    }

    fn asking<T>(&self, ask: impl FnOnce(&Inner, &mut Asking<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let mut patience = Patience::new(self.inner.max_wait);
        let stop = Stop::default();
        ask(&self.inner, &mut Asking { line: &self.inner.line, patience: &mut patience, stop: &stop })
    }
}
