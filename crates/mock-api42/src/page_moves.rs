//! A world that moves between the pages of a walk: what is said of it, and how often it has.

use crate::world::Moves;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// What moves after each answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PageMoves {
    /// As it was given; empty for none.
    text: String,
    path: String,
    times: Option<u64>,
    moves: Moves,
}

impl PageMoves {
    /// What moves after an answer to a path, when `made` such moves have been made.
    pub(crate) fn after(&self, path: &str, made: u64) -> Option<Moves> {
        let due = path.contains(&self.path) && self.times.is_none_or(|times| made < times);
        (due && !self.text.is_empty()).then_some(self.moves)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut wanted: Value = serde_json::from_str(text).context("neither a number nor JSON")?;
        if wanted.is_null() {
            return Ok(Self::default());
        }
        if wanted.is_u64() {
            wanted = json!({ "updates": wanted });
        }
        let object = wanted.as_object_mut().context("neither a number nor an object")?;
        let path: String = serde_json::from_value(object.remove("path").unwrap_or_else(|| json!("/v2/")))?;
        let times = serde_json::from_value(object.remove("times").unwrap_or_default())?;
        let moves = serde_json::from_value(wanted)?;
        Ok(Self { text: text.to_owned(), path, times, moves })
    }
}

impl FromStr for PageMoves {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| format!("{error:#}"))
    }
}

impl TryFrom<String> for PageMoves {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PageMoves> for String {
    fn from(moves: PageMoves) -> Self {
        moves.to_string()
    }
}

impl fmt::Display for PageMoves {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.text.is_empty() { "null" } else { &self.text })
    }
}

#[cfg(test)]
mod tests {
    use super::PageMoves;

    #[test]
    fn moves_keep_to_their_path_and_count() {
        let moves: PageMoves = r#"{"path":"/users","times":2,"departures":1}"#.parse().unwrap();
        let due = |path, made| moves.after(path, made).is_some();
        assert_eq!((due("/v2/users", 1), due("/v2/users", 2), due("/v2/campus", 0)), (true, false, false));
        assert_eq!(moves.to_string().parse::<PageMoves>(), Ok(moves));
        assert!("7".parse::<PageMoves>().unwrap().after("/v2/campus", 1_000).is_some());
        assert!("null".parse::<PageMoves>().unwrap().after("/v2/users", 0).is_none());
        assert!(r#"{"steps":1}"#.parse::<PageMoves>().is_err());
    }
}
