//! How a message reaches somebody: as JSON, posted to an address, or given to a command.

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tool::{Judge, Verdict};
use ureq::Agent;
use ureq::http::Uri;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pauses before the second and the third attempt; after that the next run tries again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// How often it is looked whether a command has ended.
const TICK: Duration = Duration::from_millis(20);

/// A way to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Channel {
    Webhook,
    Command,
}

/// The ways that are configured.
pub(crate) struct Post {
    webhook: Option<String>,
    command: Option<String>,
    /// What a command sees: the environment as it was given to us, without what `.env` added.
    inherited: Vec<(OsString, OsString)>,
}

impl Post {
    /// The ways that `ALERT_WEBHOOK` and `ALERT_COMMAND` name.
    ///
    /// # Errors
    /// [`Verdict::Config`] when the address is none. It is not quoted, because it may hold a secret.
    pub(crate) fn from_environment(inherited: Vec<(OsString, OsString)>) -> Result<Self> {
        let named = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let webhook = named("ALERT_WEBHOOK");
        if let Some(address) = &webhook {
            let uri = address.parse::<Uri>().ok();
            let scheme = uri.as_ref().and_then(Uri::scheme_str);
            if !matches!(scheme, Some("http" | "https")) {
                return Err(anyhow!("ALERT_WEBHOOK is no http or https address").verdict(Verdict::Config));
            }
        }
        Ok(Self { webhook, command: named("ALERT_COMMAND"), inherited })
    }

    /// The ways there are.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        let webhook = self.webhook.as_ref().map(|_| Channel::Webhook);
        webhook.into_iter().chain(self.command.as_ref().map(|_| Channel::Command)).collect()
    }

    /// Delivers a message, with a few attempts. A way that is configured no more delivers nothing, and is done with it.
    ///
    /// # Errors
    /// When the last attempt failed too; no address is quoted.
    pub(crate) fn deliver(&self, channel: Channel, message: &Value) -> Result<()> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let outcome = match (channel, &self.webhook, &self.command) {
                (Channel::Webhook, Some(address), _) => post(address, message),
                (Channel::Command, _, Some(line)) => self.run(line, message),
                _ => return Ok(()),
            };
            match (outcome, pauses.next()) {
                (Err(error), Some(pause)) => {
                    log::info!("{error:#}; again in {} s", pause.as_secs());
                    thread::sleep(pause);
                }
                (outcome, _) => return outcome,
            }
        }
    }

    fn run(&self, line: &str, message: &Value) -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", line]).env_clear().envs(self.inherited.iter().map(|(name, value)| (name, value)));
        // In a group of its own, so that what it starts ends with it; what it prints is for people.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        let mut child = command.spawn().context("ALERT_COMMAND cannot be run")?;
        if let Some(mut stdin) = child.stdin.take() {
            // A message fits into a pipe; who does not read it may still do its work.
            drop(writeln!(stdin, "{message}"));
        }
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().context("ALERT_COMMAND")? {
                break status;
            }
            if started.elapsed() >= PATIENCE {
                kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap_or_default();
                child.wait().context("ALERT_COMMAND")?;
                bail!("ALERT_COMMAND took longer than {} s", PATIENCE.as_secs());
            }
            thread::sleep(TICK);
        };
        if status.success() { Ok(()) } else { bail!("ALERT_COMMAND: {status}") }
    }
}

fn post(address: &str, message: &Value) -> Result<()> {
    let uri: Uri = address.parse().map_err(|_| anyhow!("ALERT_WEBHOOK is no address"))?;
    let host = uri.host().unwrap_or_default().to_owned();
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .user_agent(concat!("mirror42/", env!("CARGO_PKG_VERSION")));
    if host == "localhost" || host.starts_with("127.") || host == "[::1]" {
        config = config.proxy(None);
    }
    let agent: Agent = config.build().into();
    let request = agent.post(address).content_type("application/json");
    let answer = request.send(message.to_string());
    let answer = answer.map_err(|error| anyhow!("ALERT_WEBHOOK at {host}: {}", cause(&error)))?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { bail!("ALERT_WEBHOOK at {host} answers {status}") }
}

/// What went wrong, without the address.
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::Tls(text) => (*text).to_owned(),
        ureq::Error::Rustls(error) => error.to_string(),
        _ => "it cannot be spoken to".to_owned(),
    }
}
