//! Parameters as Rails reads them, and the page they ask for.

use crate::choices::OnBad;
use crate::reply::Refusal;

/// Decoded parameters, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(key, value)| (decode(key), decode(value)))
                .collect(),
        )
    }

    /// The last value of a parameter, as Rails takes it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `name[field]=value`: fields and values.
    pub(crate) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let field = move |key: &'a str| key.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']');
        self.0.iter().filter_map(move |(key, value)| Some((field(key)?, value.as_str())))
    }

    /// The parameters with another page, keys in order, as the Link header gives them.
    pub(crate) fn with_page(&self, page: u64, keep_size: bool) -> String {
        let wanted = |key: &str| match key {
            "page" | "page[number]" | "access_token" => false,
            "page[size]" => keep_size,
            _ => true,
        };
        let mut pairs: Vec<(String, String)> =
            self.0.iter().filter(|(key, _)| wanted(key)).cloned().collect();
        pairs.push(("page".to_owned(), page.to_string()));
        pairs.sort();
        let pairs: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        pairs.join("&")
    }

    /// The names that decide on the rows, in order: `filter[id]&sort`.
    pub(crate) fn question(&self) -> String {
        let mut names: Vec<&str> = self.deciding().map(|(key, _)| key.as_str()).collect();
        names.sort_unstable();
        names.join("&")
    }

    fn deciding(&self) -> impl Iterator<Item = &(String, String)> {
        let plain = ["page", "per_page", "page[number]", "page[size]", "access_token"];
        self.0.iter().filter(move |(key, _)| !plain.contains(&key.as_str()))
    }

    /// What decides on the rows, and nothing else: the key under which they can be kept.
    pub(crate) fn choice(&self) -> String {
        self.deciding().map(|(key, value)| format!("{key}\u{1}{value}\u{2}")).collect()
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The page that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) number: u64,
    pub(crate) size: u64,
}

impl Page {
    /// Both syntaxes; 30 rows by default, never more than 100.
    pub(crate) fn of(params: &Params, on_bad: OnBad) -> Result<Self, Refusal> {
        let read = |plain: &str, bracketed: &str, default: u64| {
            let Some(text) = params.get(bracketed).or_else(|| params.get(plain)) else { return Ok(default) };
            match text.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ if on_bad == OnBad::First => Ok(default),
                _ => Err(Refusal::new(400, "Page Error", &format!("The page parameter {text} is not valid"))),
            }
        };
        Ok(Self {
            number: read("page", "page[number]", 1)?,
            size: read("per_page", "page[size]", 30)?.min(100),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Params};
    use crate::choices::OnBad;

    fn check(query: &str, number: u64, size: u64) {
        let page = Page::of(&Params::parse(query), OnBad::First).unwrap();
        assert_eq!((page.number, page.size), (number, size), "{query}");
    }

    #[test]
    fn pages_come_in_two_syntaxes_and_are_clamped() {
        check("", 1, 30);
        check("page=3&per_page=50", 3, 50);
        check("page%5Bnumber%5D=3&page[size]=50", 3, 50);
        check("per_page=500", 1, 100);
        check("page=0&per_page=x", 1, 30);
        assert!(Page::of(&Params::parse("page=-1"), OnBad::Refuse).is_err());
    }

    #[test]
    fn a_link_loses_the_bracketed_size() {
        let params = Params::parse("page[size]=50&page[number]=2&filter[alumni?]=false");
        assert_eq!(params.with_page(3, false), "filter%5Balumni%3F%5D=false&page=3");
        assert_eq!(params.with_page(3, true), "filter%5Balumni%3F%5D=false&page=3&page%5Bsize%5D=50");
    }

    #[test]
    fn keys_and_values_are_decoded() {
        let params = Params::parse("filter%5Balumni%3F%5D=false&search=a+b%20c%zz");
        assert_eq!(params.of("filter").collect::<Vec<_>>(), [("alumni?", "false")]);
        assert_eq!(params.get("search"), Some("a b c%zz"));
    }
}
