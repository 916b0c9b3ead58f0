//! Drains the backlog: claims a batch, has it fetched and loaded, takes out what is done, and finds out whose fault it is
//! when it is not.
//!
//! A batch that fails in a way that may be one id's fault is halved until that id stands alone. When the API seems to be
//! away, other ids are the control: if they can be fetched, it was not away. As long as nothing works, nobody is blamed.

use crate::ending::Ending;
use crate::heartbeat::Heartbeat;
use crate::item::{Asked, Outcome};
use crate::journal::{Journal, listed};
use crate::metrics;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::store::{Failed, Store};
use crate::work::{self, Came};
use anyhow::{Result, anyhow};
use chrono::TimeDelta;
use serde::Serialize;
use std::collections::{HashSet, VecDeque};
use std::time::Instant;
use tool::{Judge, Verdict};

/// Batches in a row that may fail as if the API were away before it is taken for away. Two ids that are at fault, alone in
/// the backlog, are told from it by fewer.
const PATIENCE: usize = 5;
/// Ids in a row that may fail alone before it is taken for the fault of something that they share.
const ALL_ALIKE: u32 = 10;
/// Why a missing parent is there.
const MISSING: &str = "missing parent";
/// How long one whom the API does not give is not asked for again.
const ABSENCE: TimeDelta = TimeDelta::days(7);
/// How long one who was loaded, and is missing all the same because the row was set aside, is not asked for again.
const SET_ASIDE: TimeDelta = TimeDelta::hours(1);

/// What a round did.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) missing_added: u64,
    pub(crate) loaded: u64,
    pub(crate) absent: u64,
    /// Failed attempts that will be repeated.
    pub(crate) retried: u64,
    pub(crate) dead: u64,
    pub(crate) seconds: f64,
}

/// A process that drains the backlog.
pub(crate) struct Worker<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) ending: &'a Ending,
    pub(crate) journal: &'a Journal,
    pub(crate) store: Box<dyn Store>,
}

/// What is still to be done of what was claimed.
#[derive(Debug, Default)]
struct Open {
    groups: VecDeque<Vec<i64>>,
    /// Alone and failed, and nothing has worked since.
    suspects: Vec<(i64, Verdict, String)>,
    /// Batches that failed as if the API were away, since something worked.
    doubtful: usize,
    /// Whether something has worked after such a batch, among what was claimed with it.
    is_there: bool,
    /// Ids that failed alone, since something worked.
    blamed: u32,
}

