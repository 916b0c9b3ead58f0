//! Faults on demand: which calls they hit.

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    Html502,
    Html503,
    Html504,
    /// The page of a bot filter, with status 200.
    Html200,
    Html403,
    Status500,
    /// 429 in plain text.
    Throttle,
    Truncate,
    TruncateGzip,
    BadJson,
    Drip,
    Slow,
    Hang,
    Reset,
    Empty,
    Unauthorized,
    Nul,
    NoId,
    DuplicateId,
    NoTotal,
    NotArray,
    ShortPage,
}

impl FaultKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Html502 => "html502",
            Self::Html503 => "html503",
            Self::Html504 => "html504",
            Self::Html200 => "html200",
            Self::Html403 => "html403",
            Self::Status500 => "status500",
            Self::Throttle => "throttle",
            Self::Truncate => "truncate",
            Self::TruncateGzip => "truncate_gzip",
            Self::BadJson => "bad_json",
            Self::Drip => "drip",
            Self::Slow => "slow",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::Empty => "empty",
            Self::Unauthorized => "unauthorized",
            Self::Nul => "nul",
            Self::NoId => "no_id",
            Self::DuplicateId => "duplicate_id",
            Self::NoTotal => "no_total",
            Self::NotArray => "not_array",
            Self::ShortPage => "short_page",
        }
    }
}

/// A fault and the calls it hits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// Part of the path; without it, every call to /v2.
    #[serde(default)]
    path: Option<String>,
    /// Calls that pass first.
    #[serde(default)]
    skip: u64,
    /// How often it hits; null for ever. An `unauthorized` without it hits once.
    #[serde(default)]
    times: Option<u64>,
    /// It hits each so-manieth call.
    #[serde(default)]
    every: Option<u64>,
    /// Retry-After of a `throttle`: seconds, or any text such as a date.
    #[serde(default)]
    pub(crate) retry_after: Option<Value>,
    /// Milliseconds: the wait of `slow`, the pause between two bytes of `drip`.
    #[serde(default)]
    pub(crate) ms: Option<u64>,
    #[serde(skip)]
    seen: u64,
    #[serde(skip)]
    hits: u64,
}

impl Fault {
    /// Reads a fault from JSON or from `kind,key=value,...`, such as `html503,path=/users,skip=2,times=1`.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        if text.starts_with('{') {
            return serde_json::from_str(text).with_context(|| format!("fault {text}"));
        }
        let mut parts = text.split(',');
        let mut object = serde_json::Map::new();
        object.insert("kind".to_owned(), Value::from(parts.next().unwrap_or("")));
        for part in parts {
            let (key, value) =
                part.split_once('=').with_context(|| format!("fault {text}: {part} is not key=value"))?;
            let number = value.parse::<u64>().map(Value::from);
            object.insert(key.to_owned(), number.unwrap_or_else(|_| Value::from(value)));
        }
        serde_json::from_value(Value::Object(object)).with_context(|| format!("fault {text}"))
    }

    fn hits(&mut self, path: &str) -> bool {
        let concerned = self.path.as_ref().map_or_else(
            || path.starts_with("/v2/") && !path.contains("/oauth/"),
            |part| path.contains(part),
        );
        if !concerned {
            return false;
        }
        self.seen += 1;
        let once = self.kind == FaultKind::Unauthorized;
        let left = self.times.or_else(|| once.then_some(1)).is_none_or(|times| self.hits < times);
        let turn = self.seen > self.skip
            && (self.seen - self.skip - 1).is_multiple_of(self.every.unwrap_or(1).max(1));
        self.hits += u64::from(left && turn);
        left && turn
    }
}

/// The faults in force; the first that hits a call has it.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// Adds faults; an empty list clears them all.
    pub(crate) fn add(&mut self, faults: Vec<Fault>) -> usize {
        if faults.is_empty() {
            self.0.clear();
        }
        self.0.extend(faults);
        self.0.len()
    }

    /// The fault that hits a call, if one does.
    pub(crate) fn strike(&mut self, path: &str) -> Option<Fault> {
        self.0.iter_mut().find_map(|fault| fault.hits(path).then(|| fault.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults};

    fn hits(spec: &str, paths: &[&str]) -> Vec<bool> {
        let mut faults = Faults::new(vec![Fault::parse(spec).unwrap()]);
        paths.iter().map(|path| faults.strike(path).is_some()).collect()
    }

    #[test]
    fn a_fault_skips_then_hits_so_often() {
        let paths = ["/v2/users"; 5];
        assert_eq!(hits("html503,skip=1,times=2", &paths), [false, true, true, false, false]);
        assert_eq!(hits("html503,every=2", &paths), [true, false, true, false, true]);
        assert_eq!(hits("unauthorized", &paths), [true, false, false, false, false]);
    }

    #[test]
    fn a_fault_keeps_to_its_path() {
        assert_eq!(hits("reset,path=/campus", &["/v2/users", "/v2/campus"]), [false, true]);
        assert_eq!(hits("reset", &["/oauth/token", "/v2/campus"]), [false, true]);
        assert_eq!(hits(r#"{"kind":"reset","path":"oauth"}"#, &["/oauth/token"]), [true]);
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for spec in ["html599", "html503,often=2", "html503,times"] {
            assert!(Fault::parse(spec).is_err(), "{spec}");
        }
    }
}
