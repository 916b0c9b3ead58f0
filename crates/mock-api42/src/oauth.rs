//! Tokens: who gets one, how long it lasts, and what the refusals say.

use crate::Arguments;
use crate::credentials::Credentials;
use crate::json::Json;
use crate::moment::SECOND;
use crate::reply::Reply;
use crate::switches::Switches;
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

const SCOPES: [&str; 6] = ["public", "projects", "profile", "tig", "elearning", "forum"];
const NO_CLIENT: &str = "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.";
const NO_GRANT: &str = "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client.";
const NO_SUCH_GRANT: &str = "The authorization grant type is not supported by the authorization server.";
const NO_SCOPE: &str = "The requested scope is invalid, unknown, or malformed.";

/// How each token begins: tests look for it where no token may be.
const MARK: &str = "5ec2e742";

/// The tokens of the one application that the mock knows.
#[derive(Debug)]
pub(crate) struct Issuer {
    id: String,
    secret: String,
    next_secret: Option<String>,
    codes: Vec<String>,
    tokens: Vec<Token>,
    /// Makes tokens of another run worthless.
    nonce: u128,
    made: u64,
}

#[derive(Clone, Debug)]
struct Token {
    value: String,
    scopes: String,
    /// Seconds since 1970.
    created: i64,
    expires: i64,
    /// It belongs to a person, not to the application.
    personal: bool,
    refresh: Option<String>,
    /// Calls to /v2 so far.
    calls: u64,
}

/// What a token opens.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) personal: bool,
    scopes: String,
}

impl Access {
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|own| own == scope)
    }
}

