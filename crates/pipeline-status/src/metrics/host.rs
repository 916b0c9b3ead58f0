//! Quota, calls, token, disks, logs.

use super::{Text, seconds};
use crate::measure::Measured;

pub(super) fn add(text: &mut Text, measured: &Measured) {
    calls(text, measured);
    token(text, measured);
    space(text, measured);
}

fn calls(text: &mut Text, measured: &Measured) {
    if let Ok(quota) = measured.quota.get() {
        text.one("quota_used_calls", "Calls of this host in the last hour.", Some(quota.used));
        text.one("quota_calls", "Calls an hour that this host may make.", Some(quota.host));
    }
    if let Ok(calls) = measured.calls.get() {
        text.one(
            "api_calls_last_minute",
            "Calls of this host in the last 60 seconds.",
            Some(calls.last_minute),
        );
        let answers = calls.answers;
        let answers = [
            ("ok", answers.ok),
            ("unauthorized", answers.unauthorized),
            ("throttled", answers.throttled),
            ("failed", answers.failed),
        ];
        let answers = answers.map(|(answer, count)| (vec![("answer", answer)], Some(count)));
        let help = "What came back for the calls of the last hour: 401 is unauthorized, 429 throttled.";
        text.gauge("api_answers_last_hour", help, answers);
    }
}

fn token(text: &mut Text, measured: &Measured) {
    if let Ok(Some(token)) = measured.token.get() {
        text.one("token_end_timestamp_seconds", "When the kept token ends.", seconds(token.expires_at));
        let help = "When the application's secret ends.";
        text.one("secret_end_timestamp_seconds", help, seconds(token.secret_valid_until));
    }
}

fn space(text: &mut Text, measured: &Measured) {
    let disks: Vec<_> = measured.disks.iter().filter_map(|disk| disk.get().ok()).collect();
    let free = disks.iter().map(|disk| (vec![("folder", disk.folder)], Some(disk.free_bytes)));
    text.gauge("disk_free_bytes", "Free space where the folder is.", free);
    let total = disks.iter().map(|disk| (vec![("folder", disk.folder)], Some(disk.total_bytes)));
    text.gauge("disk_bytes", "Size of the disk where the folder is.", total);
    let used = disks.iter().map(|disk| (vec![("folder", disk.folder)], Some(disk.used_percent / 100.0)));
    text.gauge("disk_used_ratio", "Used part of the disk, as df counts.", used);
    if let Ok(logs) = measured.logs.get() {
        text.one("logs_bytes", "Size of the folder of logs.", Some(logs.bytes));
        let help = "Renewals of the token that failed in 24 hours.";
        text.one("token_errors_day", help, Some(logs.token_errors_day));
    }
}
