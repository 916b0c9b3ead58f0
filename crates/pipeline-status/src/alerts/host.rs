//! What this host keeps and has room for: calls, quota, token, disks, logs.

use super::{Judge, Level, as_float, unsigned};
use crate::measure::Measured;
use crate::text::bytes;
use api42::Calls;

/// The limit of a second that the threshold of a minute is for.
const USUAL_PER_SECOND: f64 = 2.0;

impl Judge<'_> {
    pub(super) fn host(&mut self, measured: &Measured) {
        self.quota(measured);
        self.token(measured);
        self.space(measured);
    }

    fn quota(&mut self, measured: &Measured) {
        let quota = match measured.quota.get() {
            Err(error) => return self.say(Level::Unknown, "quota", "", error.as_str()),
            Ok(quota) => quota,
        };
        let used = unsigned(quota.used) / unsigned(quota.host.max(1)) * 100.0;
        let text = || format!("{} of {} calls of the hour are used", quota.used, quota.host);
        self.hold("quota_used_percent", "", used, text);
        match measured.calls.get() {
            Err(error) => self.say(Level::Unknown, "calls", "", error.as_str()),
            Ok(calls) => self.calls(calls, quota.per_second),
        }
    }

    fn calls(&mut self, calls: &Calls, per_second: u32) {
        let minute = f64::from(calls.last_minute);
        let usual = minute * USUAL_PER_SECOND / f64::from(per_second.max(1));
        let text =
            || format!("{minute} calls in the last minute, where the API allows {per_second} a second");
        self.hold("api_calls_minute", "", usual, text);
        let refused = calls.answers.unauthorized;
        let text = || format!("answers 401 in the last hour: {refused}; see 42_token_refresh.log");
        self.hold("api_401_hour", "", f64::from(refused), text);
        let throttled = calls.answers.throttled;
        let text =
            || format!("answers 429 in the last hour: {throttled}; does another host use the application?");
        self.hold("api_429_hour", "", f64::from(throttled), text);
    }

    fn token(&mut self, measured: &Measured) {
        match measured.token.get() {
            Err(error) => self.say(Level::Unknown, "token", "", error.as_str()),
            Ok(None) => self.say(Level::Unknown, "token", "", "no token is kept on this host"),
            Ok(Some(token)) => {
                if token.expires_in.is_some_and(|seconds| seconds <= 0) {
                    self.say(Level::Warning, "token", "", "the token has ended; nobody has renewed it");
                }
                if let Some(days) = token.secret_days_left {
                    let text = || format!("the application's secret ends in {days} days");
                    self.hold("secret_days", "", as_float(days), text);
                }
            }
        }
    }

    fn space(&mut self, measured: &Measured) {
        for disk in &measured.disks {
            match disk.get() {
                Err(error) => self.say(Level::Unknown, "disk", "", error.as_str()),
                Ok(disk) => {
                    let text = || format!("the disk is full to {:.1} %", disk.used_percent);
                    self.hold("disk_used_percent", disk.folder, disk.used_percent, text);
                }
            }
        }
        match measured.logs.get() {
            Err(error) => self.say(Level::Unknown, "logs", "", error.as_str()),
            Ok(logs) => {
                let text = || format!("the logs take {}", bytes(logs.bytes));
                self.hold("logs_bytes", "", unsigned(logs.bytes), text);
                let errors = logs.token_errors_day;
                let text =
                    || format!("{errors} renewals of the token failed in 24 hours; see 42_token_refresh.log");
                self.hold("token_errors_day", "", unsigned(errors), text);
            }
        }
    }
}
