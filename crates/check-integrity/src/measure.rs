//! One look: exports are staged, a snapshot is taken, and every check looks into that one snapshot.

use crate::checks::{Body, Check, ERASED, Side, freshness};
use crate::finding::{self, Finding};
use crate::keys::Writing;
use crate::level::Level;
use crate::snapshot::{self, Group, Groups, Snapshot};
use crate::staging::{self, Silence, Staged};
use anyhow::{Context, Result};
use catalog::Catalog;
use chrono::{DateTime, Utc};
use postgres::Client;
use serde_json::Map;
use std::collections::BTreeMap;
use std::time::Instant;
use warehouse::fault;

/// What a run saw.
pub(crate) struct Measured {
    /// When the snapshot was taken, by the database's clock.
    pub(crate) taken: DateTime<Utc>,
    pub(crate) people: i64,
    pub(crate) results: Vec<Outcome>,
    pub(crate) seconds: f64,
}

/// What became of a check.
pub(crate) struct Outcome {
    pub(crate) check: Check,
    pub(crate) state: State,
    pub(crate) seconds: f64,
}

pub(crate) enum State {
    Seen(Seen),
    Silent(Silence),
}

/// What a check saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) total: i64,
    pub(crate) inconsistent: i64,
    /// Findings, those that are not shown included.
    pub(crate) findings: i64,
    pub(crate) shown: Vec<Finding>,
}

/// What is looked at, and how.
pub(crate) struct Look<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) cursus: u64,
    pub(crate) writing: Writing,
}

type Stages<'a> = BTreeMap<String, Result<Staged<'a>, Silence>>;

impl Outcome {
    /// How it is; none when there was nothing to compare, or it waits.
    pub(crate) fn level(&self) -> Option<Level> {
        match &self.state {
            State::Seen(seen) => {
                let worst = seen.shown.iter().map(|finding| finding.severity).max().unwrap_or_default();
                Level::of_check(seen.total, seen.inconsistent, worst, self.check.weight)
            }
            State::Silent(Silence::Failed(_)) => Some(Level::Unknown),
            State::Silent(_) => None,
        }
    }

    /// Why it says nothing.
    pub(crate) fn reason(&self) -> Option<&str> {
        match &self.state {
            State::Seen(seen) if seen.total == 0 => Some("there is nothing to compare"),
            State::Seen(_) => None,
            State::Silent(
                Silence::Inapplicable(reason) | Silence::Waiting(reason) | Silence::Failed(reason),
            ) => Some(reason),
        }
    }
}

