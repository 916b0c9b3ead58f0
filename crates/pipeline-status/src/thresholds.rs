//! From which values on something is an alert: one table, and how a value of it is replaced.

/// From which value on something is worth a warning, and critical.
#[derive(Clone, Debug)]
pub(crate) struct Threshold {
    pub(crate) name: &'static str,
    pub(crate) warning: f64,
    pub(crate) critical: f64,
    pub(crate) about: &'static str,
}

const fn at(name: &'static str, warning: f64, critical: f64, about: &'static str) -> Threshold {
    Threshold { name, warning, critical, about }
}

const HOUR: f64 = 3600.0;
const MIB: f64 = 1_048_576.0;

/// The defaults. Where the critical value is the lower one, less is worse.
pub(crate) const DEFAULTS: [Threshold; 19] = [
    at("live_lag_seconds", 600.0, HOUR, "now less the watermark of a table whose changes are followed"),
    at("sync_seconds", 600.0, 3000.0, "how long the last live_sync took, or has taken so far"),
    at(
        "nightly_seconds",
        20.0 * HOUR,
        22.0 * HOUR,
        "how long the last nightly_sync took, or has taken so far",
    ),
    at("export_age_seconds", 26.0 * HOUR, 50.0 * HOUR, "since the last export of a resource of the nightly"),
    at("load_age_seconds", 26.0 * HOUR, 50.0 * HOUR, "since the last load of a table of the nightly"),
    at("quarantine_records", 1000.0, 10_000.0, "records of a table that wait in quarantine"),
    at("database_bytes", 10_240.0 * MIB, 20_480.0 * MIB, "size of the database"),
    at("logs_bytes", 1024.0 * MIB, 2048.0 * MIB, "size of LOGS_DIR"),
    at("disk_used_percent", 90.0, 95.0, "use of the disks of EXPORTS_DIR and LOGS_DIR"),
    at(
        "api_calls_minute",
        120.0,
        240.0,
        "calls of this host in 60 seconds, as if the API allowed 2 a second",
    ),
    at("api_401_hour", 1.0, 10.0, "answers 401 to this host in the last hour"),
    at("api_429_hour", 1.0, 30.0, "answers 429 to this host in the last hour"),
    at("quota_used_percent", 95.0, 100.0, "calls of this host in the last hour, of those it may make"),
    at("http_429", 10.0, 100.0, "answers 429 that the last export of a resource met"),
    at("token_errors_day", 1.0, 5.0, "renewals of the token that failed in 24 hours, 401 among them"),
    at("secret_days", 10.0, 3.0, "days until the application's secret ends"),
    at("backlog_age_seconds", HOUR, 24.0 * HOUR, "how long the oldest user of the backlog waits"),
    at("backlog_dead", 1.0, 100.0, "users that the backlog gave up"),
    at("job_failures", 1.0, 3.0, "runs of a job that failed since one went well"),
];

/// `NAME=WARNING:CRITICAL`.
pub(crate) fn parse(text: &str) -> Result<Threshold, String> {
    let form = || "it has to be NAME=WARNING:CRITICAL, both numbers".to_owned();
    let (name, values) = text.split_once('=').ok_or_else(form)?;
    let (warning, critical) = values.split_once(':').ok_or_else(form)?;
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(form);
    let known = DEFAULTS.iter().find(|threshold| threshold.name == name);
    let known = known.ok_or_else(|| format!("no threshold {name}; pipeline-status thresholds lists them"))?;
    let (warning, critical) = (number(warning)?, number(critical)?);
    // Which way is worse belongs to what is measured.
    if is_falling(known) != (critical < warning) && (critical - warning).abs() > 0.0 {
        return Err(format!("{name}: the critical value is on the wrong side of the warning"));
    }
    Ok(Threshold { warning, critical, ..known.clone() })
}

/// Whether less is worse.
pub(crate) fn is_falling(threshold: &Threshold) -> bool {
    DEFAULTS.iter().any(|known| known.name == threshold.name && known.critical < known.warning)
}

/// The table, with some values replaced.
pub(crate) fn replaced(others: &[Threshold]) -> Vec<Threshold> {
    let one = |known: &Threshold| {
        others.iter().rev().find(|other| other.name == known.name).unwrap_or(known).clone()
    };
    DEFAULTS.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_replaced_by_name_and_nonsense_is_refused() {
        let replaced = replaced(&[parse("live_lag_seconds=5:7.5").unwrap()]);
        let one = replaced.iter().find(|threshold| threshold.name == "live_lag_seconds").unwrap();
        assert_eq!((one.warning, one.critical, replaced.len()), (5.0, 7.5, DEFAULTS.len()));
        for bad in [
            "",
            "nope=1:2",
            "http_429=1",
            "http_429=1:x",
            "http_429=2:1",
            "secret_days=1:2",
            "http_429=1:NaN",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
