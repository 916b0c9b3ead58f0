//! The access token: one for all processes of a host, renewed by one of them at a time.

use crate::clock::{self, Micros, SECOND, Stop};
use crate::line::{Line, Reply, Request};
use crate::pace::{Patience, locked};
use crate::refusal;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::state::{Held, Shared};
use crate::wire::Exchange;
use anyhow::{Context, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use verdict::{Judge, Verdict};

/// The longest life of a token, in seconds, as documented.
const LIFETIME: i64 = 7200;

/// A token is renewed this many seconds before it ends.
const RENEW_AHEAD: i64 = 30;

/// The secret of the application ends too, about monthly; from this many days before on, every renewal says so.
const WARN_DAYS: i64 = 10;

/// Keeps the token.
pub(crate) struct Tokens {
    client_id: String,
    secrets: Vec<Secret>,
    boot: String,
    file: Shared,
    current: Mutex<Option<Token>>,
}

/// A token as it is kept in the file. It has no `Debug`, so that it is never shown.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    access_token: String,
    boot: String,
    /// When it was received; tells a newer one from an older one, even where the API hands out the same text again.
    obtained: Micros,
    renew: Micros,
}

/// The answer of the token endpoint, as far as it matters.
#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<i64>,
    created_at: Option<i64>,
    secret_valid_until: Option<i64>,
}

impl Token {
    pub(crate) fn text(&self) -> &str {
        &self.access_token
    }

    fn is_fresh(&self, boot: &str, now: Micros) -> bool {
        self.boot == boot && self.obtained <= now && now < self.renew
    }
}

impl Tokens {
    pub(crate) fn new(settings: &Settings, boot: &str, file: Shared) -> Self {
        let first = Some(settings.client_secret.clone());
        let secrets = first.into_iter().chain(settings.next_secret.clone()).collect();
        let client_id = settings.client_id.clone();
        Self { client_id, secrets, boot: boot.to_owned(), file, current: Mutex::new(None) }
    }

    /// The token to use now: from memory, from the file, or new.
    ///
    /// # Errors
    ///
    /// [`Verdict::Credentials`] when the API refuses the secret, and whatever keeps the request from being made.
    pub(crate) fn current(&self, line: &Line, patience: &mut Patience, stop: &Stop) -> anyhow::Result<Token> {
        self.usable(line, patience, stop, |_| true)
    }

    /// A token instead of one that was refused: a newer one if somebody has one already, else new.
    pub(crate) fn instead_of(
        &self,
        refused: &Token,
        line: &Line,
        patience: &mut Patience,
        stop: &Stop,
    ) -> anyhow::Result<Token> {
        self.usable(line, patience, stop, |token| token.obtained > refused.obtained)
    }

    /// The mutex makes one thread of this process do the work, the lock one process of the host.
    fn usable(
        &self,
        line: &Line,
        patience: &mut Patience,
        stop: &Stop,
        accept: impl Fn(&Token) -> bool,
    ) -> anyhow::Result<Token> {
        let mut current = locked(&self.current);
        let fits = |token: &Token| token.is_fresh(&self.boot, clock::now()) && accept(token);
        if let Some(token) = current.as_ref().filter(|token| fits(token)) {
            return Ok(token.clone());
        }
        let held = self.file.hold()?;
        let stored = stored(&held)?.filter(fits);
        let token = match stored {
            Some(token) => token,
            None => self.renewed(&held, line, patience, stop).context("POST /oauth/token")?,
        };
        *current = Some(token.clone());
        Ok(token)
    }

    fn renewed(
        &self,
        held: &Held<'_>,
        line: &Line,
        patience: &mut Patience,
        stop: &Stop,
    ) -> anyhow::Result<Token> {
        for (position, secret) in self.secrets.iter().enumerate() {
            let send = || line.wire.post("/oauth/token", self.form(secret));
            let request = Request { send: &send, parse: grant, counter: &line.counters.token_calls };
            match line.converse(&request, patience, stop)? {
                Reply::Good(grant, exchange) => {
                    warn_of_secret(&grant, exchange.hints.date);
                    let token = self.token(grant, exchange.hints.date);
                    held.replace_durably(&serde_json::to_vec(&token)?)?;
                    return Ok(token);
                }
                Reply::Refused(exchange) if exchange.status != 401 => return Err(other_refusal(&exchange)),
                Reply::Refused(_) if position + 1 < self.secrets.len() => {
                    log::warn!(
                        "CLIENT_SECRET was refused; using CLIENT_SECRET_NEXT, which should take its place"
                    );
                }
                Reply::Refused(_) => {}
            }
        }
        Err(anyhow!(
            "the API refuses the application's credentials: its secret has probably expired; renew it on the \
             application's page (intra, Settings, API) and put it into .env as CLIENT_SECRET"
        ))
        .verdict(Verdict::Credentials)
    }

