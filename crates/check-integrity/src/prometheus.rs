//! What is known of each check, in the text format that node_exporter's textfile collector reads. How the whole is stands
//! among the metrics of pipeline-status.

use crate::level::Level;
use crate::status::{Known, Status};
use chrono::{DateTime, Utc};
use std::fmt::Write;

/// Each check's status, counts and time.
pub(crate) fn of(status: &Status) -> String {
    let mut text = String::new();
    let levels = Level::ALL.map(Level::name).into_iter().chain(["not_applicable"]);
    let stands = |known: &Known| {
        // What is not known of the whole is not known of its parts.
        let old =
            status.level == Level::Unknown && Level::of_name(&known.line.status) == Some(Level::Healthy);
        if old { Level::Unknown.name().to_owned() } else { known.line.status.clone() }
    };
    let samples = status.checks.iter().flat_map(|known| {
        let labels = labels(known);
        let stands = stands(known);
        levels.clone().map(move |level| (format!("{labels},status=\"{level}\""), i64::from(stands == level)))
    });
    family(&mut text, "status", "1 for how the check came out last.", samples);
    let each = |take: fn(&Known) -> i64| status.checks.iter().map(move |known| (labels(known), take(known)));
    family(&mut text, "rows", "Rows and pairs that it compared.", each(|known| known.line.total));
    family(&mut text, "inconsistent_rows", "Those that do not agree.", each(|known| known.line.inconsistent));
    family(&mut text, "findings", "Findings that they make.", each(|known| known.line.findings));
    let seconds = |known: &Known| known.checked_at.parse::<DateTime<Utc>>().map_or(0, |at| at.timestamp());
    family(&mut text, "last_run_timestamp_seconds", "When it was done last.", each(seconds));
    text
}

fn family(text: &mut String, name: &str, help: &str, samples: impl Iterator<Item = (String, i64)>) {
    let name = format!("mirror42_integrity_check_{name}");
    let head = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
    let samples: String = samples.map(|(labels, value)| format!("{name}{{{labels}}} {value}\n")).collect();
    if !samples.is_empty() {
        // Writing to a string cannot fail.
        write!(text, "{head}{samples}").unwrap_or_default();
    }
}

/// Names come from the catalog, which takes no others than such as need no escape.
fn labels(known: &Known) -> String {
    let table = known.line.table.as_deref().unwrap_or_default();
    format!("check=\"{}\",table=\"{table}\"", known.line.check)
}
