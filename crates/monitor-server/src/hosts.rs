//! The names that a request may call this server by.
//!
//! A page of a stranger can make its own name mean 127.0.0.1 and ask with the visitor's browser (DNS rebinding). Its requests
//! carry that name, so they are told by it. An address cannot be made to mean another one.

use crate::refusal::Refusal;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use std::net::IpAddr;

/// Names besides those of loopback.
#[derive(Debug)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.iter().filter(|name| !name.is_empty()).cloned().collect())
    }

    /// Lets a request pass that came to the address `local` by a name of ours.
    pub(crate) fn admit(&self, parts: &Parts, local: IpAddr) -> Result<(), Refusal> {
        let header = only_host(&parts.headers)?;
        // A request for a proxy names the host a second time.
        let named = parts.uri.authority().into_iter().chain([&header]);
        for authority in named {
            if !self.is_ours(authority, local) {
                let text = "This server is not called that; start it with --host NAME";
                return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, text));
            }
        }
        Ok(())
    }

    fn is_ours(&self, authority: &Authority, local: IpAddr) -> bool {
        let name = authority.host().to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_address = |address: IpAddr| {
            let (address, local) = (address.to_canonical(), local.to_canonical());
            address == local || address.is_loopback() && local.is_loopback()
        };
        !authority.as_str().contains('@')
            && (name == "localhost"
                || bare.parse().is_ok_and(is_address)
                || self.0.iter().any(|known| known == bare))
    }
}

fn only_host(headers: &HeaderMap) -> Result<Authority, Refusal> {
    let mut values = headers.get_all(HOST).iter();
    let first = values.next().and_then(|value| Authority::try_from(value.as_bytes()).ok());
    let refusal = || Refusal::new(StatusCode::BAD_REQUEST, "One Host header is needed");
    first.filter(|_| values.next().is_none()).ok_or_else(refusal)
}

/// A name for `--host`: as it stands in a Host header, without a port.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    let name = text.trim().trim_matches(['[', ']']).to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_address = name.parse::<IpAddr>().is_ok();
    if name.is_empty() || is_address || name.bytes().all(fits) {
        return Ok(name);
    }
    Err("a name as in monitor.example.org is wanted, without scheme, port and path".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn check(uri: &str, hosts: &[&str], local: &str) -> Result<(), u16> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let names = ["Monitor.example.org", "[2001:db8::1]", ""].map(|name| parse(name).unwrap());
        let admitted = Hosts::new(&names).admit(&parts, local.parse().unwrap());
        admitted.map_err(|refusal| refusal.status().as_u16())
    }

    #[test]
    fn loopback_goes_by_its_names() {
        for host in ["localhost", "LOCALHOST:8042", "127.0.0.1:8042", "[::1]:8042"] {
            assert_eq!(check("/", &[host], "127.0.0.1"), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_name_that_was_given_is_ours() {
        for host in ["monitor.example.org:443", "MONITOR.example.org", "[2001:db8::1]:80"] {
            assert_eq!(check("/", &[host], "127.0.0.1"), Ok(()), "{host}");
        }
    }

    #[test]
    fn another_name_is_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.7",
            "a@localhost",
            "localhost.",
        ] {
            assert_eq!(check("/", &[host], "127.0.0.1"), Err(421), "{host}");
        }
        assert_eq!(check("http://evil.example/", &["localhost"], "127.0.0.1"), Err(421));
        assert_eq!(check("http://localhost/", &["localhost"], "127.0.0.1"), Ok(()));
    }

    #[test]
    fn an_address_is_called_by_itself() {
        assert_eq!(check("/", &["192.0.2.7:80"], "192.0.2.7"), Ok(()));
        assert_eq!(check("/", &["192.0.2.7:80"], "::ffff:192.0.2.7"), Ok(()));
        assert_eq!(check("/", &["127.0.0.1"], "192.0.2.7"), Err(421));
        assert_eq!(check("/", &["192.0.2.8"], "192.0.2.7"), Err(421));
    }

    #[test]
    fn one_name_is_needed() {
        for hosts in [&[][..], &["localhost", "localhost"], &["a b"], &[""]] {
            assert_eq!(check("/", hosts, "127.0.0.1"), Err(400), "{hosts:?}");
        }
    }

    #[test]
    fn a_name_has_no_port_and_no_path() {
        for wrong in ["https://a.example", "a.example:80", "a.example/x", "a b", "*"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        for address in [" 2001:DB8::1 ", "[2001:db8::1]"] {
            assert_eq!(parse(address).unwrap(), "2001:db8::1");
        }
    }
}
