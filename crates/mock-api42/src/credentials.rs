//! The five ways in which clients send their credentials: form, query, JSON, multipart, HTTP Basic.

use crate::http::Request;
use crate::params::Params;
use serde_json::Value;

/// What a token request says, however it says it.
#[derive(Debug)]
pub(crate) struct Credentials {
    given: Vec<(String, String)>,
}

/// All that is ever asked for.
const NAMES: [&str; 6] = ["grant_type", "client_id", "client_secret", "scope", "refresh_token", "code"];

impl Credentials {
    pub(crate) fn of(request: &Request) -> Self {
        let mut given = Vec::new();
        let body = String::from_utf8_lossy(&request.body);
        let content_type = request.header("content-type").unwrap_or("").to_ascii_lowercase();
        if content_type.starts_with("application/json") {
            given.extend(from_json(&body));
        } else if content_type.starts_with("multipart/form-data") {
            given.extend(from_multipart(&body));
        } else {
            given.extend(named(&Params::parse(&body)));
        }
        given.extend(named(&Params::parse(&request.query)));
        // Only Basic means something here: a Bearer token on this request is ignored.
        given.extend(request.header("authorization").and_then(from_basic).into_iter().flatten());
        Self { given }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn named(params: &Params) -> Vec<(String, String)> {
    NAMES.iter().filter_map(|name| Some(((*name).to_owned(), params.get(name)?.to_owned()))).collect()
}

fn from_json(body: &str) -> Vec<(String, String)> {
    let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    NAMES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), value.get(name)?.as_str()?.to_owned())))
        .collect()
}

/// Parts are told apart by their names; the boundary is whatever line begins the body.
fn from_multipart(body: &str) -> Vec<(String, String)> {
    let Some((boundary, _)) = body.split_once("\r\n") else { return Vec::new() };
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let name = head.split("name=\"").nth(1)?.split('"').next()?;
        Some((name.to_owned(), value.strip_suffix("\r\n").unwrap_or(value).to_owned()))
    };
    body.split(boundary).filter_map(part).collect()
}

fn from_basic(header: &str) -> Option<[(String, String); 2]> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(base64(encoded.trim())?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some([("client_id".to_owned(), id.to_owned()), ("client_secret".to_owned(), secret.to_owned())])
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{base64, from_basic, from_multipart};

    #[test]
    fn basic_is_decoded() {
        assert_eq!(base64("dTp0ZXN0"), Some(b"u:test".to_vec()));
        assert_eq!(base64("dTp0ZXM="), Some(b"u:tes".to_vec()));
        let given = from_basic("Basic dTp0ZXN0").unwrap();
        assert_eq!(given[1], ("client_secret".to_owned(), "test".to_owned()));
        assert!(from_basic("Bearer token_dummy").is_none());
    }

    #[test]
    fn multipart_is_taken_apart() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\nu-1\r\n--x--\r\n";
        assert_eq!(from_multipart(body), [("client_id".to_owned(), "u-1".to_owned())]);
    }
}
