//! What was asked of this server, for `/metrics`.

use chrono::Utc;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

/// Requests by route and code. The routes are those of the table, so there are never many.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Seconds since 1970.
    started: i64,
    requests: Mutex<BTreeMap<(String, u16), u64>>,
}

/// The route of a request that meant none.
pub(crate) const NO_ROUTE: &str = "none";

impl Counts {
    pub(crate) fn new() -> Self {
        Self { started: Utc::now().timestamp(), requests: Mutex::default() }
    }

    pub(crate) fn add(&self, route: &str, code: u16) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((route.to_owned(), code)).or_default() += 1;
    }

    /// The families, as OpenMetrics writes them.
    pub(crate) fn families(&self) -> String {
        let mut text = String::from(
            "# TYPE mirror42_monitor_requests counter\n# HELP mirror42_monitor_requests Requests to monitor-server since it started.\n",
        );
        for ((route, code), count) in &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            // A string that grows takes everything.
            let line = writeln!(
                text,
                "mirror42_monitor_requests_total{{route=\"{route}\",code=\"{code}\"}} {count}"
            );
            line.unwrap_or_default();
        }
        text.push_str(
            "# TYPE mirror42_monitor_start_timestamp_seconds gauge\n# UNIT mirror42_monitor_start_timestamp_seconds seconds\n\
             # HELP mirror42_monitor_start_timestamp_seconds When monitor-server was started.\n",
        );
        text + &format!("mirror42_monitor_start_timestamp_seconds {}\n", self.started)
    }
}
