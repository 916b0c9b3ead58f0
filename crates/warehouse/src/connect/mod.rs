//! How a connection to PostgreSQL is made: settings from the environment, TLS as libpq does it, one session setup.

mod connection_string;
mod password_file;
mod settings;
mod tls;

use crate::fault;
use anyhow::{Context, Result};
use postgres::{CancelToken, Client, Config};
use settings::{Security, Settings};
use verdict::{Judge, Verdict};

/// What every session of ours sets.
///
/// `lock_timeout` also bounds the wait for another loader of the same table; no statement timeout, because a run has a
/// deadline of its own (`tool::Deadline`). The server looks whether we are still there, so that a loader that was killed
/// does not leave its statement running with its locks. What a load sees while it waits for a lock is what `read
/// committed` shows, whatever the role's default.
const SESSION: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_min_messages = warning;
    SET statement_timeout = 0; SET lock_timeout = '10min'; SET idle_in_transaction_session_timeout = 0;
    SET extra_float_digits = 1; SET temp_buffers = '32MB'; SET default_transaction_isolation = 'read committed';
    SELECT set_config('client_connection_check_interval', '5s', false)
        WHERE current_setting('server_version_num')::int >= 140000";

/// Connects to the database that the environment names, as the tool called `application`.
///
/// `DATABASE_URL` or libpq's `PG*` variables (`PGPASSFILE` and `~/.pgpass` included), or the `DB_*` variables of the old
/// pipeline when there are neither. `sslmode` means what it means to libpq, `verify-ca` and `verify-full` included; where
/// none is said, a server that is not on this machine is spoken to by TLS or not at all, but for one of `DB_*`.
///
/// # Errors
/// [`Verdict::Config`] when nothing is configured or something is not understood, [`Verdict::Credentials`] when the
/// server refuses the user, [`Verdict::Unreachable`] when there is no server, no such database or no trust in its
/// certificate. No message holds the password.
pub fn connect(application: &str) -> Result<Client> {
    let mut settings = Settings::from_environment()?;
    settings.config.application_name(application);
    let mut client = open(&settings)?;
    client.batch_execute(SESSION).map_err(|error| fault::of(&error)).context("setting up the session")?;
    Ok(client)
}

/// Asks the server to stop what it does for a connection. It may be done already, or never hear of it.
pub(crate) fn cancel(token: &CancelToken) {
    let asked = Settings::from_environment().and_then(|settings| match settings.security {
        Security::Disable => token.cancel_query(postgres::NoTls).map_err(|error| fault::of(&error)),
        _ => token.cancel_query(tls::connector(&settings)?).map_err(|error| fault::of(&error)),
    });
    if let Err(error) = asked {
        log::debug!("the server was not asked to stop: {error:#}");
    }
}

fn open(settings: &Settings) -> Result<Client> {
    let first = match settings.security {
        Security::Disable => settings.config.connect(postgres::NoTls),
        _ => settings.config.connect(tls::connector(settings)?),
    };
    let outcome = match first {
        // As libpq does: `prefer` goes on in the clear where TLS cannot be spoken.
        Err(error) if settings.security == Security::Prefer && is_of_tls(&error) => {
            log::info!(
                "PostgreSQL does not speak TLS that we know, going on without: {}",
                fault::text(&error)
            );
            let mut clear = settings.config.clone();
            clear.ssl_mode(postgres::config::SslMode::Disable).connect(postgres::NoTls)
        }
        outcome => outcome,
    };
    outcome.map_err(|error| refusal(&settings.config, &error))
}

/// A handshake that failed, or a server whose `pg_hba.conf` takes this user only without TLS.
fn is_of_tls(error: &postgres::Error) -> bool {
    let refused = error.code() == Some(&postgres::error::SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
    refused || error.to_string() == "error performing TLS handshake"
}

fn refusal(config: &Config, error: &postgres::Error) -> anyhow::Error {
    use postgres::error::SqlState;
    let place = settings::place(config);
    let text = fault::text(error);
    let password_missing = text.contains("password missing");
    match error.code() {
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            let way_out = "create it with createdb, then run init-db";
            anyhow::anyhow!("PostgreSQL at {place}: {text}; {way_out}").verdict(Verdict::Unreachable)
        }
        Some(code) if code.code().starts_with("28") => {
            let way_out = "see the user and password in DATABASE_URL, PGPASSWORD or ~/.pgpass";
            anyhow::anyhow!("PostgreSQL at {place} refused us: {text}; {way_out}")
                .verdict(Verdict::Credentials)
        }
        None if password_missing => {
            let way_out = "put it in DATABASE_URL, PGPASSWORD or ~/.pgpass";
            anyhow::anyhow!("PostgreSQL at {place} wants a password; {way_out}").verdict(Verdict::Credentials)
        }
        Some(&SqlState::TOO_MANY_CONNECTIONS) => {
            anyhow::anyhow!("PostgreSQL at {place}: {text}").verdict(Verdict::Busy)
        }
        _ if text.contains("does not support TLS") => {
            let way_out = "sslmode=disable in DATABASE_URL, or PGSSLMODE, lets it be spoken to in the clear";
            anyhow::anyhow!("PostgreSQL at {place}: {text}; {way_out}").verdict(Verdict::Unreachable)
        }
        _ if text.contains("certificate") => {
            let way_out = "see sslmode and sslrootcert; a name is looked for in subjectAltName only";
            anyhow::anyhow!("PostgreSQL at {place} cannot be trusted: {text}; {way_out}")
                .verdict(Verdict::Unreachable)
        }
        _ => {
            let way_out = "scripts/db.sh start brings up a private one, DATABASE_URL names another";
            anyhow::anyhow!("cannot reach PostgreSQL at {place}: {text}; {way_out}")
                .verdict(Verdict::Unreachable)
        }
    }
}