    fn form<'own>(&'own self, secret: &'own Secret) -> [(&'own str, &'own str); 3] {
        let grant = ("grant_type", "client_credentials");
        [grant, ("client_id", &self.client_id), ("client_secret", secret.reveal())]
    }

    fn token(&self, grant: Grant, date: Option<DateTime<Utc>>) -> Token {
        let seconds = usable_seconds(&grant, date.unwrap_or_else(Utc::now));
        let obtained = clock::now();
        let renew = obtained.saturating_add(seconds.unsigned_abs().saturating_mul(SECOND));
        Token { access_token: grant.access_token, boot: self.boot.clone(), obtained, renew }
    }
}

/// The token in the file; one that cannot be read is as good as none.
fn stored(held: &Held<'_>) -> anyhow::Result<Option<Token>> {
    Ok(held.read()?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Says nothing about the text: it may hold a token.
fn grant(body: &[u8]) -> Result<Grant, String> {
    let grant: Grant =
        serde_json::from_slice(body).map_err(|_| "not the answer of a token endpoint".to_owned())?;
    // What goes into a header must be visible ASCII.
    let printable =
        !grant.access_token.is_empty() && grant.access_token.bytes().all(|byte| byte.is_ascii_graphic());
    if printable { Ok(grant) } else { Err("a token that is no token".to_owned()) }
}

/// How many seconds a token may be used: until [`RENEW_AHEAD`] before the earlier of the two ends that its answer
/// gives. `date` is the API's own clock, so a wrong clock here does no harm.
///
/// The API hands a token out again while it lasts. One that is already within its last half minute is used to its
/// end, or every call of that half minute would ask for another.
fn usable_seconds(grant: &Grant, date: DateTime<Utc>) -> i64 {
    let by_answer = grant.expires_in.unwrap_or(LIFETIME);
    let age = grant.created_at.map_or(0, |created| date.timestamp().saturating_sub(created));
    let left = by_answer.min(LIFETIME - age.clamp(0, LIFETIME)).clamp(1, LIFETIME);
    if left > RENEW_AHEAD { left - RENEW_AHEAD } else { left }
}

fn warn_of_secret(grant: &Grant, date: Option<DateTime<Utc>>) {
    if let Some(sentence) = secret_warning(grant.secret_valid_until, date.unwrap_or_else(Utc::now)) {
        log::warn!("{sentence}");
    }
}

fn secret_warning(valid_until: Option<i64>, now: DateTime<Utc>) -> Option<String> {
    let end = DateTime::from_timestamp(valid_until?, 0)?;
    let left = end - now;
    let day = end.format("%Y-%m-%d %H:%M UTC");
    (left < TimeDelta::days(WARN_DAYS)).then(|| {
        format!(
            "the secret of the application ends on {day} ({} days); renew it on its page of the intra",
            left.num_days()
        )
    })
}

fn other_refusal(exchange: &Exchange) -> anyhow::Error {
    anyhow!(refusal::sentence(exchange)).verdict(Verdict::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expires_in: Option<i64>, created_at: Option<i64>, seconds: i64) {
        let grant = Grant { access_token: "t".to_owned(), expires_in, created_at, secret_valid_until: None };
        let date = DateTime::from_timestamp(100_000, 0).unwrap();
        assert_eq!(usable_seconds(&grant, date), seconds, "{expires_in:?} {created_at:?}");
    }

    #[test]
    fn a_token_ends_at_the_earlier_of_its_two_ends_less_half_a_minute() {
        check(Some(7200), Some(100_000), 7170);
        check(Some(7168), Some(99_968), 7138);
        check(Some(7200), Some(96_400), 3570);
        check(Some(600), None, 570);
        check(None, Some(99_900), 7070);
        check(None, None, 7170);
        check(Some(1_000_000), Some(100_000), 7170);
    }

    #[test]
    fn a_clock_that_is_wrong_does_not_lengthen_it() {
        check(Some(7200), Some(900_000), 7170);
        check(Some(7200), Some(0), 1);
        check(Some(i64::MAX), Some(i64::MIN), 1);
    }

    #[test]
    fn a_token_handed_out_again_in_its_last_moments_is_used_to_its_end() {
        check(Some(30), None, 30);
        check(Some(12), Some(92_812), 12);
        check(Some(0), None, 1);
        check(Some(-5), None, 1);
    }

    #[test]
    fn a_secret_that_ends_within_ten_days_is_mentioned() {
        let now = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        let after = |days: i64| secret_warning(Some(now.timestamp() + days * 86_400), now);
        assert!(after(11).is_none() && secret_warning(None, now).is_none());
        assert!(after(9).unwrap().contains("2001-09-18 01:46 UTC (9 days)"));
    }

    #[test]
    fn an_answer_without_a_usable_token_is_refused_without_quoting_it() {
        for body in ["{}", "[]", r#"{"access_token":""}"#, r#"{"access_token":"MARK\r\nX: y"}"#, "MARK"] {
            let message = grant(body.as_bytes()).err().unwrap();
            assert!(!message.contains("MARK"), "{message}");
        }
    }
}
