//! Whether what is scheduled happened: runs of jobs, full loads of tables, exports that were loaded.

use super::{Body, Check, Mend};
use crate::action::{Action, Remedy};
use crate::level::Weight;
use anyhow::{Context, Result};
use catalog::{Catalog, Resource, Severity};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use exports::{Place, Scope, Snapshot};
use journal::{Definition, STALE_SECONDS};
use postgres::Transaction;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use warehouse::fault;

/// The check's own job: that it does not run is told by the age of its last run.
pub(crate) const OWN_JOB: &str = "integrity_check";

/// The type of the job that loads every table whole.
const NIGHTLY: &str = "nightly";

/// How long after it was published an export may be unloaded.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// So many missed runs are counted, no more.
const MOST: usize = 3;

pub(super) fn check() -> Check {
    Check {
        name: "freshness_vs_schedule".to_owned(),
        alias: None,
        table: None,
        about: "Every job ran when it was due, every table was loaded whole, every export was loaded"
            .to_owned(),
        severity: Severity::Warning,
        weight: Weight::Each,
        needs: Vec::new(),
        wants_whole: Vec::new(),
        left: "schedule".to_owned(),
        right: "ops.job_executions".to_owned(),
        mend: Mend { action: Action::CheckCronAndToken, target: None, id: None },
        also: BTreeMap::new(),
        body: Body::Schedules,
    }
}

/// Something that is late.
pub(crate) struct Late {
    pub(crate) subject: Value,
    pub(crate) left: (String, Value),
    pub(crate) right: (String, Value),
    pub(crate) severity: Severity,
    pub(crate) remedy: Remedy,
}

/// What was looked at, and what of it is late.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) looked_at: i64,
    pub(crate) late: Vec<Late>,
}

/// Since when nothing is held against a job, as SQL: its last run that went well, or that is going on; when it never ran,
/// since anything is on record, by the first entry of `job_executions_history_idx`.
const JOBS: &str = "SELECT w.name, coalesce(
        (SELECT max(j.started_at) FROM ops.job_executions j WHERE j.job_name = w.name AND (j.status IN ('completed', 'partial')
            OR j.status = 'running' AND abs(extract(epoch FROM clock_timestamp() - j.heartbeat_at)) <= $2)),
        f.started_at), f.started_at
    FROM unnest($1::text[]) WITH ORDINALITY AS w(name, nth)
    LEFT JOIN (SELECT started_at FROM ops.job_executions ORDER BY (started_at AT TIME ZONE 'UTC'), id LIMIT 1) AS f ON true
    ORDER BY nth";

/// Reads `loads_full_idx`, which holds only what is wanted: between two full loads there are thousands of others.
const LOADS: &str = "SELECT w.name, l.walk_started, l.sha256 FROM unnest($1::text[]) AS w(name)
    JOIN LATERAL (SELECT walk_started, sha256 FROM ops.loads
        WHERE (table_name, id) BETWEEN (w.name, 0::bigint) AND (w.name, 9223372036854775807)
            AND kind = 'full' AND scope ->> 'campus' IS NULL ORDER BY table_name DESC, id DESC LIMIT 1) AS l ON true";

/// Looks at everything that is scheduled.
pub(crate) fn look(
    transaction: &mut Transaction<'_>,
    catalog: &Catalog,
    cursus: u64,
    now: DateTime<Utc>,
) -> Result<Found> {
    let definitions = journal::schedules()?;
    let mut found = Found::default();
    let jobs: Vec<&Definition> = definitions.iter().filter(|job| job.name != OWN_JOB).collect();
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    let query = JOBS.replace("$2", &STALE_SECONDS.to_string());
    let rows = transaction.query(&query, &[&names]).map_err(|error| fault(&error)).context("runs of jobs")?;
    let mut first = None;
    for (job, row) in jobs.iter().zip(&rows) {
        let since: Option<DateTime<Utc>> = row.get(1);
        first = row.get(2);
        found.looked_at += i64::from(since.is_some());
        found.late.extend(late_job(job, since, now));
    }
    let nightly = definitions.iter().find(|job| job.kind == NIGHTLY);
    let resources: Vec<&Resource> = catalog.resources().iter().filter(|resource| resource.nightly).collect();
    let tables: Vec<&str> = resources.iter().map(|resource| resource.table.as_str()).collect();
    let rows = transaction.query(LOADS, &[&tables]).map_err(|error| fault(&error)).context("loads")?;
    let loads: BTreeMap<String, (Option<DateTime<Utc>>, Option<String>)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    for resource in resources {
        let (walked, sha256) = loads.get(&resource.table).cloned().unwrap_or_default();
        let since = walked.or(first);
        let late = unloaded(catalog, resource, cursus, walked, sha256.as_deref())
            .or_else(|| late_table(nightly?, resource, since, now));
        found.looked_at += i64::from(since.is_some() || late.is_some());
        found.late.extend(late);
    }
    Ok(found)
}