impl Worker<'_> {
    /// Collects missing parents and works until nothing is due.
    ///
    /// # Errors
    /// With the verdict of the tool that could not work for no fault of an id; all claims are given back then.
    pub(crate) fn round(&mut self) -> Result<Tally> {
        let started = Instant::now();
        let busy = self.ending.busy();
        let mut tally = Tally { missing_added: self.collect_missing()?, ..Tally::default() };
        let heartbeat = Heartbeat::start(self.settings);
        let outcome = self.drain(&mut tally);
        drop(heartbeat);
        if let Err(error) = &outcome {
            self.journal.error(&format!("ended: {error:#}"));
            match self.store.release() {
                Ok(released) => self.journal.info(&format!("gave {released} back")),
                Err(error) => self.journal.warn(&format!("leases are left to run out: {error:#}")),
            }
        }
        drop(busy);
        let written = metrics::write(self.store.as_mut(), self.settings);
        tally.seconds = started.elapsed().as_secs_f64();
        // Why the work ended counts more than a file of numbers.
        outcome.and(written).map(|()| tally)
    }

    /// Adds the people that rows in quarantine wait for, but for those who were asked for lately.
    fn collect_missing(&mut self) -> Result<u64> {
        let missing = work::missing(self.plan, self.ending)?;
        if missing.is_empty() {
            return Ok(0);
        }
        let snapshot = self.store.read()?;
        let lately: HashSet<i64> = snapshot
            .processed
            .iter()
            .filter(|one| {
                let memory = if one.outcome == Some(Outcome::Absent) { ABSENCE } else { SET_ASIDE };
                one.processed.is_some_and(|at| at > snapshot.now - memory)
            })
            .map(|one| one.id)
            .collect();
        let waiting: HashSet<i64> =
            snapshot.pending.iter().chain(&snapshot.dead).map(|item| item.id).collect();
        let wanted = |id: &i64| !lately.contains(id) && !waiting.contains(id);
        let asked: Vec<Asked> =
            missing.into_iter().filter(wanted).map(|id| Asked { id, reason: MISSING.to_owned() }).collect();
        if asked.is_empty() {
            return Ok(0);
        }
        let added = self.store.add(&asked)?.added;
        self.journal.info(&format!("added {added} that rows in quarantine wait for"));
        Ok(added)
    }

    fn drain(&mut self, tally: &mut Tally) -> Result<()> {
        let mut open = Open::default();
        loop {
            let group = match open.groups.pop_front() {
                Some(group) => group,
                None => {
                    open.is_there = false;
                    self.claim()?
                }
            };
            if group.is_empty() {
                break;
            }
            let started = Instant::now();
            match work::on(self.plan, self.ending, &group)? {
                Came::Loaded(present) => {
                    self.settle(&group, &present, started.elapsed().as_secs_f64(), tally)?;
                    open.is_there |= open.doubtful > 0;
                    (open.doubtful, open.blamed) = (0, 0);
                    for (id, _, error) in std::mem::take(&mut open.suspects) {
                        self.blame(id, &error, tally)?;
                    }
                }
                Came::Refused(error) => match group.as_slice() {
                    [id] => {
                        self.blame(*id, &error, tally)?;
                        open.blamed += 1;
                        if open.blamed >= ALL_ALIKE {
                            let last = "failed one after the other, the rest waits; the last";
                            return Err(anyhow!("{ALL_ALIKE} users {last}: {error}"));
                        }
                    }
                    _ => self.halve(&mut open, &group, &error),
                },
                Came::Doubtful(_, error) if open.is_there && group.len() == 1 => {
                    self.blame(group[0], &error, tally)?;
                }
                Came::Doubtful(verdict, error) => self.doubt(&mut open, &group, verdict, error)?,
                Came::World(verdict, error) => return Err(anyhow!(error).verdict(verdict)),
            }
        }
        match open.suspects.pop() {
            // Nothing has worked since: it may have been the world.
            Some((_, verdict, error)) => Err(anyhow!(error).verdict(verdict)),
            None => Ok(()),
        }
    }

    /// Takes a batch apart that failed as if the API were away, and has others tried before its parts: they are the
    /// control.
    fn doubt(&mut self, open: &mut Open, group: &[i64], verdict: Verdict, error: String) -> Result<()> {
        open.doubtful += 1;
        match group {
            [id] => open.suspects.push((*id, verdict, error.clone())),
            _ => self.halve(open, group, &error),
        }
        let control = self.claim()?;
        let nothing_left = open.groups.is_empty() && control.is_empty();
        if open.doubtful >= PATIENCE || nothing_left {
            return Err(anyhow!(error).verdict(verdict));
        }
        if !control.is_empty() {
            open.groups.push_front(control);
        }
        Ok(())
    }

    fn claim(&mut self) -> Result<Vec<i64>> {
        let items = self.store.claim(self.settings.batch)?;
        Ok(items.into_iter().map(|item| item.id).collect())
    }

    fn halve(&self, open: &mut Open, group: &[i64], error: &str) {
        self.journal.warn(&format!("{} failed together and are halved: {error}", group.len()));
        let (left, right) = group.split_at(group.len() / 2);
        open.groups.extend([left.to_vec(), right.to_vec()]);
    }

    fn settle(
        &mut self,
        group: &[i64],
        present: &HashSet<i64>,
        seconds: f64,
        tally: &mut Tally,
    ) -> Result<()> {
        let outcome = |id: &i64| if present.contains(id) { Outcome::Loaded } else { Outcome::Absent };
        let done: Vec<(i64, Outcome)> = group.iter().map(|id| (*id, outcome(id))).collect();
        self.store.settle(&done, seconds)?;
        let (loaded, absent): (Vec<i64>, Vec<i64>) = group.iter().partition(|id| present.contains(id));
        tally.loaded += loaded.len() as u64;
        tally.absent += absent.len() as u64;
        self.journal.info(&format!("loaded {}, absent {}, {seconds:.1} s", listed(&loaded), listed(&absent)));
        metrics::write(self.store.as_mut(), self.settings)
    }

    fn blame(&mut self, id: i64, error: &str, tally: &mut Tally) -> Result<()> {
        match self.store.fail(id, error)? {
            Some(Failed::Delayed { seconds, attempts }) => {
                tally.retried += 1;
                self.journal.warn(&format!("{id} failed {attempts} times, again in {seconds:.0} s: {error}"));
            }
            Some(Failed::Dead { attempts }) => {
                tally.dead += 1;
                self.journal.error(&format!("{id} failed {attempts} times and is dead: {error}"));
            }
            None => self.journal.warn(&format!("{id} failed, but others have it now: {error}")),
        }
        Ok(())
    }
}
