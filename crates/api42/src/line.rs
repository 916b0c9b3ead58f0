//! A conversation with the API: every try takes a slot, what passes is tried again, what lasts comes back.

use crate::book::Ticket;
use crate::calls::Heard;
use crate::chance;
use crate::clock::{self, Stop};
use crate::pace::{Pace, Patience};
use crate::plain::plain;
use crate::tally::{Counters, add};
use crate::wire::{Exchange, Fault, Wire};
use anyhow::anyhow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use verdict::{Judge, Verdict};

/// How often a request is sent before its failure is final. Answers 429 are not failures.
const TRIES: u32 = 5;

/// The first pause between two tries is at most this many seconds; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: f64 = 0.5;

/// Seconds.
const LONGEST_PAUSE: f64 = 60.0;

/// What reaches the API, and what is shared by all who speak to it.
pub(crate) struct Line {
    pub(crate) wire: Wire,
    pub(crate) pace: Arc<Pace>,
    pub(crate) counters: Counters,
}

/// How one request ended.
pub(crate) enum Reply<T> {
    /// A 200 whose body could be read.
    Good(T, Exchange),
    /// Any other status that another try would not change; also 401.
    Refused(Exchange),
}

/// One request as it is tried again and again.
pub(crate) struct Request<'call, T> {
    /// Sends it once.
    pub(crate) send: &'call dyn Fn() -> Result<Exchange, Fault>,
    /// Reads the body of a 200, or says what it is instead.
    pub(crate) parse: fn(&[u8]) -> Result<T, String>,
    /// Where its tries are counted.
    pub(crate) counter: &'call AtomicU64,
}

/// What one try came to.
enum Judgement<T> {
    Ends(Reply<T>),
    Throttled,
    Passing {
        what: String,
        pause: Option<Duration>,
    },
    /// No other try would change it.
    Lasting(String),
}

impl Line {
    /// Sends a request until it is answered, refused for good, or failed [`TRIES`] times.
    ///
    /// # Errors
    ///
    /// [`Verdict::Unreachable`] after the last try, [`Verdict::Busy`] when the quota does not come back in time,
    /// [`Verdict::Failed`] when it can never succeed.
    pub(crate) fn converse<T>(
        &self,
        request: &Request<'_, T>,
        patience: &mut Patience,
        stop: &Stop,
    ) -> anyhow::Result<Reply<T>> {
        let mut failures = 0;
        let mut tries = 0_u32;
        loop {
            let ticket = self.pace.take(patience, stop)?;
            add(request.counter, 1);
            add(&self.counters.retries, u64::from(tries > 0));
            tries += 1;
            match self.judged(ticket, (request.send)(), request.parse)? {
                Judgement::Ends(reply) => return Ok(reply),
                Judgement::Throttled => add(&self.counters.throttled, 1),
                Judgement::Lasting(what) => return Err(anyhow!(what)).verdict(Verdict::Failed),
                Judgement::Passing { what, pause } => {
                    failures += 1;
                    if failures == TRIES {
                        let error = anyhow!("no usable answer after {TRIES} tries; the last: {what}");
                        return Err(error).verdict(Verdict::Unreachable);
                    }
                    log::debug!("try {failures} of {TRIES}: {what}");
                    let pause = backoff(failures, chance::fraction()).max(pause.unwrap_or_default());
                    clock::sleep_until(clock::now() + clock::micros(pause), stop);
                }
            }
        }
    }

    /// Judges what came back, and has the pace learn from it.
    fn judged<T>(
        &self,
        ticket: Ticket,
        came: Result<Exchange, Fault>,
        parse: fn(&[u8]) -> Result<T, String>,
    ) -> anyhow::Result<Judgement<T>> {
        add(&self.counters.bytes, came.as_ref().map_or(0, |exchange| exchange.body.len() as u64));
        let answer = came.as_ref().ok().map(|exchange| (exchange.status, exchange.hints.clone()));
        let judgement = judge(came, parse);
        let readable = matches!(judgement, Judgement::Ends(Reply::Good(..)));
        let heard = Heard::of(answer.as_ref().map(|(status, _)| *status), readable);
        self.pace.learn(ticket, answer.as_ref().map(|(_, hints)| hints), heard)?;
        Ok(judgement)
    }
}

/// Status and content type decide first; only a 200 that claims to be JSON is parsed.
fn judge<T>(came: Result<Exchange, Fault>, parse: fn(&[u8]) -> Result<T, String>) -> Judgement<T> {
    let exchange = match came {
        Ok(exchange) => exchange,
        Err(Fault::Passing(what)) => return Judgement::Passing { what, pause: None },
        Err(Fault::Lasting(what)) => return Judgement::Lasting(what),
    };
    let json = exchange.hints.may_be_json();
    match exchange.status {
        429 => Judgement::Throttled,
        200 if json => match parse(&exchange.body) {
            Ok(parsed) => Judgement::Ends(Reply::Good(parsed, exchange)),
            Err(what) => passing(&exchange, &what),
        },
        // A missing record may be answered with the HTML page of the intra.
        404 => Judgement::Ends(Reply::Refused(exchange)),
        401 if json || exchange.hints.challenged => Judgement::Ends(Reply::Refused(exchange)),
        300..=399 => Judgement::Ends(Reply::Refused(exchange)),
        400..=499 if json && exchange.status != 408 => Judgement::Ends(Reply::Refused(exchange)),
        _ if json => passing(&exchange, "an error of the API"),
        _ => {
            let what = format!("`{}` instead of JSON", plain(&String::from_utf8_lossy(&exchange.body), 80));
            passing(&exchange, &what)
        }
    }
}

fn passing<T>(exchange: &Exchange, what: &str) -> Judgement<T> {
    let pause = exchange.hints.retry_after.map(|pause| pause.min(Duration::from_secs_f64(LONGEST_PAUSE)));
    Judgement::Passing { what: format!("status {}, {what}", exchange.status), pause }
}

/// Anything between nothing and a bound that doubles: full jitter, so that clients that failed together do not
/// come back together.
fn backoff(failures: u32, jitter: f64) -> Duration {
    let bound = FIRST_PAUSE * f64::from(1_u32 << failures.saturating_sub(1).min(10));
    Duration::from_secs_f64(bound.min(LONGEST_PAUSE) * jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        assert_eq!(backoff(1, 1.0), Duration::from_millis(500));
        assert_eq!(backoff(4, 1.0), Duration::from_secs(4));
        assert_eq!(backoff(40, 1.0), Duration::from_secs(60));
        assert_eq!(backoff(4, 0.0), Duration::ZERO);
    }
}
