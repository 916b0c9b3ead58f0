//! Who asks: nobody in particular, somebody who may read, somebody who may do everything.
//!
//! Only digests are kept, and they are compared in constant time. Who guesses is slowed down; who has a token is not.

use crate::refusal::Refusal;
use anyhow::{Result, anyhow};
use axum::http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tool::{Judge, Verdict};

/// Fewest characters of a token: nobody guesses 128 bits, written in hexadecimal.
const SHORTEST: usize = 32;

/// How long a wrong token waits for its answer, and how many may wait at a time.
const SLOWNESS: Duration = Duration::from_millis(500);
const GUESSES: usize = 4;

/// What a route wants of who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Open,
    /// A token, where there is any.
    Read,
    /// The admin's token, where there is any.
    Admin,
    /// The admin's token.
    Act,
}

/// Digests of the tokens that are known.
pub(crate) struct Tokens {
    reader: Option<[u8; 32]>,
    admin: Option<[u8; 32]>,
    guesses: Semaphore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Reader,
    Admin,
}

impl Tokens {
    pub(crate) fn of(reader: Option<String>, admin: Option<String>) -> Result<Self> {
        let reader = reader.map(|token| kept("MONITOR_TOKEN", &token)).transpose()?;
        let admin = admin.map(|token| kept("MONITOR_ADMIN_TOKEN", &token)).transpose()?;
        if reader.is_some() && reader == admin {
            let error = "MONITOR_TOKEN and MONITOR_ADMIN_TOKEN are the same: every reader would be an admin";
            return Err(anyhow!(error).verdict(Verdict::Config));
        }
        Ok(Self { reader, admin, guesses: Semaphore::new(GUESSES) })
    }

    /// Whether readers have a token of their own.
    pub(crate) const fn is_for_readers(&self) -> bool {
        self.reader.is_some()
    }

    /// Lets a request pass that may do what it asks for.
    pub(crate) async fn admit(&self, headers: &HeaderMap, access: Access) -> Result<(), Refusal> {
        let is_open = self.reader.is_none() && self.admin.is_none();
        match access {
            Access::Open => return Ok(()),
            Access::Read | Access::Admin if is_open => return Ok(()),
            Access::Act if is_open => {
                return Err(Refusal::new(StatusCode::FORBIDDEN, "Set MONITOR_ADMIN_TOKEN to allow this"));
            }
            _ => {}
        }
        match (self.who(headers).await?, access) {
            (Who::Admin, _) | (Who::Reader, Access::Read) => Ok(()),
            _ => Err(Refusal::new(StatusCode::FORBIDDEN, "Not enough permissions")),
        }
    }

    async fn who(&self, headers: &HeaderMap) -> Result<Who, Refusal> {
        if !headers.contains_key(AUTHORIZATION) {
            return Err(unknown());
        }
        match bearer(headers).and_then(|token| self.known(token)) {
            Some(who) => Ok(who),
            None => Err(self.slowly().await),
        }
    }

    fn known(&self, token: &[u8]) -> Option<Who> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let is = |kept: &Option<[u8; 32]>| kept.is_some_and(|kept| bool::from(kept.ct_eq(&digest)));
        // Both are compared, whatever the first comparison says.
        match (is(&self.admin), is(&self.reader)) {
            (true, _) => Some(Who::Admin),
            (_, true) => Some(Who::Reader),
            _ => None,
        }
    }

    /// The answer to a guess.
    async fn slowly(&self) -> Refusal {
        let Ok(_turn) = self.guesses.try_acquire() else {
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Too many wrong tokens at once");
            return refusal.with(RETRY_AFTER, HeaderValue::from_static("1"));
        };
        tokio::time::sleep(SLOWNESS).await;
        unknown()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tokens")
    }
}

fn kept(name: &str, token: &str) -> Result<[u8; 32]> {
    let wrong = if token.len() < SHORTEST {
        "has fewer than 32 characters"
    } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        "has characters that no header can carry: letters, digits and punctuation without blanks are wanted"
    } else {
        return Ok(Sha256::digest(token).into());
    };
    Err(anyhow!("{name} {wrong}; openssl rand -hex 32 makes one").verdict(Verdict::Config))
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?.as_bytes();
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

fn unknown() -> Refusal {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "Could not validate credentials");
    refusal.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