fn late_job(job: &Definition, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Late> {
    let since = since?;
    let missed = job.schedule.missed(since, now, MOST);
    let severity = match missed {
        0 => return None,
        1 => Severity::Warning,
        _ => Severity::Critical,
    };
    Some(Late {
        subject: json!({ "job": job.name }),
        left: ("schedule".to_owned(), instant(job.schedule.next(since))),
        right: ("ops.job_executions.started_at".to_owned(), instant(Some(since))),
        severity,
        remedy: Remedy { action: Action::CheckCronAndToken, target: job.name.clone(), ids: Vec::new() },
    })
}

/// A walk takes hours, so a table may miss one nightly: the one that is going on.
fn late_table(
    nightly: &Definition,
    resource: &Resource,
    since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Late> {
    let since = since?;
    let severity = match nightly.schedule.missed(since, now, MOST) {
        0 | 1 => return None,
        2 => Severity::Warning,
        _ => Severity::Critical,
    };
    Some(Late {
        subject: json!({ "table": resource.table }),
        left: (format!("schedule of {}", nightly.name), instant(nightly.schedule.next(since))),
        right: ("ops.loads.walk_started".to_owned(), instant(Some(since))),
        severity,
        remedy: Remedy { action: Action::RerunStage, target: resource.table.clone(), ids: Vec::new() },
    })
}

/// An export that is newer than what is loaded, and was published long enough ago: the table did not move when it should.
/// One that cannot be read is told by the checks that need its keys.
fn unloaded(
    catalog: &Catalog,
    resource: &Resource,
    cursus: u64,
    walked: Option<DateTime<Utc>>,
    sha256: Option<&str>,
) -> Option<Late> {
    let cursus = catalog.is_of_cursus(resource).then_some(cursus);
    let place = Place::new(&Place::root(), &resource.file, Scope { cursus, campus: None });
    let manifest = Snapshot::open(&place).ok().flatten()?.manifest;
    let newer = walked.is_none_or(|walked| manifest.started > walked) && sha256 != Some(&manifest.sha256);
    if !manifest.complete || !newer || Utc::now() - manifest.finished < GRACE {
        return None;
    }
    Some(Late {
        subject: json!({ "table": resource.table, "export": "not loaded" }),
        left: (format!("exports/{}", resource.file), instant(Some(manifest.started))),
        right: ("ops.loads.walk_started".to_owned(), instant(walked)),
        severity: Severity::Warning,
        remedy: Remedy { action: Action::ReloadExport, target: resource.table.clone(), ids: Vec::new() },
    })
}

fn instant(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| at.to_rfc3339_opts(SecondsFormat::Secs, true).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn one_missed_run_is_a_warning_two_are_critical() {
        let jobs = journal::schedules().unwrap();
        let nightly = jobs.iter().find(|job| job.kind == NIGHTLY).unwrap();
        let since = Some(at("2026-03-01T02:00:05Z"));
        let severity = |now: &str| late_job(nightly, since, at(now)).map(|late| late.severity);
        assert_eq!(severity("2026-03-02T02:30:00Z"), None, "within the grace");
        assert_eq!(severity("2026-03-02T03:30:00Z"), Some(Severity::Warning));
        assert_eq!(severity("2026-03-03T03:30:00Z"), Some(Severity::Critical));
        assert_eq!(late_job(nightly, None, at("2026-03-03T03:30:00Z")).map(|late| late.severity), None);
    }

    #[test]
    fn a_table_may_miss_the_nightly_that_is_going_on() {
        let (catalog, jobs) = (Catalog::load().unwrap(), journal::schedules().unwrap());
        let nightly = jobs.iter().find(|job| job.kind == NIGHTLY).unwrap();
        let since = Some(at("2026-03-01T02:30:00Z"));
        let late = |now: &str| {
            late_table(nightly, &catalog.resources()[0], since, at(now)).map(|late| late.severity)
        };
        assert_eq!(late("2026-03-02T15:00:00Z"), None);
        assert_eq!(late("2026-03-03T15:00:00Z"), Some(Severity::Warning));
        assert_eq!(late("2026-03-04T15:00:00Z"), Some(Severity::Critical));
    }
}
