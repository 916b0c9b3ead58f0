//! One page of a list: cut into its records, which stay as they came.

use crate::client::broken;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One page as the API gave it.
pub(crate) struct Listing {
    pub(crate) records: Vec<Box<RawValue>>,
    pub(crate) total: Option<u64>,
    /// `X-Per-Page`: some lists give fewer records per page than asked for.
    pub(crate) per_page: Option<u32>,
    pub(crate) date: Option<DateTime<Utc>>,
}

/// Cuts a page into its records, or says what it is instead.
pub(crate) fn records(body: &[u8]) -> Result<Vec<Box<RawValue>>, String> {
    match body.trim_ascii_start().first() {
        Some(b'[') => serde_json::from_slice(body).map_err(|error| broken(&error)),
        Some(b'{') => Err("an object where a list was due".to_owned()),
        None => Err("an empty body where a list was due".to_owned()),
        Some(_) => Err("something else where a list was due".to_owned()),
    }
}

/// The `id` of a record; `None` for one that has none, or one that is no unsigned integer.
pub fn id(record: &RawValue) -> Option<u64> {
    #[derive(Deserialize)]
    struct Identified {
        id: u64,
    }
    serde_json::from_str::<Identified>(record.get()).ok().map(|record| record.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_every_byte_of_its_records() {
        let page = records(br#" [{"id":1,"alumni?":null, "a":"\u0026"},7] "#).unwrap();
        let texts: Vec<&str> = page.iter().map(|record| record.get()).collect();
        assert_eq!(texts, [r#"{"id":1,"alumni?":null, "a":"\u0026"}"#, "7"]);
    }

    #[test]
    fn what_is_no_list_is_named() {
        assert_eq!(records(b"{}").unwrap_err(), "an object where a list was due");
        assert_eq!(records(b"").unwrap_err(), "an empty body where a list was due");
        assert_eq!(records(br#"[{"id":1},"#).unwrap_err(), "JSON that is cut off at line 1, column 10");
    }
}
