//! One run, whole.

use crate::text::{instant, painted, percent};
use journal::read::Job;
use serde_json::Value;
use tool::{Paint, duration};

/// Columns of the labels.
const LABELS: usize = 16;

/// Facts of the metadata that have a line of their own, and how they are called there.
const FACTS: [(&str, &str); 7] = [
    ("exit_code", "Exit Code"),
    ("signal", "Signal"),
    ("parent_id", "Part Of"),
    ("current_item", "Last Item"),
    ("checkpoint", "Checkpoint"),
    ("command", "Command"),
    ("heartbeat_at", "Heartbeat"),
];

/// The sheet.
pub(crate) fn of(job: &Job, paint: Paint) -> String {
    let mut text = format!("Job Execution #{}\n{}\n", job.id, "=".repeat(60));
    let mut line = |label: &str, value: &str| {
        text.push_str(&format!("{:<LABELS$}{}\n", format!("{label}:"), tool::printable(value)));
    };
    line("Job Name", &job.job_name);
    line("Job Type", &job.job_type);
    line("Status", &job.status);
    line("Progress", &progress(job));
    line("Success/Failed", &format!("{} / {}", job.items_succeeded, job.items_failed));
    if let Some(skipped) = job.metadata.get("items_skipped") {
        line("Skipped", &skipped.to_string());
    }
    line("Started", &format!("{} UTC", instant(&job.started_at)));
    if let Some(completed) = &job.completed_at {
        line("Completed", &format!("{} UTC", instant(completed)));
    }
    line("Elapsed", &duration(job.elapsed_seconds));
    if let Some(seconds) = job.estimated_remaining_seconds {
        line("Est. Remaining", &format!("~{}", duration(seconds)));
    }
    if let Some(rate) = job.items_per_second {
        line("Rate", &format!("{rate:.2} items/sec"));
    }
    for (key, label) in FACTS {
        match job.metadata.get(key) {
            None => {}
            Some(Value::String(value)) => line(label, value),
            Some(value) => line(label, &value.to_string()),
        }
    }
    if let Some(warning) = job.metadata.get("warning").and_then(Value::as_str) {
        text.push_str(&painted(paint, "partial", &format!("\nWarning: {}\n", tool::printable(warning))));
    }
    if let Some(error) = &job.error_message {
        text.push_str(&painted(paint, "failed", &format!("\nError: {}\n", tool::printable(error))));
    }
    text
}

fn progress(job: &Job) -> String {
    match (job.total_items, job.progress_percent) {
        (Some(total), Some(share)) => format!("{}/{total} ({})", job.items_processed, percent(share)),
        _ => format!("{}, total not known", job.items_processed),
    }
}
