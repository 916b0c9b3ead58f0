//! JSON as PostgreSQL writes jsonb, so that what is sent and what is read back can be compared byte by byte.
//!
//! Source: `jsonb_out` and `lengthCompareJsonbStringValue` in PostgreSQL's `jsonb.c` and `jsonb_util.c`. Numbers in an
//! unusual notation, such as 1e21, are written otherwise there; they only cost a longer comparison.

use serde_json::Value;

/// Appends a value: a space behind each comma and colon, shorter keys first, of equal length by their bytes.
pub(crate) fn write(value: &Value, bytes: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Value::Array(items) => {
            bytes.push(b'[');
            for (place, item) in items.iter().enumerate() {
                bytes.extend_from_slice(if place == 0 { b"" } else { b", " });
                write(item, bytes)?;
            }
            bytes.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| (key.len(), key.as_bytes()));
            bytes.push(b'{');
            for (place, (key, value)) in members.into_iter().enumerate() {
                bytes.extend_from_slice(if place == 0 { b"" } else { b", " });
                serde_json::to_writer(&mut *bytes, key)?;
                bytes.extend_from_slice(b": ");
                write(value, bytes)?;
            }
            bytes.push(b'}');
        }
        scalar => serde_json::to_writer(bytes, scalar)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn short_keys_come_first_and_texts_keep_their_escapes() {
        let value = serde_json::from_str(r#"{"bb":[1,null,2.50],"b":{},"a":"\u00e9\u001f\n\"\\","aa":true}"#)
            .unwrap();
        let mut bytes = Vec::new();
        write(&value, &mut bytes).unwrap();
        let expected = r#"{"a": "é\u001f\n\"\\", "b": {}, "aa": true, "bb": [1, null, 2.5]}"#;
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
