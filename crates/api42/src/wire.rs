//! One HTTP exchange: bytes there, bytes back, each wait bounded. What the answer means is judged elsewhere.

use crate::hints::Hints;
use crate::sent::OnSent;
use crate::settings::{Settings, is_loopback, normal_root};
use chrono::Utc;
use std::fmt::Write;
use std::time::Duration;
use ureq::http::{Response, Uri};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Body, Error};

/// No body of the API comes near this; a hundred projects are a few MiB.
const BODY_LIMIT: u64 = 64 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest silence. It covers the wait for the first byte, which took up to 37 s on coalitions.
const READ_TIMEOUT: Duration = Duration::from_secs(75);

/// The longest wait for the whole head, and then for the whole body.
const PART_TIMEOUT: Duration = Duration::from_secs(120);

/// The agent and the address it talks to.
pub(crate) struct Wire {
    agent: Agent,
    root: String,
}

/// An answer as it came, whatever its status.
pub(crate) struct Exchange {
    pub(crate) status: u16,
    pub(crate) hints: Hints,
    pub(crate) body: Vec<u8>,
}

/// Why no answer came.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The same request may succeed later.
    Passing(String),
    /// It never will.
    Lasting(String),
}

impl Wire {
    pub(crate) fn new(settings: &Settings, on_sent: OnSent) -> anyhow::Result<Self> {
        let root = normal_root(&settings.root)?;
        let uri: Uri = root.parse()?;
        let local = uri.host().is_some_and(is_loopback);
        let longest = settings.timeout;
        let mut config = Agent::config_builder()
            .https_only(!local)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("mirror42/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .max_idle_connections(settings.in_flight)
            .max_idle_connections_per_host(settings.in_flight)
            .timeout_global(Some(longest))
            .timeout_resolve(Some(CONNECT_TIMEOUT.min(longest)))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(longest)))
            .timeout_send_request(Some(READ_TIMEOUT.min(longest)))
            .timeout_send_body(Some(READ_TIMEOUT.min(longest)))
            .timeout_per_read(Some(READ_TIMEOUT.min(longest)))
            .timeout_recv_response(Some(PART_TIMEOUT.min(longest)))
            .timeout_recv_body(Some(PART_TIMEOUT.min(longest)));
        if local {
            config = config.proxy(None);
        }
        let connector = DefaultConnector::default().chain(on_sent);
        Ok(Self { agent: Agent::with_parts(config.build(), connector, DefaultResolver::default()), root })
    }

    /// One GET. `path` begins with a slash and may already carry a query.
    pub(crate) fn get(&self, path: &str, query: &[(String, String)], token: &str) -> Result<Exchange, Fault> {
        let url = address(&self.root, path, query)?;
        read(self.agent.get(url).header("Authorization", format!("Bearer {token}")).call())
    }

    /// One POST of a form.
    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Exchange, Fault> {
        read(self.agent.post(format!("{}{path}", self.root)).send_form(form.iter().copied()))
    }
}

fn address(root: &str, path: &str, query: &[(String, String)]) -> Result<String, Fault> {
    // Anything else could change the host that the token is sent to.
    if !path.starts_with('/') {
        return Err(Fault::Lasting("the path has to begin with /".to_owned()));
    }
    let mut url = format!("{root}{path}");
    let mut separator = if path.contains('?') { '&' } else { '?' };
    for (name, value) in query {
        url.push(separator);
        encode(&mut url, name);
        url.push('=');
        encode(&mut url, value);
        separator = '&';
    }
    Ok(url)
}

/// Appends a text percent-encoded: everything but the unreserved characters of RFC 3986.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(url, "%{byte:02X}").unwrap_or_default();
        }
    }
}

fn read(sent: Result<Response<Body>, Error>) -> Result<Exchange, Fault> {
    let mut answer = sent.map_err(|error| fault(&error))?;
    let status = answer.status().as_u16();
    let hints = Hints::read(answer.headers(), Utc::now());
    let body = answer.body_mut().with_config().limit(BODY_LIMIT).read_to_vec();
    match body {
        Ok(body) => Ok(Exchange { status, hints, body }),
        // A refusal stays one, whatever happened to its text.
        Err(_) if status != 200 => Ok(Exchange { status, hints, body: Vec::new() }),
        Err(error) => Err(fault(&error)),
    }
}

fn fault(error: &Error) -> Fault {
    match error {
        // Not the address itself: its query may name people.
        Error::BadUri(_) | Error::Http(_) => Fault::Lasting("the path makes no valid URL".to_owned()),
        Error::RequireHttpsOnly(_) => Fault::Lasting("the API is spoken to over https only".to_owned()),
        Error::BodyExceedsLimit(limit) => {
            Fault::Lasting(format!("the answer is larger than {} MiB", limit >> 20))
        }
        other => Fault::Passing(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str, query: &[(&str, &str)]) -> String {
        let query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        address("http://localhost", path, &query).unwrap()
    }

    #[test]
    fn a_query_is_encoded_whole() {
        let query = [("filter[alumni?]", "false"), ("range[updated_at]", "2026-01-01T00:00:00Z,é &=+")];
        assert_eq!(
            url("/v2/users", &query),
            "http://localhost/v2/users?filter%5Balumni%3F%5D=false\
             &range%5Bupdated_at%5D=2026-01-01T00%3A00%3A00Z%2C%C3%A9%20%26%3D%2B"
        );
        assert_eq!(url("/v2/users?sort=id", &[("page", "2")]), "http://localhost/v2/users?sort=id&page=2");
        assert_eq!(url("/v2/cursus", &[]), "http://localhost/v2/cursus");
    }

    #[test]
    fn a_path_cannot_name_another_host() {
        assert!(address("https://api.intra.42.fr", "@evil.example/v2", &[]).is_err());
        assert!(address("https://api.intra.42.fr", ".evil.example/v2", &[]).is_err());
    }
}
