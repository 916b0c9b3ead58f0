//! The access token: one for all processes of a host, renewed by one of them at a time.
//!
//! # Layout
//! - here: who asks for a token, and when.
//! - `ask`: one question to the token endpoint. `grant`: its answer. `kept`: the token in its file.
//! - `log`: the renewals, for people.

mod ask;
mod grant;
mod kept;
mod log;

use crate::clock::{self, Micros, Stop};
use crate::line::Line;
use crate::pace::{Patience, locked};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::state::{Held, Shared};
use anyhow::{Context, anyhow};
use ask::{Asked, Question};
use chrono::SecondsFormat;
pub(crate) use kept::{Token, redacted};
pub use kept::{TokenKind, TokenState};
pub(crate) use log::NAME as LOG_NAME;
use log::TokenLog;
use std::sync::Mutex;
use verdict::{Judge, Verdict};

/// Keeps the token.
pub(crate) struct Tokens {
    client_id: String,
    secrets: Vec<Secret>,
    /// Where a person's token starts when none is kept yet.
    first_refresh: Option<Secret>,
    boot: String,
    file: Shared,
    log: TokenLog,
    current: Mutex<Option<Token>>,
}

/// What became of a wish for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The one that is kept lasts long enough; nobody was asked.
    Unneeded,
    /// There is a new one.
    New,
    /// The API handed the same one out again, as it does while one lasts.
    Again,
}

/// How a call speaks to the API, and for how long.
pub(crate) struct Asking<'call> {
    pub(crate) line: &'call Line,
    pub(crate) patience: &'call mut Patience,
    pub(crate) stop: &'call Stop,
}

impl Tokens {
    pub(crate) fn new(settings: &Settings, boot: &str, file: Shared) -> Self {
        let first = Some(settings.client_secret.clone());
        Self {
            client_id: settings.client_id.clone(),
            secrets: first.into_iter().chain(settings.next_secret.clone()).collect(),
            first_refresh: settings.refresh_token.clone(),
            boot: boot.to_owned(),
            file,
            log: TokenLog::new(settings.token_log.clone()),
            current: Mutex::new(None),
        }
    }

    /// The token to use now: from memory, from the file, or new.
    ///
    /// # Errors
    ///
    /// [`Verdict::Credentials`] when the API refuses the secret, and whatever keeps the request from being made.
    pub(crate) fn current(&self, asking: &mut Asking<'_>) -> anyhow::Result<Token> {
        self.usable(asking, |_| true).map(|(token, _)| token)
    }

    /// A token instead of one that was refused: a newer one if somebody has one already, else new.
    pub(crate) fn instead_of(&self, refused: &Token, asking: &mut Asking<'_>) -> anyhow::Result<Token> {
        self.usable(asking, |token| token.obtained > refused.obtained).map(|(token, _)| token)
    }

    /// A token that lasts so long, if the API gives one.
    pub(crate) fn lasting(&self, long: Micros, asking: &mut Asking<'_>) -> anyhow::Result<(Token, Renewal)> {
        self.usable(asking, |token| token.lasts(clock::now()) >= long)
    }

    /// Asks the API, whatever is kept.
    pub(crate) fn renew(&self, asking: &mut Asking<'_>) -> anyhow::Result<(Token, Renewal)> {
        self.usable(asking, |_| false)
    }

    /// The mutex makes one thread of this process do the work, the lock one process of the host.
    fn usable(
        &self,
        asking: &mut Asking<'_>,
        accept: impl Fn(&Token) -> bool,
    ) -> anyhow::Result<(Token, Renewal)> {
        let mut current = locked(&self.current);
        let fits = |token: &Token| token.is_fresh(&self.boot, clock::now()) && accept(token);
        if let Some(token) = current.as_ref().filter(|token| fits(token)) {
            return Ok((token.clone(), Renewal::Unneeded));
        }
        let held = self.file.hold()?;
        let before = kept(&held)?;
        let (token, renewal) = match before.as_ref().filter(|token| fits(token)) {
            Some(token) => (token.clone(), Renewal::Unneeded),
            None => self.logged(self.renewed(&held, before.as_ref(), asking).context("POST /oauth/token"))?,
        };
        *current = Some(token.clone());
        Ok((token, renewal))
    }

