//! What each command does.

use crate::Command;
use crate::ending::Ending;
use crate::intake;
use crate::item::{Asked, Item};
use crate::journal::{Journal, listed};
use crate::plan::Plan;
use crate::process::{Tally, Worker};
use crate::settings::Settings;
use crate::status::Status;
use crate::store::{self, Store};
use anyhow::{Result, anyhow};
use catalog::Catalog;
use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use tool::{Judge, Verdict, print, printable};

/// Runs a command; prints what came of it.
pub(crate) fn run(command: &Command, json: bool) -> Result<Verdict> {
    let settings = Settings::from_environment()?;
    let store = store::open(&settings);
    let desk = Desk { settings, store, json };
    match command {
        Command::Add { id, reason } => desk.add(id, reason.as_deref().unwrap_or_default()),
        Command::List { limit } => desk.list(limit.unwrap_or(usize::MAX)),
        Command::Status => desk.status(),
        Command::Process { test: true, .. } => desk.rehearse(),
        Command::Process { watch, .. } => desk.process(*watch),
        Command::MarkProcessed { ids } => desk.mark(&intake::arguments(ids)?),
        Command::About { ids } => desk.about(&intake::ids(ids)?),
        Command::Forget { ids } => desk.forget(&intake::ids(ids)?),
        Command::Clear { yes, dead } => desk.clear(*yes, *dead),
        Command::Retry { ids } => desk.retry(&intake::arguments(ids)?),
        Command::Dead => desk.dead(),
    }
}

struct Desk {
    settings: Settings,
    store: Box<dyn Store>,
    json: bool,
}

impl Desk {
    fn add(mut self, id: &str, reason: &str) -> Result<Verdict> {
        let asked = if id == "-" {
            intake::lines(std::io::stdin().lock(), reason)?
        } else {
            let ids = intake::arguments(&[id.to_owned()])?;
            ids.into_iter().map(|id| Asked { id, reason: intake::reason(reason) }).collect()
        };
        let journal = Journal::open(&self.settings.logs)?;
        let added = if asked.is_empty() { store::Added::default() } else { self.store.add(&asked)? };
        let ids: Vec<i64> = asked.iter().map(|one| one.id).collect();
        let counts = format!("{} added, {} were there, {} dead", added.added, added.known, added.dead);
        journal.info(&format!("asked for {}: {counts}", listed(&ids)));
        self.say(&added, &counts)?;
        if added.dead > 0 {
            complain(&format!("{} dead: backlog dead says why, backlog retry brings them back", added.dead));
        }
        Ok(Verdict::Done)
    }

    fn list(mut self, limit: usize) -> Result<Verdict> {
        let snapshot = self.store.read()?;
        let shown: Vec<&Item> = snapshot.pending.iter().take(limit).collect();
        let row = |item: &&Item| {
            let state = match &item.lease {
                Some(lease) => format!("leased by {}", lease.owner),
                None if item.due > snapshot.now => format!("due {}", instant(item.due)),
                None => "due".to_owned(),
            };
            let attempts = format!("{} failed", item.attempts);
            [item.id.to_string(), instant(item.added), attempts, state, item.reason.clone()]
        };
        self.rows(&shown, row)
    }

    fn dead(mut self) -> Result<Verdict> {
        let snapshot = self.store.read()?;
        let shown: Vec<&Item> = snapshot.dead.iter().collect();
        let row = |item: &&Item| {
            let died = item.died.map_or("-".to_owned(), instant);
            let error = item.error.clone().unwrap_or_default();
            [item.id.to_string(), died, format!("{} failed", item.attempts), item.reason.clone(), error]
        };
        self.rows(&shown, row)
    }

    fn status(mut self) -> Result<Verdict> {
        let status = Status::of(&self.store.count()?, &self.settings);
        self.say(&status, status.text().trim_end())?;
        Ok(Verdict::Done)
    }

    fn mark(mut self, ids: &[i64]) -> Result<Verdict> {
        let journal = Journal::open(&self.settings.logs)?;
        let marked = self.store.mark(ids)?;
        let unknown = ids.len() as u64 - marked;
        journal.info(&format!("marked as processed {}: {marked} were there", listed(ids)));
        let text = format!("{marked} marked as processed, {unknown} not in the backlog");
        self.say(&json!({"marked": marked, "unknown": unknown}), &text)?;
        Ok(Verdict::Done)
    }

    fn retry(mut self, ids: &[i64]) -> Result<Verdict> {
        let journal = Journal::open(&self.settings.logs)?;
        let retried = self.store.retry(ids)?;
        let which = if ids.is_empty() { "all the dead".to_owned() } else { listed(ids) };
        journal.info(&format!("retry of {which}: {retried} are due now"));
        self.say(&json!({"retried": retried}), &format!("{retried} are due now"))?;
        Ok(Verdict::Done)
    }

    fn about(mut self, ids: &[i64]) -> Result<Verdict> {
        let snapshot = self.store.read()?;
        let (waiting, dead) = (snapshot.pending.iter(), snapshot.dead.iter());
        let items = waiting.map(|item| ("pending", item)).chain(dead.map(|item| ("dead", item)));
        let items = items.map(|(pile, item)| (pile, item.id, item.added, &item.reason, json!(item)));
        let processed = snapshot.processed.iter();
        let processed =
            processed.filter_map(|one| Some(("processed", one.id, one.processed?, &one.reason, json!(one))));
        let mut text = String::new();
        for (pile, id, at, reason, all) in items.chain(processed).filter(|(_, id, ..)| ids.contains(id)) {
            if self.json {
                writeln!(text, "{}", json!({"pile": pile, "entry": all}))?;
            } else {
                writeln!(text, "{id:>9}  {}  {pile}  {}", instant(at), printable(reason))?;
            }
        }
        print(&text).map(|()| Verdict::Done)
    }

