//! What the environment says about the API: where it is, who asks, and how much of it this host may use.

use crate::class::Class;
use crate::secret::Secret;
use anyhow::{Context, anyhow, bail};
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Uri;
use verdict::{Judge, Verdict};

/// The real API.
pub const DEFAULT_ROOT: &str = "https://api.intra.42.fr";

/// How to reach the API, and how patient to be with it.
#[derive(Clone)]
pub struct Settings {
    /// Scheme and host, `https://api.intra.42.fr`. A trailing slash or `/v2` is tolerated. Plain http only for a
    /// loopback host.
    pub root: String,
    /// The UID of the application, from its page on the intra.
    pub client_id: String,
    /// The secret of the application.
    pub client_secret: Secret,
    /// The secret that follows: tried when the first one is refused, so that a rotation needs no hurry.
    pub next_secret: Option<Secret>,
    /// Where the token of a person starts when none is kept yet: a refresh token of the old flow.
    pub refresh_token: Option<Secret>,
    /// The log that each renewal of the token is a line of; none when `None`.
    pub token_log: Option<PathBuf>,
    /// Where the token, the shared pace and their locks are kept. Created with mode 0700.
    pub state_dir: PathBuf,
    /// The share of the application's limits that this host may use, above 0 and up to 1.
    pub pace_share: f64,
    /// The kind of work this process does: who is served first, and who leaves a reserve of the hour.
    pub class: Class,
    /// The share of this host's hour that this process may use up, above 0 and up to 1; `None` is that of its class,
    /// less what is kept for live work.
    /// Calls a second are not affected.
    pub hour_share: Option<f64>,
    /// How many requests may be under way at once.
    pub in_flight: usize,
    /// How long one call may wait for quota in all, before it gives up with [`Verdict::Busy`].
    pub max_wait: Duration,
    /// How long one request may take, from the connection to the last byte of the body.
    pub timeout: Duration,
    /// Told why a call is waiting when that takes more than a moment; an empty text when the wait is over.
    pub on_wait: Option<WaitListener>,
}

/// Who is told about waits; called from the threads that wait.
pub type WaitListener = Arc<dyn Fn(&str) + Send + Sync>;

impl Settings {
    /// The settings of a host that has the whole limit for itself, with the usual patience.
    #[must_use]
    pub fn new(root: &str, client_id: &str, client_secret: Secret, state_dir: PathBuf) -> Self {
        Self {
            root: root.to_owned(),
            client_id: client_id.to_owned(),
            client_secret,
            next_secret: None,
            refresh_token: None,
            token_log: None,
            state_dir,
            pace_share: 1.0,
            class: Class::default(),
            hour_share: None,
            in_flight: 12,
            max_wait: Duration::from_secs(3660),
            timeout: Duration::from_secs(180),
            on_wait: None,
        }
    }

    /// Reads `API_ROOT`, `CLIENT_ID`, `CLIENT_SECRET`, `CLIENT_SECRET_NEXT`, `REFRESH_TOKEN`, `STATE_DIR`, `LOGS_DIR`,
    /// `MAX_WAIT_SECONDS`, `PACE_SHARE`, `PACE_CLASS` and `HOUR_SHARE`. An empty variable counts as absent.
    ///
    /// Without `LOGS_DIR` renewals are logged in `logs` when there is such a folder here, and nowhere else.
    ///
    /// # Errors
    ///
    /// [`Verdict::Config`] when the credentials are missing, or a number or a class makes no sense.
    pub fn from_env() -> anyhow::Result<Self> {
        read_settings(&Environment { lookup: &|name| env::var_os(name) }).verdict(Verdict::Config)
    }
}

impl Settings {
    /// Refuses settings that make no sense, as [`Verdict::Config`].
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let shares = check_share("PACE_SHARE", self.pace_share)
            .and_then(|()| check_share("HOUR_SHARE", self.hour_share.unwrap_or(1.0)));
        shares.and_then(|()| normal_root(&self.root).map(drop)).verdict(Verdict::Config)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settings").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Where variables come from; a test brings its own.
struct Environment<'lookup> {
    lookup: &'lookup dyn Fn(&str) -> Option<OsString>,
}

/// What names the state of a host, without the secret: for those who only look.
pub(crate) struct Whose {
    pub(crate) root: String,
    pub(crate) client_id: Option<String>,
    pub(crate) state_dir: PathBuf,
    pub(crate) pace_share: f64,
}