impl Look<'_> {
    /// Does the checks.
    ///
    /// # Errors
    /// When the database is away or is not ours. A check that fails is an [`Outcome`].
    pub(crate) fn at(&self, client: &mut Client, checks: Vec<Check>) -> Result<Measured> {
        let began = Instant::now();
        let mut stages = self.stage(client, &checks)?;
        let mut snapshot = Snapshot::take(client, &checks)?;
        for stage in stages.values_mut() {
            prepare(&mut snapshot, stage)?;
        }
        let mut results = Vec::new();
        for check in checks {
            let began = Instant::now();
            let state = self.look(&mut snapshot, &stages, &check);
            let state = state.unwrap_or_else(|error| State::Silent(Silence::Failed(format!("{error:#}"))));
            results.push(Outcome { check, state, seconds: began.elapsed().as_secs_f64() });
        }
        let (people, taken) = (snapshot.people(self.catalog)?, snapshot.taken);
        snapshot.transaction.rollback().map_err(|error| fault(&error)).context("ending the snapshot")?;
        Ok(Measured { taken, people, results, seconds: began.elapsed().as_secs_f64() })
    }

    /// Brings in the exports that checks want.
    fn stage(&self, client: &mut Client, checks: &[Check]) -> Result<Stages<'_>> {
        let mut stages = BTreeMap::new();
        for resource in self.catalog.resources() {
            let wants = |check: &Check| {
                matches!(check.body, Body::Export(_)) && check.table.as_ref() == Some(&resource.table)
            };
            if checks.iter().any(wants) {
                let stage = staging::stage(client, self.catalog, resource, self.cursus, self.writing)?;
                stages.insert(resource.table.clone(), stage);
            }
        }
        Ok(stages)
    }

    fn look(&self, snapshot: &mut Snapshot<'_>, stages: &Stages<'_>, check: &Check) -> Result<State> {
        if let Some(silence) = snapshot.silence(check) {
            return Ok(State::Silent(silence));
        }
        let (cursus, taken) = (self.cursus, snapshot.taken);
        let statement = match &check.body {
            Body::Units(units) => snapshot::grouped(units),
            Body::Groups(groups) => groups.clone(),
            Body::Export(side) => match self.of_export(stages, check, *side) {
                Ok(statement) => statement,
                Err(silence) => return Ok(State::Silent(silence)),
            },
            Body::Schedules => {
                let found = snapshot.apart(|inner| freshness::look(inner, self.catalog, cursus, taken))?;
                return Ok(State::Seen(self.late(check, found)));
            }
        };
        let statement = statement.replace(ERASED, snapshot.erased);
        let groups = snapshot.apart(|inner| snapshot::groups(inner, &statement))?;
        Ok(State::Seen(self.seen(check, groups)))
    }

    fn of_export(&self, stages: &Stages<'_>, check: &Check, side: Side) -> Result<String, Silence> {
        let stage = check.table.as_ref().and_then(|table| stages.get(table));
        match stage {
            Some(Ok(staged)) => staged.statement(self.catalog, side),
            Some(Err(silence)) => Err(silence.clone()),
            None => Err(Silence::Failed("the export was not staged".to_owned())),
        }
    }

    fn seen(&self, check: &Check, groups: Groups) -> Seen {
        let Groups { total, inconsistent, findings, shown } = groups;
        let shown = shown.into_iter().map(|group| self.finding(check, group)).collect();
        Seen { total, inconsistent, findings, shown }
    }

    fn finding(&self, check: &Check, group: Group) -> Finding {
        let remedy = check.mend.remedy(&group.subject);
        let side = |source: &str, value| finding::Side { source: source.to_owned(), value };
        let mut finding = Finding {
            check: check.name.clone(),
            table: check.table.clone(),
            left: side(&check.left, group.left),
            right: side(&check.right, group.right),
            subject: group.subject,
            severity: check.severity,
            rows: group.rows,
            recommended_action: remedy.action.name(),
            command: remedy.command(self.catalog),
            also: Map::new(),
            history: None,
            remedy,
        };
        finding.add(&check.also);
        finding
    }

    fn late(&self, check: &Check, found: freshness::Found) -> Seen {
        let count = found.late.len();
        let shown = found.late.into_iter().map(|late| {
            let side = |(source, value)| finding::Side { source, value };
            Finding {
                check: check.name.clone(),
                table: None,
                subject: late.subject,
                left: side(late.left),
                right: side(late.right),
                severity: late.severity,
                rows: 1,
                recommended_action: late.remedy.action.name(),
                command: late.remedy.command(self.catalog),
                also: Map::new(),
                history: None,
                remedy: late.remedy,
            }
        });
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Seen { total: found.looked_at, inconsistent: count, findings: count, shown: shown.collect() }
    }
}

/// Writes down where an export and its table differ, if they may be compared now.
fn prepare(snapshot: &mut Snapshot<'_>, stage: &mut Result<Staged<'_>, Silence>) -> Result<()> {
    let Ok(staged) = stage else { return Ok(()) };
    let outcome = match staged.silence(&mut snapshot.transaction, Utc::now())? {
        Some(silence) => Some(silence),
        None => snapshot
            .apart(|inner| staged.compare(inner))
            .err()
            .map(|error| Silence::Failed(format!("{error:#}"))),
    };
    if let Some(silence) = outcome {
        *stage = Err(silence);
    }
    Ok(())
}
