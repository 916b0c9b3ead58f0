//! Ids as people and scripts write them: an argument, a line, a line of JSON.

use crate::item::Asked;
use anyhow::{Result, anyhow};
use serde_json::Value;
use std::io::BufRead;
use std::ops::RangeInclusive;
use tool::{Judge, Verdict, printable};

/// The API keeps ids in 32 bits, and refuses a larger one together with the 99 others of its call.
const IDS: RangeInclusive<i64> = 1..=2_147_483_647;
/// Longest reason, in characters.
const LONGEST_REASON: usize = 200;
/// What is said of one who was added without a word.
const NO_REASON: &str = "by hand";

/// A user's id: a whole number from 1.
pub(crate) fn id(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|id| digits && IDS.contains(id))
}

/// An id as JSON has it: a number, or a text that holds one.
pub(crate) fn id_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().filter(|id| IDS.contains(id)),
        Value::String(text) => id(text.trim()),
        _ => None,
    }
}

/// A reason as it is kept: one line, of bounded length.
pub(crate) fn reason(text: &str) -> String {
    let text: String = printable(text.trim()).chars().take(LONGEST_REASON).collect();
    if text.is_empty() { NO_REASON.to_owned() } else { text }
}

/// The ids of a command line.
///
/// # Errors
/// [`Verdict::Usage`] for the first that is none.
pub(crate) fn arguments(texts: &[String]) -> Result<Vec<i64>> {
    let parse = |text: &String| {
        id(text).ok_or_else(|| anyhow!("`{}` {WHAT_IS_AN_ID}", shown(text)).verdict(Verdict::Usage))
    };
    texts.iter().map(parse).collect()
}

/// The ids of a command line, or of standard input when it says so.
///
/// # Errors
/// As [`arguments`] and [`lines`].
pub(crate) fn ids(texts: &[String]) -> Result<Vec<i64>> {
    if texts != ["-"] {
        return arguments(texts);
    }
    Ok(lines(std::io::stdin().lock(), "")?.into_iter().map(|asked| asked.id).collect())
}

/// The lines of standard input, each an id or a JSON object with `id` and perhaps `reason`; blank ones are passed over.
///
/// # Errors
/// [`Verdict::Refused`] for the first line that is none, and then nothing is to be added.
pub(crate) fn lines(input: impl BufRead, fallback: &str) -> Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for (number, line) in input.split(b'\n').enumerate() {
        let line = line.map_err(|error| anyhow!("standard input: {error}").verdict(Verdict::Io))?;
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let one = self::line(line, fallback).ok_or_else(|| {
            let place = format!("standard input, line {}: `{}`", number + 1, shown(line));
            anyhow!("{place} {WHAT_IS_AN_ID}; nothing was done").verdict(Verdict::Refused)
        })?;
        asked.push(one);
    }
    Ok(asked)
}

const WHAT_IS_AN_ID: &str = "is no user's id: a whole number from 1";

fn line(line: &str, fallback: &str) -> Option<Asked> {
    if !line.starts_with('{') {
        return Some(Asked { id: id(line)?, reason: reason(fallback) });
    }
    let value: Value = serde_json::from_str(line).ok()?;
    let id = value.get("id").or_else(|| value.get("user_id")).and_then(id_of)?;
    let own = value.get("reason").and_then(Value::as_str).unwrap_or(fallback);
    Some(Asked { id, reason: reason(own) })
}

fn shown(text: &str) -> String {
    printable(&text.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_whole_numbers_from_one() {
        for text in
            ["", "0", "-5", "+5", "1.5", "1e3", "1180591620717411303424", "<html>", " 7", "٣", "2147483648"]
        {
            assert_eq!(id(text), None, "{text}");
        }
        assert_eq!(id("2147483647"), Some(2_147_483_647));
    }

    #[test]
    fn lines_are_ids_or_objects_and_one_bad_line_refuses_all() {
        let read = |text: &str| lines(text.as_bytes(), "live");
        let asked = |id, reason: &str| Asked { id, reason: reason.to_owned() };
        let good = read("1\n\n{\"id\": \"2\", \"reason\": \"x\\ny\"}\r\n{\"user_id\":3}").unwrap();
        assert_eq!(good, [asked(1, "live"), asked(2, r"x\ny"), asked(3, "live")]);
        for bad in [
            "{\"id\":\"\"}",
            "<!DOCTYPE html>",
            "-5",
            "1180591620717411303424",
            "{\"id\":1180591620717411303424}",
        ] {
            let error = read(&format!("1\n{bad}\n")).unwrap_err();
            assert_eq!(Verdict::of(&error), Verdict::Refused);
            assert!(error.to_string().contains("line 2"), "{error}");
        }
    }
}
