//! The backlog: what `backlog status` says, as a screen.

use crate::alerts::{self, Alert, Level};
use crate::chart::bar;
use crate::children;
use crate::row::{Row, Tone};
use crate::screen;
use crate::text::duration;
use crate::thresholds::Threshold;
use anyhow::Result;
use serde_json::Value;
use std::time::Duration;
use tool::{Paint, print};

/// Columns of the labels.
const LABELS: usize = 16;

/// Columns of a bar.
const BAR: usize = 30;

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Screen,
    Json,
}

/// Prints it, and says how bad it is.
///
/// # Errors
/// With the words and the exit code of `backlog status`, when that fails: then nothing is known, and nothing is printed.
pub(crate) fn run(form: Form, thresholds: &[Threshold], patience: Duration) -> Result<Level> {
    let status = children::ask("backlog", &["status", "--json"], patience)?;
    let alerts = alerts::of_backlog(&status, thresholds);
    print(&match form {
        Form::Json => format!("{status}\n"),
        Form::Screen => screen(&status, &alerts, Paint::of_stdout()),
    })?;
    Ok(alerts::worst(&alerts))
}

fn screen(status: &Value, alerts: &[Alert], paint: Paint) -> String {
    let alerted = screen::alert_rows(alerts).into_iter().map(|(_, row)| row).collect();
    let head = head(status, alerts::worst(alerts));
    let rows = [vec![head, Row::default()], alerted, vec![Row::default()], facts(status)].concat();
    rows.iter().map(|row| row.painted(paint).trim_end().to_owned() + "\n").collect()
}

fn head(status: &Value, level: Level) -> Row {
    let word = |key: &str| status[key].as_str().unwrap_or("?").to_owned();
    let at = word("at");
    let at = at.get(..19).map_or(at.clone(), |second| format!("{second}Z"));
    let name = format!(" {} ", level.name().to_uppercase());
    Row::of(Tone::Strong, "backlog ")
        .and(Tone::Badge(level), &name)
        .and(Tone::Faint, &format!(" measured {at}  in {}", word("store")))
}

fn facts(status: &Value) -> Vec<Row> {
    let mut rows = vec![fact("waiting", waiting(status)), fact("oldest", oldest(status))];
    rows.extend(counted("because", &status["reasons"], Tone::Plain));
    rows.extend(counted("delayed by", &status["delayed_errors"], Tone::Level(Level::Warning)));
    let dead = if status["dead"] == 0 { Tone::Plain } else { Tone::Level(Level::Warning) };
    rows.push(fact("dead", Row::of(dead, &number(status, "dead"))));
    rows.extend(counted("died of", &status["dead_errors"], Tone::Level(Level::Warning)));
    rows.push(fact("done", done(status)));
    rows.push(fact("success rate", success(status)));
    rows.push(fact("a batch takes", times(&status["processing_seconds"])));
    if status["unreadable"].as_u64().is_none_or(|lines| lines > 0) {
        let words = format!("{} lines of the files hold no user", number(status, "unreadable"));
        rows.push(fact("unreadable", Row::of(Tone::Level(Level::Warning), &words)));
    }
    rows
}

fn fact(label: &str, said: Row) -> Row {
    Row::of(Tone::Faint, label).filled(LABELS).join(said)
}

/// A number that is there; what is not known is no zero.
fn number(status: &Value, key: &str) -> String {
    status[key].as_u64().map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn waiting(status: &Value) -> Row {
    let states = ["due", "leased", "delayed"].map(|state| format!("{} {state}", number(status, state)));
    Row::of(Tone::Strong, &number(status, "depth")).and(Tone::Plain, &format!(": {}", states.join(", ")))
}

fn oldest(status: &Value) -> Row {
    let age = status["oldest_age_seconds"].as_f64();
    let added = status["oldest_added"].as_str().unwrap_or("?");
    age.map_or_else(
        || Row::of(Tone::Faint, "-"),
        |age| Row::of(Tone::Plain, &duration(age)).and(Tone::Faint, &format!(", added {added}")),
    )
}

/// A row for each of the names that are counted, the most frequent first.
fn counted(label: &str, counts: &Value, tone: Tone) -> Vec<Row> {
    let mut counts: Vec<_> = counts.as_object().into_iter().flatten().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(count.as_u64()));
    let label = format!("  {label}");
    let one = |(name, count): (&String, &Value)| {
        fact(&label, Row::of(Tone::Strong, &count.to_string()).and(tone, &format!(" × {name}")))
    };
    counts.into_iter().map(one).collect()
}

fn done(status: &Value) -> Row {
    let outcomes = status["outcomes"].as_object();
    let outcomes: Vec<_> =
        outcomes.into_iter().flatten().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let outcomes = if outcomes.is_empty() { String::new() } else { format!(": {}", outcomes.join(", ")) };
    let last = status["last_processed"].as_str().map_or_else(String::new, |at| format!("; the last {at}"));
    Row::of(Tone::Strong, &number(status, "processed")).and(Tone::Plain, &outcomes).and(Tone::Faint, &last)
}

fn success(status: &Value) -> Row {
    let Some(rate) = status["success_rate"].as_f64() else {
        return Row::of(Tone::Faint, "no attempt is remembered");
    };
    let (full, rest) = bar(rate, BAR);
    // Of what is not whole, none is shown as whole.
    let shown = if rate < 1.0 { (rate * 100.0).min(99.9) } else { 100.0 };
    let tone = Tone::Level(if rate < 1.0 { Level::Warning } else { Level::Ok });
    Row::of(tone, &full).and(Tone::Faint, &rest).and(Tone::Strong, &format!(" {shown:.1} %"))
}

fn times(times: &Value) -> Row {
    let seconds =
        |key: &str| times[key].as_f64().map_or_else(|| "?".to_owned(), |time| format!("{time:.1} s"));
    if times.is_null() {
        return Row::of(Tone::Faint, "no batch is remembered");
    }
    let (median, p95, last) = (seconds("median"), seconds("p95"), seconds("last"));
    Row::of(Tone::Strong, &median)
        .and(Tone::Plain, &format!(" at the median; 95 of 100 within {p95}; the last took {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Known;
    use crate::thresholds::DEFAULTS;
    use serde_json::json;

    fn shown(status: &Value) -> String {
        let text = screen(status, &alerts::of_backlog(status, &DEFAULTS), Paint::Plain);
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text}");
        text
    }

    #[test]
    fn the_backlog_is_as_it_was_looked_at() {
        let Known::Is(status) = crate::fixture::measured().backlog else { panic!("a backlog") };
        testkit::assert_golden("crates/pipeline-status/tests/golden/backlog.txt", &shown(&status));
    }

    #[test]
    fn what_backlog_does_not_say_is_not_invented() {
        let text = shown(&json!({}));
        assert!(text.starts_with("backlog  UNKNOWN "), "{text}");
        for line in ["waiting         ?: ? due", "dead            ?", "done            ?"] {
            assert!(text.contains(line), "{text}");
        }
        let nearly = shown(&json!({"depth": 0, "dead": 0, "success_rate": 0.99999}));
        assert!(nearly.contains("99.9 %") && !nearly.contains("100.0 %"), "{nearly}");
    }
}
