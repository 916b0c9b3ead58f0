//! What all requests share.

use crate::counts::Counts;
use crate::fresh::Fresh;
use crate::health::Checks;
use crate::hosts::Hosts;
use crate::records::Records;
use crate::settings::Settings;
use crate::tokens::Tokens;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) tokens: Tokens,
    pub(crate) hosts: Hosts,
    pub(crate) patience: Duration,
    pub(crate) records: Records,
    pub(crate) counts: Counts,
    /// `pipeline-status --json` and `--openmetrics`.
    pub(crate) status: Fresh,
    pub(crate) metrics: Fresh,
    pub(crate) checks: Checks,
}

impl App {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            tokens: settings.tokens,
            hosts: settings.hosts,
            patience: settings.patience,
            records: Records::default(),
            counts: Counts::new(),
            status: Fresh::default(),
            metrics: Fresh::default(),
            checks: Checks::default(),
        }
    }
}
