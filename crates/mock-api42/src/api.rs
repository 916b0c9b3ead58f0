//! A call to the API, from the door to the answer: agent, token, limits, faults, route.

use crate::app::{App, locked};
use crate::chance::Chance;
use crate::credentials::Credentials;
use crate::damage;
use crate::faults::{Fault, FaultKind};
use crate::http::{Request, seal};
use crate::limiter::{Pass, Remaining};
use crate::params::Params;
use crate::reply::{Reply, TEXT};
use crate::routes;
use crate::switches::Switches;
use std::time::{Duration, Instant};

/// A call that is being answered, until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight<'a>(Option<&'a App>);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(app) = self.0 {
            locked(&app.stats).end();
        }
    }
}

/// Answers a call; it is in flight until what comes back second is dropped.
pub(crate) fn answer<'a>(app: &'a App, request: &Request) -> (Reply, InFlight<'a>) {
    let started = Instant::now();
    let switches = app.switches();
    let now = app.now();
    let (reply, in_flight, number) = if request.path.starts_with("/v2/") && !is_token(&request.path) {
        let number = locked(&app.stats).begin(&request.path, &Params::parse(&request.query), now);
        (call(app, request, &switches, now, number), InFlight(Some(app)), number)
    } else {
        let number = locked(&app.stats).token_call(&grant(request));
        (token_call(app, request, &switches, now), InFlight(None), number)
    };
    std::thread::sleep(switches.latency.of(app.seed, &request.path, number));
    let runtime = format!("{:.6}", started.elapsed().as_secs_f64());
    let status = reply.status;
    let sealed = seal(reply.with("X-Runtime", runtime), request, &switches, number).unwrap_or_else(|error| {
        log::error!("{error:#}");
        Reply::html(500)
    });
    if sealed.status == 304 && !switches.count_304.is_on() {
        locked(&app.limiter).refund(now);
    }
    if in_flight.0.is_some() {
        locked(&app.stats).answered(sealed.status);
    }
    log_call(request, sealed.status, status, started.elapsed());
    (sealed, in_flight)
}

/// Neither tokens nor credentials: the query is told for lists only, and not when it carries a token.
fn log_call(request: &Request, status: u16, before: u16, took: Duration) {
    let telling = request.path.starts_with("/v2/")
        && !is_token(&request.path)
        && !request.query.contains("access_token");
    let query =
        if telling && !request.query.is_empty() { format!("?{}", request.query) } else { String::new() };
    let matched = if status == before { "" } else { " (not modified)" };
    log::info!("{} {}{query} {status}{matched} {} ms", request.method, request.path, took.as_millis());
}

fn is_token(path: &str) -> bool {
    matches!(path, "/oauth/token" | "/v2/oauth/token" | "/oauth/token/info")
}

/// What a token request asks for, as the statistics call it.
fn grant(request: &Request) -> String {
    if request.path == "/oauth/token/info" {
        return "info".to_owned();
    }
    Credentials::of(request).get("grant_type").unwrap_or("none").to_owned()
}

fn bearer(request: &Request) -> Option<String> {
    let header = request.header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    header.or_else(|| Params::parse(&request.query).get("access_token").map(str::to_owned))
}

/// Whatever is not under /v2: the token endpoint, or nothing.
fn token_call(app: &App, request: &Request, switches: &Switches, now: i64) -> Reply {
    if switches.count_token_calls.is_on()
        && let Err(reply) = limited(app, switches, now)
    {
        return reply;
    }
    let fault = struck(app, &request.path);
    if let Some(reply) = fault.as_ref().and_then(|fault| damage::instead(fault, switches)) {
        return reply;
    }
    let reply = match (request.path.as_str(), request.method.as_str()) {
        ("/oauth/token/info", "GET") => locked(&app.issuer).info(bearer(request).as_deref(), switches, now),
        ("/oauth/token" | "/v2/oauth/token", "POST") => {
            locked(&app.issuer).grant(&Credentials::of(request), switches, now)
        }
        _ => Reply::not_found(),
    };
    match fault {
        Some(fault) => damage::spoil(&fault, reply),
        None => reply,
    }
}

fn call(app: &App, request: &Request, switches: &Switches, now: i64, number: u64) -> Reply {
    if request.header("user-agent").is_none_or(str::is_empty) {
        return Reply::empty(403);
    }
    let access = match locked(&app.issuer).call(bearer(request).as_deref(), switches, now) {
        Ok(access) => access,
        Err(reply) => return reply,
    };
    let remaining = match limited(app, switches, now) {
        Ok(remaining) => remaining,
        Err(reply) => return reply,
    };
    let fault = struck(app, &request.path);
    let unlucky = Chance::of(app.seed, "error", number).happens(switches.error_rate / 100.0);
    let instead = fault.as_ref().and_then(|fault| damage::instead(fault, switches));
    let reply = match instead {
        Some(reply) => reply,
        None if unlucky => Reply::html(502),
        None => {
            let reply = routes::answer(app, request, &access, switches, number);
            if reply.status == 200 {
                app.move_between(&request.path, switches);
            }
            match fault {
                Some(fault) => damage::spoil(&fault, reply),
                None => reply,
            }
        }
    };
    with_limits(reply, remaining, switches)
}

/// The fault that hits a call; a slow one has been waited for.
fn struck(app: &App, path: &str) -> Option<Fault> {
    let fault = locked(&app.faults).strike(path)?;
    locked(&app.stats).fault(fault.kind.name());
    if fault.kind == FaultKind::Slow {
        std::thread::sleep(Duration::from_millis(fault.ms.unwrap_or(1_000)));
    }
    Some(fault)
}

/// What remains after a call, or the 429 it gets.
fn limited(app: &App, switches: &Switches, now: i64) -> Result<Remaining, Reply> {
    let (pass, remaining) = locked(&app.limiter).call(now, switches);
    let (text, wait) = match pass {
        Pass::Yes => return Ok(remaining),
        Pass::Secondly => (damage::THROTTLED, 1),
        Pass::Hourly(wait) => (switches.hourly_429_body.as_str(), wait),
    };
    locked(&app.stats).violation();
    let reply = with_limits(Reply::new(429, TEXT, text), remaining, switches);
    Err(if switches.retry_after.is_on() { reply.with("Retry-After", wait.to_string()) } else { reply })
}

fn with_limits(reply: Reply, remaining: Remaining, switches: &Switches) -> Reply {
    if !switches.rate_headers.is_on() {
        return reply;
    }
    reply
        .with("X-Hourly-RateLimit-Limit", switches.per_hour.to_string())
        .with("X-Hourly-RateLimit-Remaining", remaining.hour.to_string())
        .with("X-Secondly-RateLimit-Limit", switches.per_second.to_string())
        .with("X-Secondly-RateLimit-Remaining", remaining.second.to_string())
}
