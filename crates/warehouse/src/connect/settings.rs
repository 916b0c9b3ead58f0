//! Which database, as whom, how safely: what the environment says, the way libpq reads it.
//!
//! The client library knows neither `PG*` nor `sslmode=verify-*` nor `sslrootcert`, so those are read here.
//! Source: <https://www.postgresql.org/docs/current/libpq-envars.html> and `libpq-ssl.html`.

use super::{connection_string, password_file};
use anyhow::{Context, Result, bail};
use postgres::Config;
use postgres::config::{Host, SslMode};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use verdict::{Judge, Verdict};

/// What libpq's `sslmode` may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// Never TLS.
    Disable,
    /// TLS when the server speaks it, without looking at its certificate.
    Prefer,
    /// TLS, without looking at the certificate unless roots are given.
    Require,
    /// TLS with a certificate that a root vouches for.
    VerifyCa,
    /// The same, issued to the host we asked for.
    VerifyFull,
}

/// Everything that is needed to connect.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) security: Security,
    /// File of roots; none means those of the system.
    pub(super) roots: Option<PathBuf>,
}

/// Looks a variable up; a variable that is empty is not set.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    pub(super) fn from_environment() -> Result<Self> {
        Self::read(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .verdict(Verdict::Config)
    }

    pub(super) fn read(environment: Environment<'_>) -> Result<Self> {
        let (mut config, security, roots) = match environment("DATABASE_URL") {
            Some(url) => connection_string::parse(&url).context("DATABASE_URL")?,
            None if names_database(environment) => (Config::new(), None, None),
            // The old pipeline's psql preferred TLS, and its environment has to work as it is.
            None => (old_names(environment)?, environment("PGSSLMODE").or(Some("prefer".to_owned())), None),
        };
        fill_in(&mut config, environment)?;
        let security: Option<String> = security.or_else(|| environment("PGSSLMODE"));
        // libpq prefers TLS anywhere, and goes on without it unasked. A password and people's names should not.
        let usual = if is_here(&config) { Security::Prefer } else { Security::Require };
        let mut security = security.map_or(Ok(usual), |mode| read_security(&mode))?;
        let roots = roots.or_else(|| environment("PGSSLROOTCERT"));
        // libpq looks there when nobody says where.
        let usual = || {
            let usual = PathBuf::from(environment("HOME")?).join(".postgresql/root.crt");
            usual.exists().then_some(usual)
        };
        let roots = match roots {
            Some(name) if name == "system" => None,
            Some(name) => Some(PathBuf::from(name)),
            None => usual(),
        };
        // As libpq does: `require` checks the certificate when there is something to check it with.
        if security == Security::Require && roots.is_some() {
            security = Security::VerifyCa;
        }
        // PostgreSQL does not speak TLS on Unix sockets; libpq ignores the mode there.
        if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)))
            && config.get_hostaddrs().is_empty()
        {
            security = Security::Disable;
        }
        config.ssl_mode(match security {
            Security::Disable => SslMode::Disable,
            Security::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        });
        Ok(Self { config, security, roots })
    }
}

fn names_database(environment: Environment<'_>) -> bool {
    ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGUSER", "PGPORT"].iter().any(|name| environment(name).is_some())
}

/// The variables of the pipeline that this one replaces.
fn old_names(environment: Environment<'_>) -> Result<Config> {
    let Some(host) =
        environment("DB_HOST").or_else(|| environment("DB_NAME").map(|_| "localhost".to_owned()))
    else {
        bail!(
            "no database is named; set DATABASE_URL (postgres://user@host/name) or PGHOST and PGDATABASE; \
             scripts/db.sh start brings up a private one"
        );
    };
    let mut config = Config::new();
    config.host(&host);
    if let Some(port) = environment("DB_PORT") {
        config.port(port.parse().with_context(|| format!("DB_PORT: `{port}` is no port"))?);
    }
    if let Some(name) = environment("DB_NAME") {
        config.dbname(&name);
    }
    if let Some(user) = environment("DB_USER") {
        config.user(&user);
    }
    if let Some(password) = environment("DB_PASSWORD") {
        config.password(password);
    }
    Ok(config)
}

/// What the URL leaves open comes from `PG*`, then from libpq's own defaults.
fn fill_in(config: &mut Config, environment: Environment<'_>) -> Result<()> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        let socket = Path::new("/var/run/postgresql");
        let usual = if socket.exists() { "/var/run/postgresql" } else { "localhost" };
        let hosts = environment("PGHOST").unwrap_or_else(|| usual.to_owned());
        for host in hosts.split(',') {
            config.host(host);
        }
        if let Some(address) = environment("PGHOSTADDR") {
            config
                .hostaddr(address.parse().with_context(|| format!("PGHOSTADDR: `{address}` is no address"))?);
        }
    }
    if config.get_ports().is_empty() {
        for port in environment("PGPORT").unwrap_or_else(|| "5432".to_owned()).split(',') {
            config.port(port.parse().with_context(|| format!("PGPORT: `{port}` is no port"))?);
        }
    }
    if config.get_user().is_none() {
        let user = environment("PGUSER").or_else(|| environment("USER")).or_else(|| environment("LOGNAME"));
        if let Some(user) = user {
            config.user(&user);
        }
    }
    if config.get_dbname().is_none() {
        let name = environment("PGDATABASE").or_else(|| config.get_user().map(str::to_owned));
        if let Some(name) = name {
            config.dbname(&name);
        }
    }
    if config.get_password().is_none() {
        let password = environment("PGPASSWORD").or_else(|| password_file::find(config, environment));
        if let Some(password) = password {
            config.password(password);
        }
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    config.keepalives_idle(Duration::from_secs(60)).keepalives_interval(Duration::from_secs(10));
    config.keepalives_retries(6).tcp_user_timeout(Duration::from_secs(120));
    Ok(())
}

/// Whether every server that is named is on this machine.
fn is_here(config: &Config) -> bool {
    let is_here = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    };
    let addresses = config.get_hostaddrs();
    if addresses.is_empty() {
        config.get_hosts().iter().all(is_here)
    } else {
        addresses.iter().all(IpAddr::is_loopback)
    }
}

fn read_security(mode: &str) -> Result<Security> {
    Ok(match mode {
        "disable" => Security::Disable,
        // `allow` is `prefer` in the other order: either ends with TLS or without.
        "allow" | "prefer" => Security::Prefer,
        "require" => Security::Require,
        "verify-ca" => Security::VerifyCa,
        "verify-full" => Security::VerifyFull,
        _ => bail!("sslmode `{mode}` is none of disable, allow, prefer, require, verify-ca, verify-full"),
    })
}

/// Where a configuration points, for messages: `host:port/name`, no user, no password.
pub(super) fn place(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .chain(config.get_hostaddrs().iter().map(ToString::to_string))
        .collect();
    let ports: Vec<String> = config.get_ports().iter().map(ToString::to_string).collect();
    format!("{}:{}/{}", hosts.join(","), ports.join(","), config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
