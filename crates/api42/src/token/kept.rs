//! A token as it is kept in its file, and what of it may be shown.

use super::grant::{Grant, RENEW_AHEAD, secret_warning, usable};
use crate::clock::{self, Micros, SECOND};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A token as it is kept. It has no `Debug`, so that it is never shown.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    access_token: String,
    boot: String,
    /// When it was received; tells a newer one from an older one, even where the API hands out the same text again.
    pub(super) obtained: Micros,
    renew: Micros,
    /// When it ends, in seconds since 1970 by our own clock: for people.
    #[serde(default)]
    ends: Option<i64>,
    #[serde(default)]
    created: Option<i64>,
    #[serde(default)]
    scope: Option<String>,
    /// There is one for the token of a person only. It works once.
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
    /// When the secret of the application ends, in seconds since 1970.
    #[serde(default)]
    pub(super) secret_valid_until: Option<i64>,
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// The application's own, by its credentials.
    Application,
    /// That of a person who agreed, by a code; it is renewed by a refresh token.
    Person,
}

/// What may be shown of the token, and of the secret that it was got with.
#[derive(Clone, Debug, Serialize)]
pub struct TokenState {
    /// Whose it is.
    pub kind: TokenKind,
    /// Its first four characters.
    pub token: String,
    /// The first four characters of the application's UID; `None` when only the file was looked at.
    pub application: Option<String>,
    /// What it opens, as far as the API said.
    pub scopes: Vec<String>,
    /// Seconds until it ends; negative when it ended.
    pub expires_in: Option<i64>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the API made it.
    pub created_at: Option<DateTime<Utc>>,
    /// When the secret of the application ends; `None` when the API did not say.
    pub secret_valid_until: Option<DateTime<Utc>>,
    /// Whole days until then; negative when it ended.
    pub secret_days_left: Option<i64>,
}

impl Token {
    /// A token that was just received; `before` is the one that it follows.
    pub(super) fn received(
        grant: Grant,
        date: Option<DateTime<Utc>>,
        boot: &str,
        before: Option<&Self>,
    ) -> Self {
        let seconds = grant.seconds_left(date.unwrap_or_else(Utc::now));
        let obtained = clock::now();
        let renew = obtained.saturating_add(usable(seconds).unsigned_abs().saturating_mul(SECOND));
        let known = before.and_then(|before| before.secret_valid_until);
        Self {
            access_token: grant.access_token,
            boot: boot.to_owned(),
            obtained,
            renew,
            ends: Some(Utc::now().timestamp() + seconds),
            created: grant.created_at,
            scope: grant.scope,
            refresh_token: grant.refresh_token.filter(|text| !text.is_empty()),
            secret_valid_until: grant.secret_valid_until.unwrap_or(known),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.access_token
    }

    pub(super) fn is_fresh(&self, boot: &str, now: Micros) -> bool {
        self.boot == boot && self.obtained <= now && now < self.renew
    }

    /// How long it lasts from now on, in microseconds, when it is fresh.
    pub(super) fn lasts(&self, now: Micros) -> Micros {
        (self.renew + RENEW_AHEAD.unsigned_abs() * SECOND).saturating_sub(now)
    }

    /// What may be shown.
    pub(crate) fn state(&self) -> TokenState {
        let now = Utc::now();
        let instant = |seconds: Option<i64>| seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let secret_valid_until = instant(self.secret_valid_until);
        TokenState {
            kind: if self.refresh_token.is_some() { TokenKind::Person } else { TokenKind::Application },
            token: redacted(&self.access_token),
            application: None,
            scopes: self.scope.iter().flat_map(|scope| scope.split_whitespace().map(str::to_owned)).collect(),
            expires_in: self.ends.map(|ends| ends - now.timestamp()),
            expires_at: instant(self.ends),
            created_at: instant(self.created),
            secret_valid_until,
            secret_days_left: secret_valid_until.map(|end| (end - now).num_seconds().div_euclid(86_400)),
        }
    }
}

impl TokenState {
    /// What to say about the end of the application's secret: something from ten days before it on.
    #[must_use]
    pub fn secret_warning(&self) -> Option<String> {
        secret_warning(self.secret_valid_until, Utc::now())
    }

    /// Sets what the API says about it now: seconds that are left, and when it was made.
    pub(crate) fn refine(&mut self, expires_in: Option<i64>, created_at: Option<i64>) {
        if let Some(seconds) = expires_in {
            self.expires_in = Some(seconds);
            self.expires_at =
                TimeDelta::try_seconds(seconds).and_then(|left| Utc::now().checked_add_signed(left));
        }
        self.created_at =
            created_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).or(self.created_at);
    }
}

/// The first four characters of a text that must not be shown.
pub(crate) fn redacted(text: &str) -> String {
    let shown: String = text.chars().take(4).collect();
    if text.len() > 16 { format!("{shown}…") } else { "…".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_four_characters_are_shown_and_none_of_a_short_text() {
        assert_eq!(redacted("0123456789abcdef0123"), "0123…");
        assert_eq!(redacted("0123456789abcdef"), "…");
    }

    #[test]
    fn a_token_of_an_older_release_is_read() {
        let old = r#"{"access_token":"0123456789abcdef0","boot":"b","obtained":5,"renew":7000000}"#;
        let token: Token = serde_json::from_str(old).unwrap();
        assert!(token.is_fresh("b", 6) && !token.is_fresh("other", 6) && !token.is_fresh("b", 8_000_000));
        let state = token.state();
        assert_eq!(
            (state.kind, state.expires_in, state.token.as_str()),
            (TokenKind::Application, None, "0123…")
        );
    }

    #[test]
    fn the_end_of_the_secret_outlives_a_renewal_that_does_not_mention_it() {
        let grant = |text: &str| Grant::read(text.as_bytes()).unwrap();
        let first = grant(r#"{"access_token":"t","secret_valid_until":1000000000}"#);
        let first = Token::received(first, None, "b", None);
        let second = Token::received(grant(r#"{"access_token":"u"}"#), None, "b", Some(&first));
        assert_eq!(second.secret_valid_until, Some(1_000_000_000));
        let state = second.state();
        assert!(state.secret_warning().is_some() && state.secret_days_left < Some(-8000));
        let third = grant(r#"{"access_token":"v","secret_valid_until":null}"#);
        assert_eq!(Token::received(third, None, "b", Some(&second)).secret_valid_until, None);
    }
}
