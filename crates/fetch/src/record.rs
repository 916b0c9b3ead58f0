//! A record as one line: the API's own bytes, nothing between the tokens that could break the line.

use anyhow::{Result, ensure};
use serde_json::Value;

/// The record on one line, with keys put in front of its own.
///
/// Only white space between tokens is left out; numbers and texts stay as the API wrote them.
///
/// # Errors
/// When the record is no object.
pub(crate) fn line(record: &str, stamp: &[(String, Value)]) -> Result<String> {
    let compact = if record.contains(['\n', '\r']) { without_white_space(record) } else { record.to_owned() };
    let start = compact.chars().take(20).collect::<String>();
    ensure!(compact.starts_with('{'), "a record that is no object: {start}");
    if stamp.is_empty() {
        return Ok(compact);
    }
    let keys = stamp.iter().map(|(key, value)| format!("{}:{value}", Value::from(key.as_str())));
    let keys = keys.collect::<Vec<_>>().join(",");
    let rest = compact[1..].trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    Ok(format!("{{{keys}{comma}{rest}"))
}

fn without_white_space(json: &str) -> String {
    let mut inside_text = false;
    let mut escaped = false;
    let keep = |character: &char| {
        let kept = inside_text || !character.is_ascii_whitespace();
        match character {
            '"' if !escaped => inside_text = !inside_text,
            _ => {}
        }
        escaped = inside_text && *character == '\\' && !escaped;
        kept
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::line;

    fn check(record: &str, stamp: &[(&str, i32)], expected: &str) {
        let stamp: Vec<_> = stamp.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        assert_eq!(line(record, &stamp).unwrap(), expected);
    }

    #[test]
    fn a_record_passes_byte_for_byte() {
        check(
            r#"{"id":1, "level":4.20,"name":"a\u0026b "}"#,
            &[],
            r#"{"id":1, "level":4.20,"name":"a\u0026b "}"#,
        );
    }

    #[test]
    fn pretty_json_becomes_one_line_and_texts_keep_their_spaces() {
        check("{\n  \"a\": \"x  \\\" y\",\r\n  \"b\": [1, 2]\n}", &[], r#"{"a":"x  \" y","b":[1,2]}"#);
        check("{\n\"a\\\\\": 1}", &[], r#"{"a\\":1}"#);
    }

    #[test]
    fn a_stamp_stands_in_front() {
        check(r#"{"id":1}"#, &[("campus_id", 7)], r#"{"campus_id":7,"id":1}"#);
        check("{ }", &[("campus_id", 7)], r#"{"campus_id":7}"#);
    }

    #[test]
    fn what_is_no_object_is_no_record() {
        assert!(line("[1]", &[]).is_err());
        assert!(line("\"x\"", &[]).is_err());
    }
}
