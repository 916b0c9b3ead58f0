//! How far a run is, from what one or several writers say of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A checkpoint that takes more bytes than this is not kept; the table refuses it too.
const CHECKPOINT_BYTES: usize = 1900;

/// Characters of a text that are kept.
const TEXT_CHARACTERS: usize = 500;

/// Counters of a run; what was processed is the sum of the three.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// How many there are in all; none when that is not known.
    pub total: Option<u64>,
    /// Items that succeeded.
    pub ok: u64,
    /// Items that failed or were set aside.
    pub failed: u64,
    /// Items with which there was nothing to do.
    pub skipped: u64,
    /// The item it was at last.
    pub item: Option<String>,
    /// Where it would go on, an object.
    pub checkpoint: Option<Value>,
}

impl Counts {
    /// How many are done, in whatever way.
    #[must_use]
    pub const fn processed(&self) -> u64 {
        self.ok.saturating_add(self.failed).saturating_add(self.skipped)
    }
}

/// One line of the protocol.
#[derive(Debug, Deserialize)]
#[serde(tag = "ev", rename_all = "snake_case")]
enum Event {
    Total {
        n: u64,
        #[serde(default)]
        by: String,
    },
    Item {
        ok: Option<bool>,
        key: Option<String>,
        n: Option<u64>,
    },
    Counts {
        #[serde(default)]
        ok: u64,
        #[serde(default)]
        failed: u64,
        #[serde(default)]
        skipped: u64,
        #[serde(default)]
        by: String,
    },
    Checkpoint {
        data: Map<String, Value>,
    },
    Error {
        text: String,
    },
}

/// What the writers of a run have said so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The total that was known before anybody said one.
    given: Option<u64>,
    totals: BTreeMap<String, u64>,
    /// ok, failed, skipped, as each writer counts them itself.
    absolute: BTreeMap<String, [u64; 3]>,
    /// The same, of single items.
    single: [u64; 3],
    item: Option<String>,
    checkpoint: Option<Value>,
    /// What went wrong last.
    pub(crate) error: Option<String>,
    /// Lines that were not understood.
    pub(crate) strange: u64,
}

impl Ledger {
    pub(crate) fn new(total: Option<u64>) -> Self {
        Self { given: total, ..Self::default() }
    }

    /// Takes a line.
    pub(crate) fn take(&mut self, line: &[u8]) {
        match serde_json::from_slice(line) {
            Ok(event) => self.apply(event),
            Err(_) if line.trim_ascii().is_empty() => {}
            Err(_) => self.strange += 1,
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Total { n, by } => {
                self.totals.insert(by, n);
            }
            Event::Item { ok, key, n } => {
                let counter = match ok {
                    Some(true) => 0,
                    Some(false) => 1,
                    None => 2,
                };
                self.single[counter] = self.single[counter].saturating_add(n.unwrap_or(1));
                self.item = key.map(|key| clean(&key)).or(self.item.take());
            }
            Event::Counts { ok, failed, skipped, by } => {
                self.absolute.insert(by, [ok, failed, skipped]);
            }
            Event::Checkpoint { data } => {
                let data = Value::Object(data);
                let text = data.to_string();
                // jsonb knows no NUL.
                if text.len() <= CHECKPOINT_BYTES && !text.contains("\\u0000") {
                    self.checkpoint = Some(data);
                } else {
                    self.strange += 1;
                }
            }
            Event::Error { text } => self.error = Some(clean(&text)),
        }
    }

    /// What it all comes to.
    pub(crate) fn counts(&self) -> Counts {
        let sum = |counter: usize| {
            let writers = self.absolute.values().map(|counters| counters[counter]);
            // A row has room for an i64.
            writers.fold(self.single[counter], u64::saturating_add).min(i64::MAX as u64 / 4)
        };
        let totals = self.totals.values().copied().reduce(u64::saturating_add);
        Counts {
            total: totals.or(self.given).map(|total| total.min(i64::MAX as u64)),
            ok: sum(0),
            failed: sum(1),
            skipped: sum(2),
            item: self.item.clone(),
            checkpoint: self.checkpoint.clone(),
        }
    }
}

/// One line, without control characters, of a length that a row can bear.
pub(crate) fn clean(text: &str) -> String {
    let visible = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    visible.take(TEXT_CHARACTERS).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[&str]) -> Ledger {
        let mut ledger = Ledger::new(Some(5));
        lines.iter().for_each(|line| ledger.take(line.as_bytes()));
        ledger
    }

    #[test]
    fn single_items_add_up() {
        let ledger = counted(&[
            r#"{"ev":"item","ok":true,"key":"user:1"}"#,
            r#"{"ev":"item","ok":false,"key":"user:2"}"#,
            r#"{"ev":"item","ok":true,"n":40}"#,
            r#"{"ev":"item","n":7}"#,
        ]);
        let counts = ledger.counts();
        assert_eq!((counts.ok, counts.failed, counts.skipped, counts.processed()), (41, 1, 7, 49));
        assert_eq!((counts.total, counts.item.as_deref()), (Some(5), Some("user:2")));
    }

    #[test]
    fn each_writer_counts_for_itself_and_its_last_word_counts() {
        let ledger = counted(&[
            r#"{"ev":"total","n":100,"by":"a"}"#,
            r#"{"ev":"counts","ok":10,"by":"a"}"#,
            r#"{"ev":"counts","ok":90,"failed":3,"by":"a"}"#,
            r#"{"ev":"counts","ok":90,"failed":3,"by":"a"}"#,
            r#"{"ev":"total","n":50,"by":"b"}"#,
            r#"{"ev":"counts","ok":1,"skipped":2,"by":"b"}"#,
        ]);
        let counts = ledger.counts();
        assert_eq!((counts.total, counts.ok, counts.failed, counts.skipped), (Some(150), 91, 3, 2));
    }

    #[test]
    fn what_is_not_understood_is_counted_and_does_no_harm() {
        let big = format!(r#"{{"ev":"checkpoint","data":{{"x":"{}"}}}}"#, "y".repeat(2000));
        let ledger = counted(&[
            "no json",
            "{}",
            r#"{"ev":"new"}"#,
            r#"{"ev":"item","ok":true,"n":-1}"#,
            r#"{"ev":"checkpoint","data":{"x":"\u0000"}}"#,
            r#"{"ev":"checkpoint","data":[]}"#,
            &big,
            "",
            r#"{"ev":"counts","ok":18446744073709551615}"#,
            r#"{"ev":"counts","ok":18446744073709551615,"by":"b"}"#,
            r#"{"ev":"error","text":"a\u001b[2Jb\n"}"#,
        ]);
        assert_eq!(ledger.strange, 7);
        assert_eq!(ledger.counts().checkpoint, None);
        assert!(i64::try_from(ledger.counts().processed()).is_ok());
        assert_eq!(ledger.error.as_deref(), Some("a [2Jb"));
    }
}
