//! What each command does.

use crate::{metrics, show};
use anyhow::{Context, Result, anyhow};
use api42::{Client, HostState, Renewal, Secret, Settings, TokenState};
use std::env;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;
use tool::{Judge, Verdict};

/// `ensure-fresh` renews a token that does not last so long.
const LONG_ENOUGH: Duration = Duration::from_secs(3600);

/// No code is longer than this; a whole file on standard input is a mistake.
const LONGEST_CODE: u64 = 4096;

pub(crate) fn ensure_fresh() -> Result<()> {
    let (state, renewal) = client()?.ensure_token(LONG_ENOUGH)?;
    // A renewal has said it already.
    if renewal == Renewal::Unneeded {
        warn_of_secret(&state);
    }
    Ok(())
}

pub(crate) fn refresh(json: bool) -> Result<()> {
    let (state, renewal) = client()?.renew_token()?;
    if json {
        return show::line(&show::Renewed { renewed: renewal == Renewal::New, state: &state });
    }
    let what = match renewal {
        Renewal::Again => "the API handed the same token out again, as it does while one lasts",
        Renewal::New | Renewal::Unneeded => "there is a new token",
    };
    show::say(&format!("{what}: valid for {}", show::left(state.expires_in)))
}

pub(crate) fn info(json: bool, offline: bool) -> Result<()> {
    let state = if offline { kept()? } else { client()?.token_info()? };
    warn_of_secret(&state);
    if json { show::line(&state) } else { show::token(&state) }
}

pub(crate) fn exchange(code: &str, json: bool) -> Result<()> {
    let client = client()?;
    let redirect_uri = env::var("REDIRECT_URI").ok().filter(|uri| !uri.is_empty());
    let way_out = "set it to the address that the application is registered with and the code was made for";
    let redirect_uri = redirect_uri
        .with_context(|| format!("REDIRECT_URI is not set; {way_out}"))
        .verdict(Verdict::Config)?;
    let state = client.exchange_code(&read_code(code)?, redirect_uri.trim())?;
    if json {
        return show::line(&show::Renewed { renewed: true, state: &state });
    }
    show::say(&format!("all calls use the person's token now: valid for {}", show::left(state.expires_in)))
}

pub(crate) fn forget() -> Result<()> {
    let forgotten = client()?.forget_token()?;
    show::say(if forgotten { "the token is forgotten; the next call gets one" } else { "no token was kept" })
}

pub(crate) fn budget(json: bool) -> Result<()> {
    let budget = HostState::from_env()?.budget()?;
    if json { show::line(&budget) } else { show::budget(&budget) }
}

pub(crate) fn metrics() -> Result<()> {
    let host = HostState::from_env()?;
    tool::print(&metrics::text(host.token()?.as_ref(), &host.budget()?))
}

/// A client that logs its renewals, also where there is no folder of logs yet.
fn client() -> Result<Client> {
    let mut settings = Settings::from_env()?;
    let log = || PathBuf::from("logs/42_token_refresh.log");
    settings.token_log = settings.token_log.or_else(|| Some(log()));
    Client::new(settings)
}

fn kept() -> Result<TokenState> {
    let state = HostState::from_env()?.token()?;
    state.context("no token is kept here that could be used; `api-token ensure-fresh` asks for one")
}

fn warn_of_secret(state: &TokenState) {
    if let Some(sentence) = state.secret_warning() {
        log::warn!("{sentence}");
    }
}

fn read_code(argument: &str) -> Result<Secret> {
    let mut code = argument.to_owned();
    if argument == "-" {
        code.clear();
        let read = std::io::stdin().take(LONGEST_CODE + 1).read_to_string(&mut code);
        read.context("standard input").verdict(Verdict::Io)?;
    }
    let code = code.trim();
    let plausible = !code.is_empty()
        && code.len() as u64 <= LONGEST_CODE
        && code.bytes().all(|byte| byte.is_ascii_graphic());
    if plausible {
        return Ok(Secret::new(code.to_owned()));
    }
    Err(anyhow!("this is no code; it stands behind `code=` in the address that the person was sent back to"))
        .verdict(Verdict::Usage)
}
