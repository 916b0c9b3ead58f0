//! A record as one line: the API's own bytes, nothing between the tokens that could break the line.

use anyhow::{Result, ensure};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

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

/// The record with no more of its keys than JSON pointers lead through, so that the rest of it costs little.
///
/// # Errors
/// When the record is no JSON object.
pub(crate) fn sparse(record: &str, pointers: &[&str]) -> Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(record);
    let map = Wanted(pointers).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(Value::Object(map))
}

/// JSON pointers; only the first step of each counts.
struct Wanted<'a>(&'a [&'a str]);

impl Wanted<'_> {
    fn has(&self, key: &str) -> bool {
        let steps = self.0.iter().filter_map(|pointer| pointer.split('/').nth(1));
        steps.into_iter().any(|step| step == key || step.replace("~1", "/").replace("~0", "~") == key)
    }
}

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if self.has(&key) {
                map.insert(key, access.next_value()?);
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(map)
    }
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
    use super::{line, sparse};

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
    fn a_sparse_record_holds_what_the_pointers_lead_through() {
        let record = r#"{"id":1,"user":{"id":7,"alumni?":false},"x":[{"id":2}],"a\u002fb":3}"#;
        let found = sparse(record, &["/id", "/user/id", "/a~1b", "/none"]).unwrap();
        assert_eq!(found.to_string(), r#"{"id":1,"user":{"id":7,"alumni?":false},"a/b":3}"#);
        assert!(sparse("[1]", &["/id"]).is_err() && sparse(r#"{"id":1"#, &["/id"]).is_err());
    }

    #[test]
    fn what_is_no_object_is_no_record() {
        assert!(line("[1]", &[]).is_err());
        assert!(line("\"x\"", &[]).is_err());
    }
}
