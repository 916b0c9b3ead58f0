//! The client: one call, done right.

use crate::book::Share;
use crate::clock::{self, Stop};
use crate::follow::{Feed, Follow};
use crate::line::{Line, Reply, Request};
use crate::pace::{Pace, Patience};
use crate::refusal;
use crate::sent::OnSent;
use crate::settings::{Settings, normal_root};
use crate::state::{self, Shared};
use crate::tally::{Counters, Tally, add};
use crate::token::{Asking, Tokens};
use crate::walk::{List, Walk};
use crate::wire::{Exchange, Wire};
use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use verdict::{Judge, Verdict};

/// How long the lock of the pace is waited for; it is only ever held for an instant.
const PACE_LOCK: Duration = Duration::from_secs(60);

/// How often one call renews the token. More than once only for a token that ends while the call waits for its slot.
const RENEWALS: u32 = 3;

/// Speaks to the API. A clone is the same client: same pace, same token, same tally.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) line: Line,
    pub(crate) tokens: Tokens,
    pub(crate) max_wait: Duration,
    in_flight: usize,
}

/// One answer with status 200.
#[derive(Debug)]
pub struct Answer {
    /// Valid JSON, as it came, without the white space around it.
    pub body: Box<RawValue>,
    /// `X-Total`: the number of records of a list.
    pub total: Option<u64>,
    /// The API's own clock: the `Date` header.
    pub date: Option<DateTime<Utc>>,
}

impl Client {
    /// Makes a client and its state folder. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Verdict::Config`] when a setting makes no sense, [`Verdict::Io`] when the state folder cannot be made.
    #[allow(clippy::needless_pass_by_value)] // the settings hold the secrets: they are handed over, not lent
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        settings.check()?;
        let root = normal_root(&settings.root).verdict(Verdict::Config)?;
        state::prepare(&settings.state_dir)?;
        let key = state::key(&root, &settings.client_id);
        let boot = clock::boot_id();
        let book = Shared::new(&settings.state_dir, "pace", &key, PACE_LOCK);
        let pace = Arc::new(Pace::new(book, &boot, Share::of(&settings), settings.on_wait.clone()));
        let told = Arc::clone(&pace);
        let wire = Wire::new(&settings, OnSent::new(move || told.sent())).verdict(Verdict::Config)?;
        // Whoever renews the token may have to wait for quota first.
        let token_lock = settings.max_wait.saturating_add(settings.timeout.saturating_mul(5));
        let tokens =
            Tokens::new(&settings, &boot, Shared::new(&settings.state_dir, "token", &key, token_lock));
        let line = Line { wire, pace, counters: Counters::default() };
        let (max_wait, in_flight) = (settings.max_wait, settings.in_flight.max(1));
        Ok(Self { inner: Arc::new(Inner { line, tokens, max_wait, in_flight }) })
    }

    /// Reads one path such as `/v2/cursus`: paced, retried, the token renewed where it must be.
    ///
    /// # Errors
    ///
    /// [`Verdict::Failed`] with the API's own words when it refuses (400, 403, 404, 422 …), [`Verdict::Credentials`]
    /// when it refuses the credentials, [`Verdict::Busy`] when the quota does not come back within
    /// [`Settings::max_wait`], [`Verdict::Unreachable`] when five tries brought nothing usable.
    pub fn get(&self, path: &str, query: &[(String, String)]) -> anyhow::Result<Answer> {
        let parse = |body: &[u8]| serde_json::from_slice(body).map_err(|error| broken(&error));
        let (body, exchange) =
            self.read(path, query, parse, &Stop::default()).with_context(|| format!("GET {path}"))?;
        Ok(Answer { body, total: exchange.hints.total, date: exchange.hints.date })
    }

    /// Walks lists from their first page to their last, in order. See [`Walk`].
    #[must_use]
    pub fn walk(&self, lists: Vec<List>) -> Walk {
        Walk::new(self.clone(), lists, self.inner.in_flight)
    }

    /// Follows what changed in a list. See [`Follow`].
    ///
    /// # Errors
    ///
    /// When the feed's cursor is none.
    pub fn follow(&self, feed: Feed) -> anyhow::Result<Follow> {
        Follow::new(self.clone(), feed)
    }

    /// What was called so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.inner.line.counters.tally()
    }

    /// One GET whose body `parse` accepts.
    pub(crate) fn read<T>(
        &self,
        path: &str,
        query: &[(String, String)],
        parse: fn(&[u8]) -> Result<T, String>,
        stop: &Stop,
    ) -> anyhow::Result<(T, Exchange)> {
        let Inner { line, tokens, max_wait, .. } = &*self.inner;
        let mut patience = Patience::new(*max_wait);
        let mut token = tokens.current(&mut Asking { line, patience: &mut patience, stop })?;
        let mut renewals = 0;
        loop {
            let send = || line.wire.get(path, query, token.text());
            let request = Request { send: &send, parse, counter: &line.counters.calls };
            match line.converse(&request, &mut patience, stop)? {
                Reply::Good(parsed, exchange) => return Ok((parsed, exchange)),
                Reply::Refused(exchange) if exchange.status == 401 && renewals < RENEWALS => {
                    let next =
                        tokens.instead_of(&token, &mut Asking { line, patience: &mut patience, stop })?;
                    // The same text again gets one more chance, no more.
                    renewals = if next.text() == token.text() { RENEWALS } else { renewals + 1 };
                    token = next;
                    // The next request repeats this one.
                    add(&line.counters.retries, 1);
                }
                Reply::Refused(exchange) if exchange.status == 401 => {
                    let error = anyhow!(
                        "401: the API refuses a token that it has just given; is the application active?"
                    );
                    return Err(error).verdict(Verdict::Credentials);
                }
                Reply::Refused(exchange) => {
                    return Err(Refused::of(&exchange).into());
                }
            }
        }
    }
}

/// A final refusal of the API, in a sentence. Nobody needs to judge it: it is a failure.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    sentence: String,
}

impl Refused {
    fn of(exchange: &Exchange) -> Self {
        Self { status: exchange.status, sentence: refusal::sentence(exchange) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for Refused {}

/// What is wrong with a body, without quoting it.
pub(crate) fn broken(error: &serde_json::Error) -> String {
    let kind = if error.is_eof() { "cut off" } else { "not valid" };
    format!("JSON that is {kind} at line {}, column {}", error.line(), error.column())
}
