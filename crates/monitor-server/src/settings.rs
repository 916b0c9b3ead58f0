//! What the command line and the environment allow, checked before anything listens.

use crate::hosts::Hosts;
use crate::tokens::Tokens;
use anyhow::{Result, anyhow};
use std::net::SocketAddr;
use std::time::Duration;
use tool::{Judge, Verdict};

/// Who may ask, by which name, and how long is waited for an answer.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) tokens: Tokens,
    pub(crate) hosts: Hosts,
    /// How long the database, and each tool, may take.
    pub(crate) patience: Duration,
}

impl Settings {
    pub(crate) fn read(listen: SocketAddr, names: &[String], patience: Duration) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let tokens = Tokens::of(variable("MONITOR_TOKEN"), variable("MONITOR_ADMIN_TOKEN"))?;
        if !listen.ip().to_canonical().is_loopback() && !tokens.is_for_readers() {
            let error =
                anyhow!("{listen} is not loopback: set MONITOR_TOKEN, so that not everybody may read");
            return Err(error.verdict(Verdict::Config));
        }
        Ok(Self { tokens, hosts: Hosts::new(names), patience })
    }
}
