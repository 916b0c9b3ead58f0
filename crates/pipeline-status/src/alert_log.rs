//! The log of alerts, `LOGS_DIR/alerts.ndjson`: a line for each alert that was raised, came to another level, or was cleared.

use crate::alerts::Alert;
use crate::{files, tail};
use anyhow::{Context, Result};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use tool::{Judge, Verdict};

/// How many lines are shown.
const SHOWN: usize = 50;

/// Only so much of the end of the log is read.
const TAIL: u64 = 1 << 16;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transition {
    pub(crate) at: DateTime<Utc>,
    pub(crate) event: Event,
    #[serde(flatten)]
    pub(crate) alert: Alert,
}

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Event {
    Raised,
    /// Its level; a text with another number in it is no news.
    Changed,
    Cleared,
}

impl Event {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Changed => "changed",
            Self::Cleared => "cleared",
        }
    }
}

/// What the log gets, and which alerts can neither be said to go on nor to be over, because nobody could measure them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) transitions: Vec<Transition>,
    pub(crate) unmeasured: Vec<Alert>,
}

/// Compares alerts with those that were open before.
pub(crate) fn compare(
    before: &[Alert],
    now: &[Alert],
    at: DateTime<Utc>,
    is_measured: impl Fn(&Alert) -> bool,
) -> Comparison {
    let at = at.trunc_subsecs(0);
    let (open, raised) = (worst(before), worst(now));
    let mut comparison = Comparison::default();
    let mut say = |event, alert: &Alert| {
        // People read the log with what knows nothing of JSON.
        let (subject, text) = (tool::printable(&alert.subject), tool::printable(&alert.text));
        comparison.transitions.push(Transition {
            at,
            event,
            alert: Alert { subject, text, ..alert.clone() },
        });
    };
    for (key, alert) in &raised {
        match open.get(key) {
            None => say(Event::Raised, alert),
            Some(known) if known.level != alert.level => say(Event::Changed, alert),
            Some(_) => {}
        }
    }
    for (_, alert) in open.into_iter().filter(|(key, _)| !raised.contains_key(key)) {
        if is_measured(alert) {
            say(Event::Cleared, alert);
        } else {
            comparison.unmeasured.push(alert.clone());
        }
    }
    comparison
}

/// The worst of those that have one name and subject.
fn worst(alerts: &[Alert]) -> BTreeMap<(&str, &str), &Alert> {
    let mut worst: BTreeMap<_, &Alert> = BTreeMap::new();
    for alert in alerts {
        let known = worst.entry((alert.name.as_ref(), alert.subject.as_str())).or_insert(alert);
        if known.level < alert.level {
            *known = alert;
        }
    }
    worst
}

fn path() -> PathBuf {
    files::logs_folder().join("alerts.ndjson")
}

/// The newest lines, newest first. A line that is none is passed over.
///
/// # Errors
/// When nobody has ever written the log, or it cannot be read: that is no log without alerts.
pub(crate) fn newest() -> Result<Vec<Transition>> {
    let text = tail::of(&path(), TAIL)?;
    let text = text
        .with_context(|| format!("{}: nobody has written it yet; --write-metrics does", path().display()))?;
    let lines = text.lines().rev().filter_map(|line| serde_json::from_str(line).ok());
    Ok(lines.take(SHOWN).collect())
}