    fn renewed(
        &self,
        held: &Held<'_>,
        before: Option<&Token>,
        asking: &mut Asking<'_>,
    ) -> anyhow::Result<(Token, Renewal)> {
        let first = || self.first_refresh.as_ref().map(Secret::reveal);
        let refresh = before.map_or_else(first, |before| before.refresh_token.as_deref());
        if let Some(refresh) = refresh {
            match self.spend(held, &Question::Refresh(refresh), before, asking)? {
                Asked::Granted(mut token) => {
                    // One that is not replaced goes on working.
                    token.refresh_token = token.refresh_token.or_else(|| Some(refresh.to_owned()));
                    return self.keep(held, token, before);
                }
                Asked::InvalidGrant => self.log.warn(
                    "the person's refresh token was refused; going on with the application's own token; \
                     `api-token exchange` takes a new code of the person",
                ),
            }
        }
        match self.ask(&Question::Application, before, asking)? {
            Asked::Granted(token) => self.keep(held, token, before),
            Asked::InvalidGrant => Err(anyhow!("invalid_grant, though nothing was offered")),
        }
    }

    /// Trades the code of a person who agreed for a token, which is the host's from now on.
    ///
    /// # Errors
    ///
    /// [`Verdict::Credentials`] when the API refuses the code.
    pub(crate) fn exchange(
        &self,
        code: &Secret,
        redirect_uri: &str,
        asking: &mut Asking<'_>,
    ) -> anyhow::Result<Token> {
        let mut current = locked(&self.current);
        let held = self.file.hold()?;
        let traded = self.traded(&held, &Question::Code { code: code.reveal(), redirect_uri }, asking);
        let (token, _) = self.logged(traded.context("POST /oauth/token"))?;
        *current = Some(token.clone());
        Ok(token)
    }

    fn traded(
        &self,
        held: &Held<'_>,
        question: &Question<'_>,
        asking: &mut Asking<'_>,
    ) -> anyhow::Result<(Token, Renewal)> {
        let before = kept(held)?;
        match self.spend(held, question, before.as_ref(), asking)? {
            Asked::Granted(token) => self.keep(held, token, before.as_ref()),
            Asked::InvalidGrant => Err(refused_code()).verdict(Verdict::Credentials),
        }
    }

    /// Forgets the token that is kept; says whether there was one.
    pub(crate) fn forget(&self) -> anyhow::Result<bool> {
        let mut current = locked(&self.current);
        let held = self.file.hold()?;
        *current = None;
        let forgotten = held.remove()?;
        if forgotten {
            self.log.info("token forgotten");
        }
        Ok(forgotten)
    }

    /// Asks with what works only once: that the answer can be kept is made sure of first.
    fn spend(
        &self,
        held: &Held<'_>,
        question: &Question<'_>,
        before: Option<&Token>,
        asking: &mut Asking<'_>,
    ) -> anyhow::Result<Asked> {
        held.replace_durably(&before.map_or_else(|| Ok(b"{}".to_vec()), serde_json::to_vec)?)?;
        self.ask(question, before, asking)
    }

    fn keep(
        &self,
        held: &Held<'_>,
        token: Token,
        before: Option<&Token>,
    ) -> anyhow::Result<(Token, Renewal)> {
        held.replace_durably(&serde_json::to_vec(&token)?)?;
        let again = before.is_some_and(|before| before.text() == token.text());
        Ok((token, if again { Renewal::Again } else { Renewal::New }))
    }

    fn logged(&self, renewed: anyhow::Result<(Token, Renewal)>) -> anyhow::Result<(Token, Renewal)> {
        match &renewed {
            Err(error) => {
                self.log.error(&crate::plain::plain(&format!("token not refreshed: {error:#}"), 400))
            }
            Ok((token, renewal)) => {
                let state = token.state();
                let done =
                    if *renewal == Renewal::Again { "token handed out again" } else { "token refreshed" };
                let until = state.expires_at.map(|until| until.to_rfc3339_opts(SecondsFormat::Secs, true));
                let (seconds, until) = (state.expires_in.unwrap_or_default(), until.unwrap_or_default());
                self.log.info(&format!("{done}: valid for {seconds} s, until {until}"));
                if let Some(sentence) = state.secret_warning() {
                    self.log.warn(&sentence);
                }
            }
        }
        renewed
    }
}

fn refused_code() -> anyhow::Error {
    anyhow!(
        "the API refuses the code: it works once, for some minutes, for this application and the REDIRECT_URI that \
         it was made for; ask for a new one"
    )
}

/// The token in the file; one that cannot be read is as good as none.
fn kept(held: &Held<'_>) -> anyhow::Result<Option<Token>> {
    Ok(held.read()?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