impl Whose {
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        let environment = Environment { lookup: &|name| env::var_os(name) };
        let read = || -> anyhow::Result<Self> {
            let pace_share = environment.number("PACE_SHARE")?.unwrap_or(1.0);
            check_share("PACE_SHARE", pace_share)?;
            Ok(Self {
                root: normal_root(&environment.root()?)?,
                client_id: environment.text("CLIENT_ID")?,
                state_dir: environment.state_dir()?,
                pace_share,
            })
        };
        read().verdict(Verdict::Config)
    }
}

fn read_settings(environment: &Environment<'_>) -> anyhow::Result<Settings> {
    let root = environment.root()?;
    let client_id = environment.credential("CLIENT_ID")?;
    let client_secret = Secret::new(environment.credential("CLIENT_SECRET")?);
    let mut settings = Settings::new(&root, &client_id, client_secret, environment.state_dir()?);
    settings.next_secret = environment.text("CLIENT_SECRET_NEXT")?.map(Secret::new);
    settings.refresh_token = environment.text("REFRESH_TOKEN")?.map(Secret::new);
    settings.token_log = environment.token_log();
    if let Some(seconds) = environment.number("MAX_WAIT_SECONDS")? {
        settings.max_wait = Duration::from_secs(seconds);
    }
    settings.pace_share = environment.number("PACE_SHARE")?.unwrap_or(1.0);
    settings.class = environment.class()?;
    settings.hour_share = environment.number("HOUR_SHARE")?;
    settings.check()?;
    Ok(settings)
}