/// Adds lines, all or none; without any it makes sure that the log is there. One writer at a time: the caller sees to that.
///
/// # Errors
/// [`Verdict::Io`].
pub(crate) fn append(transitions: &[Transition]) -> Result<()> {
    let mut lines = String::new();
    for transition in transitions {
        lines.push_str(&serde_json::to_string(transition)?);
        lines.push('\n');
    }
    let path = path();
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let length = file.metadata()?.len();
        file.write_all(lines.as_bytes()).inspect_err(|_| {
            // The half of a line would spoil the next one.
            drop(file.set_len(length));
        })
    };
    write().with_context(|| path.display().to_string()).verdict(Verdict::Io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::Level;

    fn alert(level: Level, name: &'static str, subject: &str) -> Alert {
        Alert { level, name: name.into(), subject: subject.to_owned(), text: format!("{level:?}") }
    }

    fn events(before: &[Alert], now: &[Alert]) -> Vec<(Event, Level, String)> {
        let comparison = compare(before, now, Utc::now(), |_| true);
        assert!(comparison.unmeasured.is_empty());
        let one = |line: Transition| (line.event, line.alert.level, line.alert.subject);
        comparison.transitions.into_iter().map(one).collect()
    }

    #[test]
    fn only_what_begins_ends_or_comes_to_another_level_is_told() {
        let lag = |level| alert(level, "live_lag_seconds", "users");
        let (warning, critical) = (lag(Level::Warning), lag(Level::Critical));
        let one = |event, level| vec![(event, level, "users".to_owned())];
        assert_eq!(events(&[], std::slice::from_ref(&warning)), one(Event::Raised, Level::Warning));
        let same = Alert { text: "another number".to_owned(), ..warning.clone() };
        assert_eq!(events(std::slice::from_ref(&warning), &[same]), []);
        let (before, after) = (std::slice::from_ref(&warning), std::slice::from_ref(&critical));
        assert_eq!(events(before, after), one(Event::Changed, Level::Critical));
        assert_eq!(events(after, &[]), one(Event::Cleared, Level::Critical));
        let other = alert(Level::Warning, "live_lag_seconds", "projects");
        assert_eq!(events(&[other], before).len(), 2, "the same of another table is another alert");
    }

    #[test]
    fn of_two_with_one_name_and_subject_the_worse_counts() {
        let (warning, critical) = (alert(Level::Warning, "jobs", "a"), alert(Level::Critical, "jobs", "a"));
        assert_eq!(events(&[critical.clone(), warning.clone()], &[warning.clone(), critical]), []);
        assert_eq!(events(&[], &[warning.clone(), warning]).len(), 1);
    }

    #[test]
    fn what_could_not_be_measured_is_not_over() {
        let (lag, disk) = (alert(Level::Critical, "lag", "users"), alert(Level::Warning, "disk", ""));
        let away = compare(&[lag.clone(), disk.clone()], &[], Utc::now(), |alert| alert.name != "lag");
        assert_eq!(away.transitions.len(), 1);
        assert_eq!((&away.transitions[0].alert, &away.unmeasured[..]), (&disk, std::slice::from_ref(&lag)));
        assert_eq!(events(&away.unmeasured, std::slice::from_ref(&lag)), [], "it was open all the time");
        assert_eq!(events(&away.unmeasured, &[])[0].0, Event::Cleared);
    }

    #[test]
    fn what_would_drive_a_terminal_is_only_text_in_the_log() {
        let evil = Alert { text: "\u{9b}2J".to_owned(), ..alert(Level::Warning, "jobs", "a\u{1b}]0;x\u{7}") };
        let raised = compare(&[], std::slice::from_ref(&evil), Utc::now(), |_| true).transitions.remove(0);
        let text = serde_json::to_string(&raised).unwrap();
        assert!(text.chars().all(|character| !character.is_control()), "{text}");
        assert_eq!(
            compare(std::slice::from_ref(&evil), std::slice::from_ref(&evil), Utc::now(), |_| true)
                .transitions,
            []
        );
    }

    #[test]
    fn a_line_of_the_log_is_as_documented() {
        let line = Transition {
            at: "2026-11-24T02:00:07Z".parse().unwrap(),
            event: Event::Raised,
            alert: alert(Level::Critical, "database", ""),
        };
        let text = serde_json::to_string(&line).unwrap();
        let expected = r#"{"at":"2026-11-24T02:00:07Z","event":"raised","level":"critical","name":"database","subject":"","text":"Critical"}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Transition>(&text).unwrap(), line);
    }
}
