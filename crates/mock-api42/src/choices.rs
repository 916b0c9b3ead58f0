//! The words that switches take.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Toggle {
    /// It does
    On,
    /// It does not
    Off,
}

impl Toggle {
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

/// What an hour is to the limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HourWindow {
    /// From full hour to full hour
    Clock,
    /// The last 3,600 seconds
    Sliding,
}

/// What a page number that is none gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum OnBad {
    /// Status 400
    #[value(name = "400")]
    #[serde(rename = "400")]
    Refuse,
    /// The default
    #[serde(rename = "first")]
    First,
}

/// What a range that is none gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum BadRange {
    /// Status 400
    #[value(name = "400")]
    #[serde(rename = "400")]
    BadRequest,
    /// Status 422
    #[value(name = "422")]
    #[serde(rename = "422")]
    Unprocessable,
    /// No range at all
    #[serde(rename = "ignore")]
    Ignore,
}

/// Whether the ends of a range are part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RangeEnds {
    /// Both are
    Inclusive,
    /// Neither is
    Exclusive,
}

/// What happens to `page[size]` in the Link header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LinkSize {
    /// It stays
    Keep,
    /// It is lost
    Lose,
}

/// The order of lists that have no documented one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// Ids rising
    Id,
    /// Another one for each request
    Shuffle,
}

/// Whether a sort works that is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Undocumented {
    /// It works
    Allow,
    /// 400 Sort Error
    Refuse,
}

impl Undocumented {
    pub(crate) fn is_allowed(self) -> bool {
        self == Self::Allow
    }
}

/// What a filter on `cursus` or `campus` outside the documented ids gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UnknownEnum {
    /// 400 Filter Error
    Refuse,
    /// An empty list
    Empty,
}

/// Which filters coalitions take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum CoalitionsFilter {
    /// None, as documented
    #[serde(rename = "none")]
    None,
    /// filter[cursus_id], as reported
    #[value(name = "cursus_id")]
    #[serde(rename = "cursus_id")]
    CursusId,
}

/// The body of a 404 for a record that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MissingRecord {
    /// {}
    Json,
    /// The error page
    Html,
}

/// What a filter with too many values gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LongFilter {
    /// All of them count
    Allow,
    /// The first 100 count
    Cut,
    /// 400 Filter Error
    Refuse,
}

/// How bodies are delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transfer {
    /// By Content-Length
    Length,
    /// In chunks
    Chunked,
}

/// When the secret expires: seconds since 1970, or null for never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Until(pub(crate) Option<i64>);

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "null" => Ok(Self(None)),
            _ => text
                .parse()
                .map(|epoch| Self(Some(epoch)))
                .map_err(|_| "neither seconds since 1970 nor null".to_owned()),
        }
    }
}

impl TryFrom<String> for Until {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Until> for String {
    fn from(until: Until) -> Self {
        until.to_string()
    }
}

impl fmt::Display for Until {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(epoch) => write!(formatter, "{epoch}"),
            None => formatter.write_str("null"),
        }
    }
}
