//! `DATABASE_URL`, with what the client library would not understand taken out first.

use anyhow::{Context, Result, anyhow, bail};
use postgres::Config;

/// A configuration, with `sslmode` and `sslrootcert` set apart.
pub(super) type Parsed = (Config, Option<String>, Option<String>);

/// Takes a pair that is ours, and says whether it was.
type Taken<'a> = &'a mut dyn FnMut(&str, &str) -> bool;

/// Reads a URL or a `key=value` string. An error never quotes it: it may hold a password.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    let (mut mode, mut roots) = (None, None);
    let mut taken = |key: &str, value: &str| {
        match key {
            "sslmode" => mode = Some(value.to_owned()),
            "sslrootcert" => roots = Some(value.to_owned()),
            _ => return false,
        }
        true
    };
    let is_url = text.contains("://");
    let rest = if is_url { rest_of_url(text, &mut taken) } else { rest_of_pairs(text, &mut taken)? };
    let config = rest.parse::<Config>().map_err(|error| anyhow!(crate::fault::text(&error)))?;
    Ok((config, mode, roots))
}

fn rest_of_url(url: &str, taken: Taken<'_>) -> String {
    let Some((base, query)) = url.split_once('?') else { return url.to_owned() };
    let pairs = query.split('&').filter(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        !taken(key, &percent_decoded(value))
    });
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() { base.to_owned() } else { format!("{base}?{}", pairs.join("&")) }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match code.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Splits `key = 'va\'lue' key=value` as libpq does, and writes what is not ours down again.
fn rest_of_pairs(text: &str, taken: Taken<'_>) -> Result<String> {
    let mut rest = String::new();
    let mut characters = text.trim_start().chars().peekable();
    while characters.peek().is_some() {
        let key: String = std::iter::from_fn(|| characters.next_if(|next| *next != '=')).collect();
        characters.next().context("`key=value` pairs or a URL postgres://… is wanted")?;
        let value = value(&mut characters)?;
        if !taken(key.trim(), &value) {
            let escaped = value.replace('\\', r"\\").replace('\'', r"\'");
            rest.push_str(&format!("{}='{escaped}' ", key.trim()));
        }
        while characters.next_if(|next| next.is_whitespace()).is_some() {}
    }
    Ok(rest)
}

fn value(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String> {
    while characters.next_if(|next| next.is_whitespace()).is_some() {}
    let quoted = characters.next_if_eq(&'\'').is_some();
    let mut value = String::new();
    loop {
        match characters.next() {
            Some('\\') => value.extend(characters.next()),
            Some('\'') if quoted => return Ok(value),
            Some(space) if space.is_whitespace() && !quoted => return Ok(value),
            Some(other) => value.push(other),
            None if quoted => bail!("a quoted value does not end"),
            None => return Ok(value),
        }
    }
}
