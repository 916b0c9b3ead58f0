//! What each command does.

use crate::folders::{Folders, Mode};
use crate::memory::Memory;
use crate::report::Report;
use crate::traces::{Traces, is_due};
use crate::{Arguments, Command, backlog};
use anyhow::{Context, Result, anyhow};
use catalog::Catalog;
use exports::Fate;
use serde_json::json;
use std::collections::{BTreeSet, HashSet};
use std::io::{BufRead, Write};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};
use tool::{Judge, Verdict, print, printable};
use warehouse::Ending;
use warehouse::erase::{Erasure, Tombstone, allow, held, tombstones, vacuum};

/// The API keeps ids in 32 bits.
const IDS: RangeInclusive<i64> = 1..=2_147_483_647;

/// Runs a command; prints what came of it.
pub(crate) fn run(arguments: &Arguments) -> Result<Verdict> {
    let patience = Duration::from_secs(arguments.wait);
    let desk = Desk { catalog: Catalog::load()?, patience, json: arguments.json };
    match &arguments.command {
        Command::Run { dry_run, max_erase } => {
            let mode = if *dry_run { Mode::Count } else { Mode::Rewrite };
            desk.erase(&Order { requested: BTreeSet::new(), due: Some(*max_erase), mode })
        }
        Command::Erase { ids } => {
            desk.erase(&Order { requested: parse(ids)?, due: None, mode: Mode::Rewrite })
        }
        Command::Export { id } => desk.export(&parse(std::slice::from_ref(id))?),
        Command::List => desk.list(),
        Command::Allow { ids } => desk.allow(&parse(ids)?),
        Command::Remember => desk.remember(),
    }
}

struct Desk {
    catalog: Catalog,
    patience: Duration,
    json: bool,
}

/// Who is to be erased.
struct Order {
    requested: BTreeSet<i64>,
    /// Whether who is due is; then the largest share of the people that may be.
    due: Option<f64>,
    mode: Mode,
}

impl Desk {
    fn erase(&self, order: &Order) -> Result<Verdict> {
        let began = Instant::now();
        let memory = Memory::open(self.patience)?;
        let mut report = Report { dry_run: order.mode == Mode::Count, ..Report::default() };
        let stones = self.erase_from_database(order, &memory, &mut report)?;
        let traces = Traces::of(&self.catalog, standing(&stones))?;
        report.kept_away = traces.len() as u64;
        if order.mode == Mode::Rewrite {
            memory.write(&stones).unwrap_or_else(|error| report.trouble(error));
            self.vacuum().unwrap_or_else(|error| report.trouble(error));
        }
        let folders = Folders::find(&self.catalog)?;
        folders.sweep(&traces, order.mode, self.patience, &mut report);
        let ids = stones.iter().filter(|stone| stone.stands()).map(|stone| stone.user_id).collect();
        let forgotten = match order.mode {
            Mode::Rewrite => backlog::forget(&ids),
            Mode::Count => backlog::about(&ids).map(|entries| entries.len() as u64),
        };
        match forgotten {
            Ok(entries) => report.backlog = entries,
            Err(error) => report.trouble(error),
        }
        report.seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        let text =
            if self.json { serde_json::to_string(&report)? + "\n" } else { printable_lines(&report.text()) };
        print(&text)?;
        report.first.map_or(Ok(Verdict::Done), Err)
    }

    /// The part of it that is one transaction; gives the tombstones as they are then.
    fn erase_from_database(
        &self,
        order: &Order,
        memory: &Memory,
        report: &mut Report,
    ) -> Result<Vec<Tombstone>> {
        let mut client = warehouse::connect("purge-people")?;
        let mut erasure = Erasure::begin(&mut client, &self.catalog)?;
        erasure.remember(&memory.known)?;
        report.requested = order.requested.iter().copied().collect();
        erasure.request(&report.requested)?;
        if let Some(most) = order.due {
            report.due = erasure.due(most)?;
        }
        let stones = erasure.tombstones()?;
        let traces = Traces::of(&self.catalog, standing(&stones))?;
        report.tables = erasure.delete_rows()?;
        let now = erasure.now()?;
        report.quarantine = erasure.sift_quarantine(&mut |resource, record| {
            if is_due(resource, record, now) { Fate::Drop } else { traces.fate(resource, record) }
        })?;
        let ending = if order.mode == Mode::Rewrite { Ending::Commit } else { Ending::Rollback };
        erasure.end(ending).map(|()| stones)
    }

    fn vacuum(&self) -> Result<()> {
        vacuum(&mut warehouse::connect("purge-people")?, &self.catalog)
    }

