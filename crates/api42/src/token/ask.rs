//! One question to the token endpoint, with the secret that works.

use super::grant::Grant;
use super::kept::Token;
use super::{Asking, Tokens};
use crate::line::{Reply, Request};
use crate::refusal;
use crate::secret::Secret;
use crate::wire::Exchange;
use anyhow::anyhow;
use verdict::{Judge, Verdict};

/// What is offered for a token.
pub(super) enum Question<'own> {
    /// The application's credentials.
    Application,
    /// A person's refresh token.
    Refresh(&'own str),
    /// A person's code.
    Code { code: &'own str, redirect_uri: &'own str },
}

/// What the endpoint said to it.
pub(super) enum Asked {
    Granted(Token),
    /// The code or the refresh token is worth nothing.
    InvalidGrant,
}

impl Tokens {
    /// Asks with the secret, and with the next one when that is refused; `before` is the token that is followed.
    ///
    /// # Errors
    ///
    /// [`Verdict::Credentials`] when every secret is refused, [`Verdict::Failed`] when the API refuses for another
    /// reason.
    pub(super) fn ask(
        &self,
        question: &Question<'_>,
        before: Option<&Token>,
        asking: &mut Asking<'_>,
    ) -> anyhow::Result<Asked> {
        let line = asking.line;
        for (position, secret) in self.secrets.iter().enumerate() {
            let form = self.form(question, secret);
            let send = || line.wire.post("/oauth/token", &form);
            let request = Request { send: &send, parse: Grant::read, counter: &line.counters.token_calls };
            match line.converse(&request, asking.patience, asking.stop)? {
                Reply::Good(grant, exchange) => {
                    // What is known of the end of a secret is not true of the next one.
                    let before = before.filter(|_| position == 0);
                    return Ok(Asked::Granted(Token::received(
                        grant,
                        exchange.hints.date,
                        &self.boot,
                        before,
                    )));
                }
                Reply::Refused(exchange) => match refusal::code(&exchange).as_str() {
                    "invalid_grant" => return Ok(Asked::InvalidGrant),
                    "invalid_client" => {}
                    _ if exchange.status == 401 && refusal::code(&exchange).is_empty() => {}
                    _ => return Err(other_refusal(&exchange)),
                },
            }
            if position + 1 < self.secrets.len() {
                let sentence =
                    "CLIENT_SECRET was refused; using CLIENT_SECRET_NEXT, which should take its place";
                self.log.warn(sentence);
            }
        }
        Err(anyhow!(
            "the API refuses the application's credentials: its secret has probably expired; renew it on the \
             application's page (intra, Settings, API) and put it into .env as CLIENT_SECRET"
        ))
        .verdict(Verdict::Credentials)
    }

    fn form<'own>(
        &'own self,
        question: &Question<'own>,
        secret: &'own Secret,
    ) -> Vec<(&'static str, &'own str)> {
        let mut form = match *question {
            Question::Application => vec![("grant_type", "client_credentials")],
            Question::Refresh(refresh) => vec![("grant_type", "refresh_token"), ("refresh_token", refresh)],
            Question::Code { code, redirect_uri } => {
                vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)]
            }
        };
        form.extend([("client_id", self.client_id.as_str()), ("client_secret", secret.reveal())]);
        form
    }
}

fn other_refusal(exchange: &Exchange) -> anyhow::Error {
    anyhow!(refusal::sentence(exchange)).verdict(Verdict::Failed)
}
