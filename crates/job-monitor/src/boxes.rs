//! A box for each job that runs.

use crate::text::{fit, painted, percent};
use journal::read::Job;
use tool::{Paint, duration};

/// Columns within the frame.
const INNER: usize = 66;

/// Cells of the bar.
const BAR: usize = 60;

/// The boxes, or a sentence when there are none.
pub(crate) fn of(jobs: &[Job], paint: Paint) -> String {
    if jobs.is_empty() {
        return "No active jobs running\n".to_owned();
    }
    jobs.iter().map(|job| one(job, paint)).collect::<Vec<_>>().join("\n")
}

fn one(job: &Job, paint: Paint) -> String {
    let mut lines = vec![format!("Job: {} (#{})", job.job_name, job.id), format!("Type: {}", job.job_type)];
    match (job.total_items, job.progress_percent) {
        (Some(total), Some(share)) => {
            lines.push(format!("Progress: {}/{total} ({})", job.items_processed, percent(share)));
            lines.push(bar(share));
        }
        _ => lines.push(format!("Progress: {}, total not known", job.items_processed)),
    }
    let skipped = job.metadata.get("items_skipped").and_then(serde_json::Value::as_i64);
    let skipped = skipped.map_or_else(String::new, |skipped| format!(" | Skipped: {skipped}"));
    lines.push(format!("Success: {} | Failed: {}{skipped}", job.items_succeeded, job.items_failed));
    let remaining = job.estimated_remaining_seconds;
    let remaining =
        remaining.map_or_else(String::new, |seconds| format!(" | Remaining: ~{}", duration(seconds)));
    lines.push(format!("Elapsed: {}{remaining}", duration(job.elapsed_seconds)));
    lines.extend(job.items_per_second.map(|rate| format!("Rate: {rate:.2} items/sec")));
    frame(&lines, job.items_failed > 0, paint)
}

fn bar(share: f64) -> String {
    // A full bar is for what is done, and the share is below 100 until then.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share from 0 to 100")]
    let full = (share / 100.0 * 60.0) as usize;
    format!("[{}{}]", "█".repeat(full.min(BAR)), "░".repeat(BAR.saturating_sub(full)))
}

fn frame(lines: &[String], has_failures: bool, paint: Paint) -> String {
    let edge = "═".repeat(INNER);
    let mut text = format!("╔{edge}╗\n");
    for line in lines {
        let padded = fit(line, INNER - 2);
        let status = if line.starts_with('[') { "completed" } else { "" };
        let status = if has_failures && line.starts_with("Success") { "failed" } else { status };
        text.push_str(&format!("║ {} ║\n", painted(paint, status, &padded)));
    }
    text.push_str(&format!("╚{edge}╝\n"));
    text
}
