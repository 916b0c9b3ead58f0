//! The variables of the backlog, as people have them in their `.env`.

use anyhow::{Result, anyhow};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tool::{Judge, Verdict};

/// The API takes no more ids in a call.
const LARGEST_BATCH: usize = 100;
/// The longest wait between two attempts, but for a first wait that is longer.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Files,
    Postgres,
}

/// What the environment says.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) store: Kind,
    /// `LOGS_DIR`.
    pub(crate) logs: PathBuf,
    pub(crate) batch: usize,
    pub(crate) max_retries: u32,
    pub(crate) retry_delay: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) lease: Duration,
    /// How seldom the metrics are written; none when they are not wanted.
    pub(crate) metrics: Option<Duration>,
    /// This process, among all workers of all hosts.
    pub(crate) owner: String,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`Verdict::Config`], naming the variable.
    pub(crate) fn from_environment() -> Result<Self> {
        let logs = text("LOGS_DIR")?.unwrap_or_else(|| "logs".to_owned());
        let metrics = boolean("BACKLOG_ENABLE_METRICS", true)?;
        let interval = seconds("BACKLOG_METRIC_INTERVAL", 60, 0)?;
        Ok(Self {
            store: store()?,
            logs: PathBuf::from(logs),
            batch: number("BACKLOG_FETCH_BATCH_SIZE", LARGEST_BATCH, 1)?.min(LARGEST_BATCH),
            max_retries: number("BACKLOG_MAX_RETRIES", 5, 0)?,
            retry_delay: seconds("BACKLOG_RETRY_DELAY", 60, 0)?,
            poll_interval: seconds("BACKLOG_POLL_INTERVAL", 60, 1)?,
            lease: seconds("BACKLOG_LEASE", 120, 1)?,
            metrics: metrics.then_some(interval),
            owner: owner(),
        })
    }

    /// How long an item rests after so many failed attempts: doubled each time up to an hour, up to a quarter more by
    /// chance, so that what failed together does not come back together.
    pub(crate) fn backoff(&self, attempts: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let longest = LONGEST_DELAY.max(self.retry_delay);
        let delay = self.retry_delay.saturating_mul(doubled).min(longest);
        // A hasher with random keys is chance enough.
        let chance = RandomState::new().hash_one(attempts) % 1000;
        delay.mul_f64(1.0 + f64::from(u32::try_from(chance).unwrap_or(0)) / 4000.0)
    }
}

fn owner() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}-{:08x}", host.trim(), std::process::id(), RandomState::new().hash_one(0) >> 32)
}

fn store() -> Result<Kind> {
    match text("BACKLOG_STORE")?.as_deref() {
        None | Some("files") => Ok(Kind::Files),
        Some("postgres") => Ok(Kind::Postgres),
        Some(_) => Err(refusal("BACKLOG_STORE", "is files or postgres")),
    }
}

/// A variable that is set to nothing is one that is not set.
fn text(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(refusal(name, "is no text")),
    }
}

fn number<Number>(name: &str, default: Number, least: Number) -> Result<Number>
where
    Number: Copy + FromStr + PartialOrd + std::fmt::Display,
{
    let Some(value) = text(name)? else { return Ok(default) };
    let number = value.parse().ok().filter(|number| *number >= least);
    number.ok_or_else(|| refusal(name, &format!("is a whole number from {least}, or unset ({default})")))
}

fn seconds(name: &str, default: u32, least: u32) -> Result<Duration> {
    number(name, default, least).map(|seconds| Duration::from_secs(seconds.into()))
}

fn boolean(name: &str, default: bool) -> Result<bool> {
    match text(name)?.map(|value| value.to_lowercase()).as_deref() {
        None => Ok(default),
        Some("true" | "1" | "yes" | "on") => Ok(true),
        Some("false" | "0" | "no" | "off") => Ok(false),
        Some(_) => Err(refusal(name, "is true or false")),
    }
}

fn refusal(name: &str, what: &str) -> anyhow::Error {
    anyhow!("{name} {what}; see .env.example").verdict(Verdict::Config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_doubles_up_to_an_hour() {
        let settings = Settings {
            store: Kind::Files,
            logs: PathBuf::new(),
            batch: 1,
            max_retries: 5,
            retry_delay: Duration::from_secs(60),
            poll_interval: Duration::ZERO,
            lease: Duration::ZERO,
            metrics: None,
            owner: String::new(),
        };
        for (attempts, least) in [(1, 60), (2, 120), (5, 960), (7, 3600), (200, 3600)] {
            let least = Duration::from_secs(least);
            let rest = settings.backoff(attempts);
            assert!(rest >= least && rest <= least.mul_f64(1.25), "{attempts}: {rest:?}");
        }
        let patient = Settings { retry_delay: Duration::from_secs(7200), ..settings };
        assert!(patient.backoff(3) >= Duration::from_secs(7200));
    }
}