    fn export(&self, ids: &BTreeSet<i64>) -> Result<Verdict> {
        let [person] = Vec::from_iter(ids.iter().copied())[..] else {
            return Err(anyhow!("export is about one person at a time").verdict(Verdict::Usage));
        };
        let traces = Traces::of(&self.catalog, HashSet::from([person.unsigned_abs()]))?;
        let mut stdout = std::io::stdout().lock();
        let mut lines = 0_u64;
        let mut give = |line: serde_json::Value| {
            lines += 1;
            writeln!(stdout, "{line}").context("standard output").verdict(Verdict::Io)
        };
        let mut client = warehouse::connect("purge-people")?;
        let is_about = |resource: &catalog::Resource, record: &str| traces.is_about(resource, record);
        held(&mut client, &self.catalog, person, &is_about, &mut give)?;
        backlog::about(ids)?.into_iter().try_for_each(&mut give)?;
        Folders::find(&self.catalog)?.held(&traces, &mut give)?;
        stdout.flush().context("standard output").verdict(Verdict::Io)?;
        if lines == 0 {
            tool::complain(&format!("purge-people: nothing is held about {person}"));
        }
        Ok(Verdict::Done)
    }

    fn list(&self) -> Result<Verdict> {
        let mut text = String::new();
        for stone in tombstones(&mut warehouse::connect("purge-people")?)? {
            if self.json {
                text.push_str(&serde_json::to_string(&stone)?);
            } else {
                let instant =
                    |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                let lifted =
                    stone.lifted_at.map_or_else(String::new, |at| format!("  lifted {}", instant(at)));
                let (id, why) = (stone.user_id, stone.why.to_string());
                text.push_str(&format!("{id:>9}  {}  {why:<7}{lifted}", instant(stone.erased_at)));
            }
            text.push('\n');
        }
        print(&text).map(|()| Verdict::Done)
    }

    fn allow(&self, ids: &BTreeSet<i64>) -> Result<Verdict> {
        let memory = Memory::open(self.patience)?;
        self.agree(&memory)?;
        let mut client = warehouse::connect("purge-people")?;
        let lifted = allow(&mut client, &Vec::from_iter(ids.iter().copied()))?;
        memory.write(&tombstones(&mut client)?)?;
        self.say(&json!({"lifted": lifted}), &format!("{lifted} may be mirrored again"))
    }

    fn remember(&self) -> Result<Verdict> {
        let memory = Memory::open(self.patience)?;
        let (news, stones) = self.agree(&memory)?;
        let standing = standing(&stones).len();
        let text = format!("{standing} are kept away, {news} of the tombstones were news to the database");
        self.say(&json!({"kept_away": standing, "news": news}), &text)
    }

    /// Makes file and table agree.
    fn agree(&self, memory: &Memory) -> Result<(u64, Vec<Tombstone>)> {
        let mut client = warehouse::connect("purge-people")?;
        let mut erasure = Erasure::begin(&mut client, &self.catalog)?;
        let news = erasure.remember(&memory.known)?;
        let stones = erasure.tombstones()?;
        erasure.end(Ending::Commit)?;
        memory.write(&stones)?;
        Ok((news, stones))
    }

    fn say(&self, data: &serde_json::Value, text: &str) -> Result<Verdict> {
        print(&if self.json { format!("{data}\n") } else { format!("{text}\n") }).map(|()| Verdict::Done)
    }
}

/// The ids of those who are kept away.
fn standing(stones: &[Tombstone]) -> HashSet<u64> {
    stones.iter().filter(|stone| stone.stands()).map(|stone| stone.user_id.unsigned_abs()).collect()
}

/// Ids of the command line, or of standard input.
fn parse(texts: &[String]) -> Result<BTreeSet<i64>> {
    if texts != ["-"] {
        return texts.iter().map(|text| id(text)).collect::<Result<_>>().verdict(Verdict::Usage);
    }
    let mut ids = BTreeSet::new();
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.context("standard input").verdict(Verdict::Io)?;
        if !line.trim().is_empty() {
            let place = || format!("standard input, line {}", number + 1);
            ids.insert(id(line.trim()).with_context(place).verdict(Verdict::Refused)?);
        }
    }
    Ok(ids)
}

/// An id; what is none is not repeated, because it may be a name.
fn id(text: &str) -> Result<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|id| is_number && IDS.contains(id));
    id.context("that is no id: a whole number from 1; logins and names are not taken")
}

fn printable_lines(text: &str) -> String {
    text.lines().map(|line| printable(line) + "\n").collect()
}
