//! What other tools say: backlog, jobs, integrity.

use super::{Judge, Level};
use crate::measure::{Known, Measured};
use crate::text::about;
use serde_json::Value;

/// The jobs whose time is known as that of a sync, and the names of the thresholds.
const SYNCS: [(&str, &str); 2] = [("live_sync", "sync_seconds"), ("nightly_sync", "nightly_seconds")];

impl Judge<'_> {
    pub(super) fn work(&mut self, measured: &Measured) {
        self.backlog(measured.backlog.get());
        self.jobs(&measured.jobs);
        if let Err(error) = measured.running.get() {
            self.say(Level::Unknown, "running", "", error.as_str());
        }
        self.integrity(&measured.integrity);
    }

    pub(super) fn backlog(&mut self, backlog: Result<&Value, &String>) {
        let backlog = match backlog {
            Err(error) => return self.say(Level::Unknown, "backlog", "", error.as_str()),
            Ok(backlog) => backlog,
        };
        if !backlog["depth"].is_u64() {
            self.say(Level::Unknown, "backlog", "", "backlog status does not say how many wait");
        }
        if let Some(age) = backlog["oldest_age_seconds"].as_f64() {
            let text = || format!("the oldest user has waited for {}", about(age));
            self.hold("backlog_age_seconds", "", age, text);
        }
        if let Some(dead) = backlog["dead"].as_f64() {
            self.hold("backlog_dead", "", dead, || {
                format!("users given up: {dead}; backlog dead names them")
            });
        }
    }

    fn jobs(&mut self, jobs: &Known<Value>) {
        let jobs = match jobs.get().map(|jobs| jobs["summary"].as_object()) {
            Err(error) => return self.say(Level::Unknown, "jobs", "", error.as_str()),
            Ok(None) => return self.say(Level::Unknown, "jobs", "", "job-monitor gives no summary"),
            Ok(Some(jobs)) => jobs,
        };
        if jobs.is_empty() {
            self.say(Level::Unknown, "jobs", "", "no job is known");
        }
        for (name, job) in jobs {
            self.job(name, job);
        }
    }

    fn job(&mut self, name: &str, job: &Value) {
        if job["status"] == "never_run" {
            self.say(Level::Unknown, "jobs", name, "has never run");
        }
        if job["overdue"] == true {
            self.say(Level::Critical, "overdue", name, "a run should have started and has not");
        }
        let failures = job["consecutive_failures"].as_f64().unwrap_or_default();
        let why = job["error_message"].as_str().unwrap_or("see job-monitor history");
        let text = || format!("failed runs since one went well: {failures}; {why}");
        self.hold("job_failures", name, failures, text);
        if job["status"] == "partial" {
            self.say(Level::Warning, "jobs", name, "its last run was done in part");
        }
        if let Some(warning) = job["warning"].as_str() {
            self.say(Level::Warning, "jobs", name, warning);
        }
        let sync = SYNCS.iter().find(|(sync, _)| *sync == name);
        if let Some(((_, threshold), took)) = sync.zip(job["duration_seconds"].as_f64()) {
            let text = || match job["status"].as_str() {
                Some("running") => format!("it has been running for {}", about(took)),
                _ => format!("the last run took {}", about(took)),
            };
            self.hold(threshold, name, took, text);
        }
    }

    fn integrity(&mut self, integrity: &Known<Value>) {
        let integrity = match integrity.get() {
            Err(error) => return self.say(Level::Unknown, "integrity", "", error.as_str()),
            Ok(integrity) => integrity,
        };
        let level = match integrity["status"].as_str() {
            Some("healthy") => return,
            Some("degraded") => Level::Warning,
            Some("critical") => Level::Critical,
            _ => {
                let reason = integrity["reason"].as_str();
                let text = reason.unwrap_or("nobody has checked it lately; check-integrity run does");
                return self.say(Level::Unknown, "integrity", "", text);
            }
        };
        let violations = integrity["total_violations"].as_u64();
        let violations = violations.map_or_else(|| "?".to_owned(), |count| count.to_string());
        let text = format!("violations found: {violations}; check-integrity violations lists them");
        self.say(level, "integrity", "", text);
    }
}
