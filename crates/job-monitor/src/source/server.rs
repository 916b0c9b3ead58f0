//! A monitor-server, asked over HTTP with every wait bounded.

use super::address::{self, Address};
use super::{Look, answer};
use anyhow::{Context, Result, anyhow};
use chrono::{SecondsFormat, Utc};
use journal::read::{Filter, Item, Job};
use std::time::Duration;
use tool::{Judge, Verdict};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The longest wait for an answer, from the name of the host to the last byte.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// For the name, and for the connection.
pub(super) const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A hundred runs are some hundred KiB.
const BODY_LIMIT: u64 = 16 << 20;

/// Where everything is.
const ROOT: &str = "/api/monitoring/jobs";

/// A server that knows the runs, and what it is shown.
pub(crate) struct Server {
    agent: Agent,
    root: String,
    token: Option<String>,
}

impl Server {
    /// The server that `MONITOR_URL` names, with `MONITOR_TOKEN`; none when no such variable is set.
    pub(super) fn from_env() -> Result<Option<Self>> {
        let Some(url) = variable("MONITOR_URL")? else { return Ok(None) };
        let address = address::parse(&url).verdict(Verdict::Config)?;
        let token = variable("MONITOR_TOKEN")?;
        // Anything else cannot be sent in a header.
        if token.iter().any(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            let error = anyhow!("MONITOR_TOKEN has to be one word of ASCII characters");
            return Err(error.verdict(Verdict::Config));
        }
        Ok(Some(Self { agent: agent(&address), root: address.root, token }))
    }

    pub(super) fn active(&self) -> Result<Look> {
        let jobs = self.get("/active", &[], answer::jobs)?;
        Ok(Look { jobs, at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true) })
    }

    pub(super) fn history(&self, filter: &Filter) -> Result<Vec<Job>> {
        let mut query = vec![("limit", filter.limit.to_string())];
        query.extend(filter.job.clone().map(|name| ("job_name", name)));
        query.extend(filter.status.clone().map(|status| ("status", status)));
        query.extend(filter.before.map(|id| ("before", id.to_string())));
        self.get("/history", &query, |body| answer::history(body, filter))
    }

    pub(super) fn summary(&self) -> Result<Vec<(String, Item)>> {
        self.get("/summary", &[], answer::summary)
    }

    pub(super) fn job(&self, id: i64) -> Result<Option<Job>> {
        self.get(&format!("/{id}"), &[], |body| answer::job(body, id))
    }

    /// What an answer means; errors name the address that was asked.
    fn get<T>(
        &self,
        path: &str,
        query: &[(&str, String)],
        read: impl FnOnce(&answer::Answer) -> Result<T>,
    ) -> Result<T> {
        let url = format!("{}{ROOT}{path}", self.root);
        let answered = self.ask(&url, query).and_then(|answer| {
            answer::refusal(&answer, self.token.is_some())?;
            read(&answer)
        });
        answered.with_context(|| format!("GET {url}"))
    }

    fn ask(&self, url: &str, query: &[(&str, String)]) -> Result<answer::Answer> {
        let mut request = self.agent.get(url).query_pairs(query.iter().map(|(name, value)| (*name, value)));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().map_err(|error| answer::fault(&error))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(BODY_LIMIT).read_to_vec();
        match body {
            Ok(body) => Ok(answer::Answer { status, body }),
            // A refusal stays one, whatever happened to its text.
            Err(_) if status != 200 => Ok(answer::Answer { status, body: Vec::new() }),
            Err(error) => Err(answer::fault(&error)),
        }
    }
}

fn agent(address: &Address) -> Agent {
    let mut config = Agent::config_builder()
        .https_only(!address.is_loopback)
        .http_status_as_error(false)
        // Whoever it leads to would be shown the token.
        .max_redirects(0)
        .user_agent(concat!("job-monitor/", env!("CARGO_PKG_VERSION")))
        .accept("application/json")
        .timeout_global(Some(PATIENCE))
        .timeout_resolve(Some(CONNECT_PATIENCE))
        .timeout_connect(Some(CONNECT_PATIENCE))
        .timeout_send_request(Some(CONNECT_PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_recv_body(Some(PATIENCE));
    if address.is_loopback {
        config = config.proxy(None);
    }
    if address.root.starts_with("https:") {
        config = config.tls_config(TlsConfig::builder().root_certs(roots()).build());
    }
    config.build().into()
}

/// Who vouches for a server: the certificates of this machine, among which those of a house of its own may be, or the file
/// that `SSL_CERT_FILE` names. Where there are none, those that are compiled in.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return RootCerts::WebPki;
    }
    found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).into()
}

/// A variable; one that is set to nothing is not set.
fn variable(name: &str) -> Result<Option<String>> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    let text = value.map(|value| value.into_string().map_err(|_| anyhow!("{name} is not UTF-8")));
    text.transpose().verdict(Verdict::Config)
}
