//! Where a monitor-server is, as `MONITOR_URL` says it, and whether a token may be sent there.

use anyhow::{Context, Result, anyhow, ensure};
use std::net::IpAddr;
use ureq::http::Uri;

/// An address that was looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Scheme, host and perhaps a folder below which the server is; no slash at its end.
    pub(super) root: String,
    /// Whether it is this machine.
    pub(super) is_loopback: bool,
}

/// Refused: anything but https (http for a loopback host), user information, a query. What is refused is not repeated: it
/// may hold a password.
pub(super) fn parse(url: &str) -> Result<Address> {
    let root = url.trim().trim_end_matches('/');
    let form = "MONITOR_URL has to be https:// and a host, as https://status.example.org";
    ensure!(!root.contains(['@', '?', '#']), "{form}, nothing more");
    let uri: Uri = root.parse().map_err(|_| anyhow!("{form}"))?;
    let host = uri.host().filter(|host| !host.is_empty()).context(form)?;
    let is_loopback = is_loopback(host);
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback => {}
        Some("http") => {
            return Err(anyhow!(
                "MONITOR_URL has to start with https:// unless the host is loopback: a token \
            is not sent in the clear; `ssh -L` makes a remote port a local one"
            ));
        }
        _ => return Err(anyhow!("{form}")),
    }
    Ok(Address { root: root.to_owned(), is_loopback })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (url, root, is_loopback) in [
            ("https://status.example.org", "https://status.example.org", false),
            (" https://status.example.org:8443/mirror/ ", "https://status.example.org:8443/mirror", false),
            ("http://127.0.0.1:8042", "http://127.0.0.1:8042", true),
            ("http://[::1]:8042/", "http://[::1]:8042", true),
            ("http://LocalHost:8042", "http://LocalHost:8042", true),
        ] {
            assert_eq!(parse(url).unwrap(), Address { root: root.to_owned(), is_loopback });
        }
    }

    #[test]
    fn a_token_goes_nowhere_in_the_clear_and_nothing_that_is_refused_is_repeated() {
        for url in [
            "http://status.example.org",
            "http://localhost.example.org",
            "http://10.0.0.1:8042",
            "ftp://localhost",
            "status.example.org",
            "https://",
            "https://user:hidden@status.example.org",
            "http://127.0.0.1@hidden.example.org",
            "https://status.example.org/?hidden=1",
            "https://a b",
        ] {
            let error = format!("{:#}", parse(url).unwrap_err());
            assert!(error.starts_with("MONITOR_URL has to") && !error.contains("hidden"), "{url}: {error}");
        }
    }
}