impl Issuer {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            id: arguments.client_id.clone(),
            secret: arguments.client_secret.clone(),
            next_secret: arguments.next_secret.clone(),
            codes: arguments.code.clone(),
            tokens: Vec::new(),
            nonce: since.as_nanos() ^ u128::from(std::process::id()) << 96,
            made: 0,
        }
    }

    /// Answers a token request made at `now`, in milliseconds since 1970.
    pub(crate) fn grant(&mut self, credentials: &Credentials, switches: &Switches, now: i64) -> Reply {
        let now = now / SECOND;
        let Some(grant) = credentials.get("grant_type") else {
            return refusal(400, "invalid_request", "Missing required parameter: grant_type.");
        };
        if !matches!(grant, "client_credentials" | "refresh_token" | "authorization_code") {
            return refusal(401, "unsupported_grant_type", NO_SUCH_GRANT);
        }
        if !self.knows(credentials, switches, now) {
            return refusal(401, "invalid_client", NO_CLIENT);
        }
        let scopes =
            credentials.get("scope").filter(|scope| !scope.is_empty()).unwrap_or("public").to_owned();
        if !scopes.split(' ').all(|scope| SCOPES.contains(&scope)) {
            return refusal(401, "invalid_scope", NO_SCOPE);
        }
        let token = match grant {
            "client_credentials" => Some(self.application_token(scopes, switches, now)),
            "refresh_token" => self.refreshed(credentials.get("refresh_token"), switches, now),
            _ => self.exchanged(credentials.get("code"), scopes, switches, now),
        };
        token.map_or_else(|| refusal(401, "invalid_grant", NO_GRANT), |token| answer(&token, switches, now))
    }

    /// What the token of a call to /v2 opens, or the 401; it dies after as many calls as the switch says.
    pub(crate) fn call(
        &mut self,
        token: Option<&str>,
        switches: &Switches,
        now: i64,
    ) -> Result<Access, Reply> {
        if let Some(known) = self.tokens.iter_mut().find(|known| Some(known.value.as_str()) == token) {
            known.calls += 1;
            if switches.token_calls > 0 && known.calls > switches.token_calls {
                known.expires = known.expires.min(now / SECOND);
            }
        }
        self.access(token, switches, now)
    }

    /// What the token of a request opens, or the 401.
    fn access(&self, token: Option<&str>, switches: &Switches, now: i64) -> Result<Access, Reply> {
        match self.tokens.iter().find(|known| Some(known.value.as_str()) == token) {
            Some(known) if known.expires > now / SECOND => {
                Ok(Access { personal: known.personal, scopes: known.scopes.clone() })
            }
            Some(_) => Err(unauthorized("The access token expired", switches)),
            None => Err(unauthorized("The access token is invalid", switches)),
        }
    }

    /// Answers `/oauth/token/info`.
    pub(crate) fn info(&self, token: Option<&str>, switches: &Switches, now: i64) -> Reply {
        if let Err(reply) = self.access(token, switches, now) {
            return reply;
        }
        let Some(known) = self.tokens.iter().find(|known| Some(known.value.as_str()) == token) else {
            return Reply::not_found();
        };
        let mut json = Json::default();
        json.object(|json| {
            json.maybe_int("resource_owner_id", known.personal.then_some(1));
            json.key("scopes").array(|json| known.scopes.split(' ').for_each(|scope| json.string(scope)));
            json.int("expires_in_seconds", known.expires - now / SECOND);
            json.key("application").object(|json| json.text("uid", &self.id));
            json.int("created_at", known.created);
        });
        Reply::json(200, json.into_bytes())
    }

    /// All tokens expire now.
    pub(crate) fn expire(&mut self, now: i64) -> usize {
        self.tokens.iter_mut().for_each(|token| token.expires = token.expires.min(now / SECOND));
        self.tokens.len()
    }

    /// Makes an authorization code, as a person's consent would.
    pub(crate) fn code(&mut self) -> String {
        let code = self.secret_text("code");
        self.codes.push(code.clone());
        code
    }

    fn knows(&self, credentials: &Credentials, switches: &Switches, now: i64) -> bool {
        let expired =
            switches.secret_expired || switches.secret_valid_until.0.is_some_and(|until| until <= now);
        let secret = credentials.get("client_secret");
        let current = secret == Some(&self.secret) && !expired;
        let next = self.next_secret.is_some()
            && secret == self.next_secret.as_deref()
            && (expired || switches.secret_overlap.is_on());
        credentials.get("client_id") == Some(&self.id) && (current || next)
    }

    /// A token of the application: the same one as long as it lasts.
    fn application_token(&mut self, scopes: String, switches: &Switches, now: i64) -> Token {
        let still =
            self.tokens.iter().find(|token| !token.personal && token.scopes == scopes && token.expires > now);
        still.cloned().unwrap_or_else(|| self.issue(scopes, switches, now, None))
    }

    /// A new token for a refresh token, which is used up by that.
    fn refreshed(&mut self, refresh: Option<&str>, switches: &Switches, now: i64) -> Option<Token> {
        let used = self
            .tokens
            .iter_mut()
            .find(|token| token.refresh.is_some() && token.refresh.as_deref() == refresh)?;
        used.refresh = None;
        let scopes = used.scopes.clone();
        let next = self.secret_text("refresh");
        Some(self.issue(scopes, switches, now, Some(next)))
    }

    /// A personal token for a code, which is used up by that.
    fn exchanged(
        &mut self,
        code: Option<&str>,
        scopes: String,
        switches: &Switches,
        now: i64,
    ) -> Option<Token> {
        let place = self.codes.iter().position(|known| Some(known.as_str()) == code)?;
        self.codes.remove(place);
        let refresh = self.secret_text("refresh");
        Some(self.issue(scopes, switches, now, Some(refresh)))
    }

    fn issue(&mut self, scopes: String, switches: &Switches, now: i64, refresh: Option<String>) -> Token {
        let value = self.secret_text("token");
        let expires = now + i64::from(switches.token_lifetime);
        let token =
            Token { value, scopes, created: now, expires, personal: refresh.is_some(), refresh, calls: 0 };
        self.tokens.push(token.clone());
        token
    }

    fn secret_text(&mut self, purpose: &str) -> String {
        self.made += 1;
        let digest = Sha256::digest(format!("{purpose} {} {}", self.nonce, self.made));
        let rest = digest.iter().skip(MARK.len() / 2).map(|byte| format!("{byte:02x}"));
        std::iter::once(MARK.to_owned()).chain(rest).collect()
    }
}

fn answer(token: &Token, switches: &Switches, now: i64) -> Reply {
    let mut json = Json::default();
    json.object(|json| {
        json.text("access_token", &token.value);
        json.text("token_type", "Bearer");
        json.int("expires_in", token.expires - now);
        if let Some(refresh) = &token.refresh {
            json.text("refresh_token", refresh);
        }
        json.text("scope", &token.scopes);
        json.int("created_at", token.created);
        json.maybe_int("secret_valid_until", switches.secret_valid_until.0);
    });
    Reply::json(200, json.into_bytes()).with("Cache-Control", "no-store").with("Pragma", "no-cache")
}

fn refusal(status: u16, error: &str, description: &str) -> Reply {
    let mut json = Json::default();
    json.object(|json| {
        json.text("error", error);
        json.text("error_description", description);
    });
    Reply::json(status, json.into_bytes()).with("WWW-Authenticate", challenge(error, description))
}

/// A 401 on /v2: its header is known, its body is not.
pub(crate) fn unauthorized(description: &str, switches: &Switches) -> Reply {
    let body = switches.unauthorized_body.replace("{description}", description);
    Reply::json(401, body).with("WWW-Authenticate", challenge("invalid_token", description))
}

fn challenge(error: &str, description: &str) -> String {
    format!("Bearer realm=\"42 API\", error=\"{error}\", error_description=\"{description}\"")
}