    fn forget(mut self, ids: &[i64]) -> Result<Verdict> {
        let forgotten = self.store.forget(ids)?;
        if forgotten > 0 {
            let journal = Journal::open(&self.settings.logs)?;
            journal.info(&format!("forgot {}: {forgotten} entries", listed(ids)));
        }
        self.say(&json!({"forgotten": forgotten}), &format!("{forgotten} entries forgotten"))?;
        Ok(Verdict::Done)
    }

    fn clear(mut self, yes: bool, dead: bool) -> Result<Verdict> {
        let what = if dead { "who are dead" } else { "who wait" };
        if !yes && !confirmed(&format!("Forget all {what}?"))? {
            return Err(
                anyhow!("nothing was forgotten; --yes says so without a question").verdict(Verdict::Usage)
            );
        }
        let journal = Journal::open(&self.settings.logs)?;
        let ids = self.store.clear(dead)?;
        journal.warn(&format!("forgot all {what}: {}", listed(&ids)));
        self.say(&json!({"cleared": ids.len(), "ids": ids}), &format!("{} forgotten", ids.len()))?;
        Ok(Verdict::Done)
    }

    /// What process would do first; missing parents and failures aside, which nobody knows yet.
    fn rehearse(mut self) -> Result<Verdict> {
        let catalog = Catalog::load()?;
        let plan = Plan::of(&catalog)?;
        let snapshot = self.store.read()?;
        let due = snapshot.pending.iter().filter(|item| item.lease.is_none() && item.due <= snapshot.now);
        let due: Vec<i64> = due.map(|item| item.id).collect();
        let commands: Vec<String> = std::iter::once(plan.people)
            .chain(plan.hanging.iter().copied())
            .map(|table| {
                let (tool, table) = (table.group.tool(), &table.table);
                format!("{tool} {table} --ids - | load-table {table}")
            })
            .collect();
        let mut text = String::new();
        for (number, ids) in due.chunks(self.settings.batch).enumerate() {
            let line = if self.json {
                json!({"batch": number + 1, "ids": ids, "commands": commands}).to_string()
            } else {
                format!("batch {}: {}\n  {}", number + 1, listed(ids), commands.join("\n  "))
            };
            writeln!(text, "{line}")?;
        }
        if due.is_empty() && !self.json {
            text.push_str("nothing is due\n");
        }
        print(&text)?;
        Ok(Verdict::Done)
    }

    fn process(self, watch: bool) -> Result<Verdict> {
        let catalog = Catalog::load()?;
        let plan = Plan::of(&catalog)?;
        let ending = Ending::listen();
        let journal = Journal::open(&self.settings.logs)?;
        let (settings, json) = (self.settings, self.json);
        let mut worker = Worker {
            settings: &settings,
            plan: &plan,
            ending: &ending,
            journal: &journal,
            store: self.store,
        };
        let mut is_away = false;
        loop {
            match worker.round() {
                Ok(tally) => {
                    is_away = false;
                    say_tally(&tally, json, watch)?;
                    if !watch {
                        let failed = tally.retried + tally.dead > 0;
                        return Ok(if failed { Verdict::SetAside } else { Verdict::Done });
                    }
                }
                Err(error) if watch && passes(Verdict::of(&error)) => {
                    // Once for each outage; the log has every look.
                    if !is_away {
                        complain(&format!("{error:#}; looking again every {:?}", settings.poll_interval));
                    }
                    is_away = true;
                }
                Err(error) => return Err(error),
            }
            std::thread::sleep(settings.poll_interval);
        }
    }

    fn say(&self, data: &impl Serialize, text: &str) -> Result<()> {
        let line = if self.json { serde_json::to_string(data)? } else { text.to_owned() };
        print(&format!("{line}\n"))
    }

    fn rows(&self, items: &[&Item], row: impl Fn(&&Item) -> [String; 5]) -> Result<Verdict> {
        let mut text = String::new();
        for item in items {
            if self.json {
                writeln!(text, "{}", serde_json::to_string(item)?)?;
            } else {
                let cells = row(item).map(|cell| printable(&cell));
                let [id, added, attempts, state, last] = &cells;
                writeln!(text, "{id:>9}  {added}  {attempts}  {state}  {last}")?;
            }
        }
        print(&text).map(|()| Verdict::Done)
    }
}

/// What a worker that goes on for ever waits out.
const fn passes(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Unreachable | Verdict::Busy)
}

fn say_tally(tally: &Tally, json: bool, watch: bool) -> Result<()> {
    let Tally { missing_added, loaded, absent, retried, dead, seconds } = *tally;
    if watch && missing_added + loaded + absent + retried + dead == 0 {
        return Ok(());
    }
    if json {
        return print(&format!("{}\n", serde_json::to_string(tally)?));
    }
    let aside = format!("{retried} to be tried again, {dead} dead");
    print(&format!(
        "{loaded} loaded, {absent} absent, {aside}, {missing_added} missing found, {seconds:.1} s\n"
    ))
}

/// Asks a person; who is none says no.
fn confirmed(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    write!(std::io::stderr().lock(), "{question} [y/N] ").verdict(Verdict::Io)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).verdict(Verdict::Io)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A word for people.
fn complain(line: &str) {
    tool::complain(&format!("backlog: {}", printable(line)));
}
