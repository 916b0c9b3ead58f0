//! The tables of history and summary.

use crate::text::{fit, minute, painted};
use journal::read::{Item, Job};
use tool::{Paint, duration};

/// Narrowest and widest column of names.
const NAMES: (usize, usize) = (12, 36);

/// The latest runs.
pub(crate) fn history(jobs: &[Job], paint: Paint) -> String {
    if jobs.is_empty() {
        return "No job history found\n".to_owned();
    }
    let width = width(jobs.iter().map(|job| job.job_name.as_str()));
    let mut text = format!(
        "{:<8}{:<width$}  {:<11}{:<13}{:<10}Items\n",
        "ID", "Job Name", "Status", "Started", "Duration"
    );
    text.push_str(&rule(8 + width + 2 + 11 + 13 + 10 + 12));
    for job in jobs {
        let items = match job.total_items {
            Some(total) => format!("{}/{total}", job.items_processed),
            None => job.items_processed.to_string(),
        };
        text.push_str(&format!(
            "{:<8}{}  {}{:<13}{:<10}{items}\n",
            job.id,
            fit(&job.job_name, width),
            painted(paint, &job.status, &fit(&job.status, 11)),
            minute(&job.started_at),
            duration(job.elapsed_seconds),
        ));
        text.push_str(&notes(job, paint));
    }
    text
}

/// What is to be said about a run, below it.
fn notes(job: &Job, paint: Paint) -> String {
    let warning = job.metadata.get("warning").and_then(serde_json::Value::as_str);
    let line =
        |status: &str, text: &str| painted(paint, status, &format!("        {}\n", tool::printable(text)));
    let error = job.error_message.as_deref().map(|text| line("failed", text));
    error.into_iter().chain(warning.map(|text| line("partial", text))).collect()
}

/// Every job.
pub(crate) fn summary(items: &[(String, Item)], paint: Paint) -> String {
    let width = width(items.iter().map(|(name, _)| name.as_str()));
    let mut text = format!(
        "{:<width$}  {:<11}{:<13}{:<10}{:<13}Fails\n",
        "Job Name", "Status", "Last Run", "Duration", "Next Run"
    );
    text.push_str(&rule(width + 2 + 11 + 13 + 10 + 13 + 5));
    for (name, item) in items {
        let last = item.last_run.as_deref().map_or_else(|| "Never".to_owned(), minute);
        let lasted = item.duration_seconds.map_or_else(|| "-".to_owned(), duration);
        let next = item.next_scheduled.as_deref().map_or_else(|| "-".to_owned(), minute);
        text.push_str(&format!(
            "{}  {}{last:<13}{lasted:<10}{next:<13}{}\n",
            fit(name, width),
            painted(paint, &item.status, &fit(&item.status, 11)),
            item.consecutive_failures,
        ));
        let below = " ".repeat(width + 2);
        let overdue = item.overdue.then_some("overdue: a run should have started and has not");
        for (status, words) in [
            ("running", item.progress.as_deref()),
            ("overdue", overdue),
            ("failed", item.error_message.as_deref()),
            ("partial", item.warning.as_deref()),
        ] {
            if let Some(words) = words {
                text.push_str(&painted(paint, status, &format!("{below}{}\n", tool::printable(words))));
            }
        }
    }
    text
}

fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0).clamp(NAMES.0, NAMES.1)
}

fn rule(width: usize) -> String {
    format!("{}\n", "─".repeat(width))
}
