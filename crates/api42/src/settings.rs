//! What the environment says about the API: where it is, who asks, and how much of it this host may use.

use anyhow::{Context, anyhow, bail};
use std::env;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
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
    /// Where the token, the shared pace and their locks are kept. Created with mode 0700.
    pub state_dir: PathBuf,
    /// The share of the application's limits that this host may use, above 0 and up to 1.
    pub pace_share: f64,
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

/// A text that is never shown: neither `Debug` nor `Display` print it.
#[derive(Clone)]
pub struct Secret(String);

impl Settings {
    /// The settings of a host that has the whole limit for itself, with the usual patience.
    #[must_use]
    pub fn new(root: &str, client_id: &str, client_secret: Secret, state_dir: PathBuf) -> Self {
        Self {
            root: root.to_owned(),
            client_id: client_id.to_owned(),
            client_secret,
            next_secret: None,
            state_dir,
            pace_share: 1.0,
            in_flight: 8,
            max_wait: Duration::from_secs(3660),
            timeout: Duration::from_secs(180),
            on_wait: None,
        }
    }

    /// Reads `API_ROOT`, `CLIENT_ID`, `CLIENT_SECRET`, `CLIENT_SECRET_NEXT`, `STATE_DIR`, `MAX_WAIT_SECONDS` and
    /// `PACE_SHARE`. An empty variable counts as absent.
    ///
    /// # Errors
    ///
    /// [`Verdict::Config`] when the credentials are missing or a number makes no sense.
    pub fn from_env() -> anyhow::Result<Self> {
        read_environment().verdict(Verdict::Config)
    }
}

impl Secret {
    /// Wraps a text that must not be shown.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settings").field("root", &self.root).finish_non_exhaustive()
    }
}

fn read_environment() -> anyhow::Result<Settings> {
    let root = variable("API_ROOT")?.unwrap_or_else(|| DEFAULT_ROOT.to_owned());
    let client_id = credential("CLIENT_ID")?;
    let client_secret = Secret(credential("CLIENT_SECRET")?);
    let mut settings = Settings::new(&root, &client_id, client_secret, state_dir()?);
    settings.next_secret = variable("CLIENT_SECRET_NEXT")?.map(Secret);
    if let Some(text) = variable("MAX_WAIT_SECONDS")? {
        let seconds =
            text.parse().with_context(|| format!("MAX_WAIT_SECONDS is `{text}`, not a number of seconds"))?;
        settings.max_wait = Duration::from_secs(seconds);
    }
    if let Some(text) = variable("PACE_SHARE")? {
        settings.pace_share =
            text.parse().with_context(|| format!("PACE_SHARE is `{text}`, not a number"))?;
    }
    check_share(settings.pace_share)?;
    normal_root(&settings.root)?;
    Ok(settings)
}

fn credential(name: &str) -> anyhow::Result<String> {
    variable(name)?.ok_or_else(|| {
        anyhow!("{name} is not set; put CLIENT_ID and CLIENT_SECRET of the application into .env")
    })
}

fn variable(name: &str) -> anyhow::Result<Option<String>> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    value.map(|value| value.into_string().map_err(|_| anyhow!("{name} is not UTF-8"))).transpose()
}

fn state_dir() -> anyhow::Result<PathBuf> {
    let path = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home_state = || path("HOME").map(|home| home.join(".local/state"));
    let default = || path("XDG_STATE_HOME").or_else(home_state).map(|state| state.join("mirror42"));
    path("STATE_DIR")
        .or_else(default)
        .ok_or_else(|| anyhow!("neither STATE_DIR nor HOME is set; set STATE_DIR"))
}

/// Refuses a share that would stop all calls, or use more than there is.
pub(crate) fn check_share(share: f64) -> anyhow::Result<()> {
    if share > 0.0 && share <= 1.0 {
        return Ok(());
    }
    bail!("PACE_SHARE is {share}; it has to be above 0 and at most 1")
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
    fn a_secret_is_never_shown() {
        let settings = Settings::new(DEFAULT_ROOT, "u-1", Secret::new("s-MARK".to_owned()), PathBuf::new());
        let shown = format!("{:?} {} {settings:?}", settings.client_secret, settings.client_secret);
        assert!(!shown.contains("MARK"), "{shown}");
    }

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

    #[test]
    fn a_share_is_a_fraction() {
        assert!(check_share(0.25).is_ok() && check_share(1.0).is_ok());
        assert!(check_share(0.0).is_err() && check_share(1.5).is_err() && check_share(f64::NAN).is_err());
    }
}