impl Environment<'_> {
    fn text(&self, name: &str) -> anyhow::Result<Option<String>> {
        let value = (self.lookup)(name).filter(|value| !value.is_empty());
        value.map(|value| value.into_string().map_err(|_| anyhow!("{name} is not UTF-8"))).transpose()
    }

    fn root(&self) -> anyhow::Result<String> {
        Ok(self.text("API_ROOT")?.unwrap_or_else(|| DEFAULT_ROOT.to_owned()))
    }

    fn credential(&self, name: &str) -> anyhow::Result<String> {
        let way_out = "put CLIENT_ID and CLIENT_SECRET of the application into .env";
        self.text(name)?.ok_or_else(|| anyhow!("{name} is not set; {way_out}"))
    }

    fn number<T: FromStr>(&self, name: &str) -> anyhow::Result<Option<T>> {
        let parse = |text: String| {
            text.trim().parse().map_err(|_| anyhow!("{name} is `{text}`, not a number that fits"))
        };
        self.text(name)?.map(parse).transpose()
    }

    fn class(&self) -> anyhow::Result<Class> {
        let Some(text) = self.text("PACE_CLASS")? else { return Ok(Class::default()) };
        let names = Class::ALL.map(Class::name).join(", ");
        text.parse().map_err(|()| anyhow!("PACE_CLASS is `{text}`; it has to be one of {names}"))
    }

    fn token_log(&self) -> Option<PathBuf> {
        let named = (self.lookup)("LOGS_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = named.or_else(|| Some(PathBuf::from("logs")).filter(|logs| logs.is_dir()))?;
        Some(folder.join(crate::token::LOG_NAME))
    }

    fn state_dir(&self) -> anyhow::Result<PathBuf> {
        let path = |name| (self.lookup)(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home_state = || path("HOME").map(|home| home.join(".local/state"));
        let default = || path("XDG_STATE_HOME").or_else(home_state).map(|state| state.join("mirror42"));
        path("STATE_DIR").or_else(default).context("neither STATE_DIR nor HOME is set; set STATE_DIR")
    }
}

/// Refuses a share that would stop all calls, or use more than there is.
fn check_share(name: &str, share: f64) -> anyhow::Result<()> {
    if share > 0.0 && share <= 1.0 {
        return Ok(());
    }
    bail!("{name} is {share}; it has to be above 0 and at most 1")
}

/// The root without a trailing slash or `/v2`.
///
/// Refused: anything but https (http for a loopback host), user information, a query.
pub(crate) fn normal_root(root: &str) -> anyhow::Result<String> {
    let trimmed = root.trim().trim_end_matches('/');
    let trimmed = trimmed.strip_suffix("/v2").unwrap_or(trimmed).trim_end_matches('/');
    let uri: Uri =
        trimmed.parse().map_err(|_| anyhow!("API_ROOT is not a URL; the real API is {DEFAULT_ROOT}"))?;
    let host = uri.host().filter(|host| !host.is_empty()).context("API_ROOT names no host")?;
    let bare = !trimmed.contains(['@', '?', '#']);
    match uri.scheme_str() {
        Some("https") if bare => Ok(trimmed.to_owned()),
        Some("http") if bare && is_loopback(host) => Ok(trimmed.to_owned()),
        Some("http") if bare => bail!("API_ROOT has to start with https:// unless the host is loopback"),
        _ => bail!("API_ROOT has to be https:// and a host, nothing more; the real API is {DEFAULT_ROOT}"),
    }
}

/// Whether a host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_loses_what_people_append() {
        for root in ["https://api.intra.42.fr", "https://api.intra.42.fr/", "https://api.intra.42.fr/v2/"] {
            assert_eq!(normal_root(root).unwrap(), DEFAULT_ROOT);
        }
        assert_eq!(normal_root("http://127.0.0.1:4242/v2").unwrap(), "http://127.0.0.1:4242");
        assert_eq!(normal_root("http://[::1]:4242").unwrap(), "http://[::1]:4242");
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for root in [
            "http://api.intra.42.fr",
            "ftp://localhost",
            "api.intra.42.fr",
            "",
            "https://a@b",
            "http://localhost.evil",
        ] {
            assert!(normal_root(root).is_err(), "{root}");
        }
    }

    fn read(variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let known = |name: &str| variables.iter().find(|(known, _)| *known == name);
        read_settings(&Environment { lookup: &|name| known(name).map(|(_, value)| OsString::from(value)) })
    }

    const CREDENTIALS: [(&str, &str); 3] = [("CLIENT_ID", "u"), ("CLIENT_SECRET", "s"), ("HOME", "/home/x")];

    #[test]
    fn the_environment_of_a_plain_user_is_enough() {
        let settings = read(&CREDENTIALS).unwrap();
        assert_eq!(settings.root, DEFAULT_ROOT);
        assert_eq!(settings.state_dir, PathBuf::from("/home/x/.local/state/mirror42"));
        assert_eq!((settings.max_wait, settings.pace_share), (Duration::from_secs(3660), 1.0));
        assert!(settings.next_secret.is_none());
        assert_eq!((settings.class, settings.hour_share), (Class::Hand, None));
    }

    #[test]
    fn every_variable_is_heeded() {
        let mut variables = CREDENTIALS.to_vec();
        variables.extend([
            ("API_ROOT", "http://localhost:1/v2"),
            ("CLIENT_SECRET_NEXT", "n"),
            ("STATE_DIR", "/s"),
        ]);
        variables.extend([("MAX_WAIT_SECONDS", "7"), ("PACE_SHARE", "0.5"), ("HOUR_SHARE", "0.75")]);
        variables.extend([("PACE_CLASS", "bulk"), ("REFRESH_TOKEN", "r"), ("LOGS_DIR", "/l")]);
        let settings = read(&variables).unwrap();
        assert_eq!(settings.root, "http://localhost:1/v2");
        assert_eq!(settings.next_secret.unwrap().reveal(), "n");
        assert_eq!(settings.state_dir, PathBuf::from("/s"));
        assert_eq!(settings.max_wait, Duration::from_secs(7));
        assert_eq!((settings.pace_share, settings.hour_share), (0.5, Some(0.75)));
        assert_eq!(settings.class, Class::Bulk);
        assert_eq!(settings.refresh_token.unwrap().reveal(), "r");
        assert_eq!(settings.token_log.unwrap(), PathBuf::from("/l/42_token_refresh.log"));
        let xdg = read(&[CREDENTIALS[0], CREDENTIALS[1], ("XDG_STATE_HOME", "/x")]).unwrap();
        assert_eq!(xdg.state_dir, PathBuf::from("/x/mirror42"));
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_named() {
        let message = format!("{:#}", read(&[("CLIENT_ID", "u"), ("CLIENT_SECRET", "")]).unwrap_err());
        let expected =
            "CLIENT_SECRET is not set; put CLIENT_ID and CLIENT_SECRET of the application into .env";
        assert_eq!(message, expected);
        for (name, value) in [
            ("MAX_WAIT_SECONDS", "-1"),
            ("PACE_SHARE", "0"),
            ("PACE_SHARE", "all"),
            ("HOUR_SHARE", "NaN"),
            ("PACE_CLASS", "fast"),
        ] {
            let mut variables = CREDENTIALS.to_vec();
            variables.push((name, value));
            let message = format!("{:#}", read(&variables).unwrap_err());
            assert!(message.starts_with(&format!("{name} is ")), "{message}");
        }
    }
}
