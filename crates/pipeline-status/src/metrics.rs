//! The same as metrics: in the classic text format of Prometheus, or as OpenMetrics. What is not known has no sample.
//!
//! Formats: <https://prometheus.io/docs/instrumenting/exposition_formats/>, "Text-based format";
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>, version 1.0.
//!
//! # Layout
//! - here: the two formats, and what is said of the whole.
//! - `mirror`: exports, tables, database. `host`: quota, calls, token, disks, logs. `work`: backlog, jobs, integrity.

mod host;
mod mirror;
mod work;

use crate::alerts::Level;
use crate::measure::Measured;
use chrono::{DateTime, Utc};
use serde_json::Value;

const LEVELS: [Level; 4] = [Level::Ok, Level::Warning, Level::Unknown, Level::Critical];

/// Units that OpenMetrics wants to be told, when a name ends in one.
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];

/// Which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For node_exporter's textfile collector too.
    Classic,
    OpenMetrics,
}

/// All families.
pub(crate) fn of(measured: &Measured, form: Form) -> String {
    let mut text = Text { form, text: String::new() };
    whole(&mut text, measured);
    mirror::add(&mut text, measured);
    host::add(&mut text, measured);
    work::add(&mut text, measured);
    if form == Form::OpenMetrics {
        text.text.push_str("# EOF\n");
    }
    text.text
}

fn whole(text: &mut Text, measured: &Measured) {
    let is = |level| u8::from(measured.status == level);
    text.gauge(
        "status",
        "1 for the level that the whole is at.",
        LEVELS.map(|level| (vec![("level", level.name())], Some(is(level)))),
    );
    let count = |level| measured.alerts.iter().filter(|alert| alert.level == level).count();
    let bad = LEVELS.into_iter().skip(1);
    text.gauge(
        "alerts",
        "What is not as it should be.",
        bad.map(|level| (vec![("level", level.name())], Some(count(level)))),
    );
    let at = measured.measured_at.timestamp();
    text.one("status_timestamp_seconds", "When everything here was measured.", Some(at));
}

/// A text that grows family by family, each whole and in one place.
struct Text {
    form: Form,
    text: String,
}

/// The labels of a sample, and its value when it is known.
type Sample<'a, V> = (Vec<(&'a str, &'a str)>, Option<V>);

impl Text {
    /// A gauge without labels.
    fn one<V: ToString>(&mut self, name: &str, help: &str, value: Option<V>) {
        self.gauge(name, help, [(vec![], value)]);
    }

    /// A gauge, with a sample for each set of labels. Without any known value there is no family.
    fn gauge<'a, V: ToString>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = Sample<'a, V>>,
    ) {
        let mut lines = String::new();
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            if let Some(value) = value {
                lines.push_str(&format!("mirror42_{name}{labels} {}\n", value.to_string()));
            }
        }
        if lines.is_empty() {
            return;
        }
        let unit = UNITS.iter().find(|unit| name.ends_with(&format!("_{unit}")));
        let unit = unit.filter(|_| self.form == Form::OpenMetrics);
        let unit = unit.map_or_else(String::new, |unit| format!("# UNIT mirror42_{name} {unit}\n"));
        let head = format!("# HELP mirror42_{name} {help}\n# TYPE mirror42_{name} gauge\n{unit}");
        self.text.push_str(&head);
        self.text.push_str(&lines);
    }
}

/// Control characters are made visible too: a name comes from data.
fn escaped(value: &str) -> String {
    tool::printable(value).replace('\\', r"\\").replace('"', "\\\"")
}

fn seconds(at: Option<DateTime<Utc>>) -> Option<i64> {
    at.map(|at| at.timestamp())
}

/// An instant that another tool printed.
fn parsed(value: &Value) -> Option<i64> {
    seconds(value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_whole_and_what_is_not_known_is_not_there() {
        let written = |form| {
            let mut text = Text { form, text: String::new() };
            text.gauge("a_seconds", "Why.", [(vec![("job", "x\"\\\n")], Some(1.5)), (vec![], None)]);
            text.one("b", "Never.", None::<u8>);
            text.text
        };
        let sample = "mirror42_a_seconds{job=\"x\\\"\\\\\\\\n\"} 1.5\n";
        let head = "# HELP mirror42_a_seconds Why.\n# TYPE mirror42_a_seconds gauge\n";
        assert_eq!(written(Form::Classic), format!("{head}{sample}"));
        assert_eq!(written(Form::OpenMetrics), format!("{head}# UNIT mirror42_a_seconds seconds\n{sample}"));
    }
}
