//! Backlog, jobs, integrity: what other tools say.

use super::{Text, parsed};
use crate::measure::Measured;
use serde_json::Value;

/// As `check-integrity status` names them; what it could not say is unknown.
const INTEGRITY: [&str; 4] = ["healthy", "degraded", "critical", "unknown"];

pub(super) fn add(text: &mut Text, measured: &Measured) {
    backlog(text, measured);
    jobs(text, measured);
    running(text, measured);
    integrity(text, measured);
}

fn backlog(text: &mut Text, measured: &Measured) {
    if let Ok(backlog) = measured.backlog.get() {
        let states = ["due", "leased", "delayed", "dead"];
        let items = states.map(|state| (vec![("state", state)], backlog[state].as_u64()));
        text.gauge("backlog_users", "Users of the backlog.", items);
        let added = parsed(&backlog["oldest_added"]);
        text.one("backlog_oldest_timestamp_seconds", "Since when the oldest waits.", added);
    }
}

fn jobs(text: &mut Text, measured: &Measured) {
    let jobs = summary(measured);
    let each = |take: &dyn Fn(&Value) -> Option<i64>| {
        jobs.iter().map(|(name, job)| (vec![("job", *name)], take(job))).collect::<Vec<_>>()
    };
    let help = "Start of the latest run.";
    text.gauge("job_run_timestamp_seconds", help, each(&|job| parsed(&job["last_run"])));
    let help = "Start of the latest run that completed, at least in part.";
    text.gauge("job_success_timestamp_seconds", help, each(&|job| parsed(&job["last_success"])));
    let help = "When it is due next.";
    text.gauge("job_next_timestamp_seconds", help, each(&|job| parsed(&job["next_scheduled"])));
    let help = "How long the latest run took, or has taken so far.";
    text.gauge("job_duration_seconds", help, each(&|job| job["duration_seconds"].as_i64()));
    let help = "1 when a run should have started and has not.";
    text.gauge("job_overdue", help, each(&|job| job["overdue"].as_bool().map(i64::from)));
    let help = "Runs that failed since one went well.";
    text.gauge("job_failures", help, each(&|job| job["consecutive_failures"].as_i64()));
}

fn summary(measured: &Measured) -> Vec<(&str, &Value)> {
    let jobs = measured.jobs.get().ok().and_then(|jobs| jobs["summary"].as_object());
    jobs.into_iter().flatten().map(|(name, job)| (name.as_str(), job)).collect()
}

fn running(text: &mut Text, measured: &Measured) {
    let Ok(running) = measured.running.get() else { return };
    let names: Vec<_> = running.iter().filter_map(|job| job["job_name"].as_str()).collect();
    // Known jobs that do not run are 0, so that an end is seen.
    let mut all: Vec<_> = summary(measured).into_iter().map(|(name, _)| name).collect();
    let unlisted: Vec<_> = names.iter().filter(|name| !all.contains(name)).copied().collect();
    all.extend(unlisted);
    let is_running = |name: &&str| u8::from(names.contains(name));
    let samples = all.iter().map(|name| (vec![("job", *name)], Some(is_running(name))));
    text.gauge("job_running", "1 when a run of the job is going on.", samples);
    let progress = running.iter().filter_map(|job| {
        let percent = job["progress_percent"].as_f64();
        Some((vec![("job", job["job_name"].as_str()?)], percent.map(|percent| percent / 100.0)))
    });
    text.gauge(
        "job_progress_ratio",
        "Done part of a run that is going on, where its total is known.",
        progress,
    );
}

fn integrity(text: &mut Text, measured: &Measured) {
    let known = measured.integrity.get().ok();
    let status = known.and_then(|integrity| integrity["status"].as_str());
    let status = status.filter(|status| INTEGRITY.contains(status)).unwrap_or("unknown");
    let samples = INTEGRITY.map(|name| (vec![("status", name)], Some(u8::from(name == status))));
    text.gauge("integrity_status", "1 for the status that check-integrity tells.", samples);
    let Some(integrity) = known else { return };
    // Without a rate nothing was checked, and no violation says nothing.
    let rate = integrity["consistency_rate"].as_f64();
    let help = "Consistent part of what was checked.";
    text.one("integrity_consistency_ratio", help, rate.map(|rate| rate / 100.0));
    let violations = integrity["total_violations"].as_u64().filter(|_| rate.is_some());
    text.one("integrity_violations", "What is not consistent.", violations);
    let help = "When it was last checked.";
    text.one("integrity_check_timestamp_seconds", help, parsed(&integrity["last_check"]));
}
