//! Everybody once a round, one after the other, in an order by chance: what slows the machine down for a while slows
//! down the floor and whoever is measured beside it.

use crate::chance::Chance;
use crate::child;
use crate::contender::{CONTENDERS, Contender, FLOOR, MIRROR, Needs, OURS, PHASES, Pace, Phase, Task};
use crate::generate::{self, Snapshot};
use crate::peers::Peers;
use crate::run::{self, Cost, Outcome, Run};
use crate::server::{Contents, Server};
use crate::workload::{Workload, World};
use anyhow::{Context, Result, bail};
use catalog::Resource;
use chrono::{SecondsFormat, Utc};
use std::fs::File;
use std::path::PathBuf;
use tool::{Judge, Verdict};
use warehouse::quoted;

/// Rows from which on slow contenders run once.
const LARGE: u64 = 200_000;

/// How it is measured.
#[derive(clap::Args, Debug)]
pub(crate) struct Plan {
    /// Rounds of each table
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// No table gets more rows than this
    #[arg(long)]
    pub(crate) rows: Option<u64>,
    /// Only this table: users, rows, "real users", "real projects_users"
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Only who is called so; the floor always runs
    #[arg(long, value_name = "NAME")]
    contender: Vec<String>,
    /// What the records and the order of the contenders are made of
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Folder for the records, some 2 KB for each row
    #[arg(long)]
    folder: PathBuf,
    /// File that the runs are added to
    #[arg(long)]
    runs: PathBuf,
    /// Python environment with the loaders of others
    #[arg(long)]
    peers: PathBuf,
}

/// One table that is being measured.
struct Bench<'a> {
    plan: &'a Plan,
    workload: &'a Workload,
    resource: Resource,
    server: Server,
    snapshots: [Snapshot; 2],
    /// What the table has to hold after each of them.
    references: [Contents; 2],
    peers: Peers,
    words: File,
    session: String,
    machine: String,
}

/// Measures workloads, and adds every run to the file as it ends.
///
/// # Errors
/// [`Verdict::Failed`] when load-table or the floor fails; a peer that fails is a run too.
pub(crate) fn measure(plan: &Plan, workloads: &[Workload]) -> Result<Verdict> {
    let session = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let wanted =
        |workload: &&Workload| plan.only.is_empty() || plan.only.iter().any(|name| name == workload.name);
    for workload in workloads.iter().filter(wanted) {
        let mut bench = Bench::prepare(plan, workload, &session).with_context(|| workload.name)?;
        for round in 1..=plan.rounds {
            bench.round(round).with_context(|| format!("{}, round {round}", workload.name))?;
        }
    }
    Ok(Verdict::Done)
}

impl<'a> Bench<'a> {
    fn prepare(plan: &'a Plan, workload: &'a Workload, session: &str) -> Result<Self> {
        log::info!("{}: making {} rows", workload.name, workload.rows);
        std::fs::create_dir_all(&plan.folder)
            .with_context(|| plan.folder.display().to_string())
            .verdict(Verdict::Io)?;
        let resource = workload.resource()?;
        let mut server = Server::make(workload.world)?;
        for parent in workload.parents() {
            let resource = parent.resource()?;
            let [snapshot, _] = generate::snapshots(&parent, &resource, plan.seed, &plan.folder)?;
            server.fill(&resource, &snapshot, &quoted(&resource.table))?;
        }
        let snapshots = generate::snapshots(workload, &resource, plan.seed, &plan.folder)?;
        let references =
            [server.reference(&resource, &snapshots[0])?, server.reference(&resource, &snapshots[1])?];
        let machine = machine(&server.version()?);
        let words = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(plan.folder.join("words"))?;
        let peers = Peers { folder: plan.peers.clone() };
        let session = session.to_owned();
        Ok(Self { plan, workload, resource, server, snapshots, references, peers, words, session, machine })
    }

    fn round(&mut self, round: u32) -> Result<()> {
        let mut contenders: Vec<_> =
            CONTENDERS.iter().filter(|contender| self.takes_part(contender, round)).collect();
        Chance::of(self.plan.seed, u64::from(round)).shuffle(&mut contenders);
        for contender in contenders {
            self.server.clear(&self.resource)?;
            for phase in PHASES {
                let Some(outcome) = self.run(contender, phase)? else { continue };
                let is_over = matches!(outcome, Outcome::Failed(_));
                self.note(round, contender, phase, outcome)?;
                if is_over {
                    break;
                }
            }
        }
        Ok(())
    }

    fn takes_part(&self, contender: &Contender, round: u32) -> bool {
        let is_growth = self.workload.name == "growth";
        let is_wanted = match self.plan.contender.as_slice() {
            [] => !is_growth || contender.name == OURS,
            names => names.iter().any(|name| name == contender.name),
        };
        let is_patient = contender.pace == Pace::Usual || round == 1 || self.workload.rows < LARGE;
        // The foreign keys and indexes that the floor pays for are those of the mirror's table only.
        let is_comparable = contender.schema == MIRROR || self.workload.world == World::Plain;
        contender.name == FLOOR || is_wanted && is_patient && is_comparable
    }

    /// One load; nothing when the contender has nothing to do in that phase.
    fn run(&mut self, contender: &Contender, phase: Phase) -> Result<Option<Outcome>> {
        let lacking = match contender.needs {
            Needs::Jq if !Peers::is_jq_there() => Some("jq is not installed"),
            Needs::Peers if !self.peers.are_there() => {
                Some("not installed: scripts/bench.sh --install-peers")
            }
            _ => None,
        };
        if let Some(lacking) = lacking {
            return Ok(Some(Outcome::Failed(lacking.to_owned())));
        }
        let nth = usize::from(phase == Phase::Delta);
        let task = Task {
            resource: &self.resource,
            phase,
            snapshot: &self.snapshots[nth],
            url: self.server.url(),
            catalog: self.workload.world.folder(),
        };
        let Some(mut command) = (contender.command)(&task, &self.peers) else {
            self.stand_in(phase)?;
            return Ok(None);
        };
        command.env("DATABASE_URL", task.url).env("SLING_DISABLE_TELEMETRY", "true").env("RUST_LOG", "warn");
        command.env("TMPDIR", &self.plan.folder).env("HOME", &self.plan.folder);
        self.server.settle()?;
        let mark = self.server.mark()?;
        let load_average = load_average();
        let taken = child::run(&mut command, &mut self.words)?;
        let log_bytes = self.server.logged_since(&mark)?;
        if let Some(failure) = taken.failure {
            return Ok(Some(Outcome::Failed(failure)));
        }
        let table = format!("{}.{}", contender.schema, quoted(&self.resource.table));
        let rows_written = self.server.written_since(&mark, &table)?;
        let rows_wrong = if self.server.contents(&self.resource, &table)? == self.references[nth] {
            0
        } else {
            self.server.differences(&self.resource, &self.snapshots[nth], &table)?
        };
        Ok(Some(Outcome::Loaded(Cost {
            seconds: taken.elapsed.as_secs_f64(),
            processor_seconds: taken.processor.as_secs_f64(),
            resident_bytes: taken.resident_bytes,
            log_bytes,
            rows_written,
            rows_wrong,
            load_average,
        })))
    }

    /// Fills the table for a contender that does not, and is measured on a filled one.
    fn stand_in(&mut self, phase: Phase) -> Result<()> {
        if phase == Phase::Init {
            self.server.fill(&self.resource, &self.snapshots[0], &quoted(&self.resource.table))?;
        }
        Ok(())
    }

    fn note(&self, round: u32, contender: &Contender, phase: Phase, outcome: Outcome) -> Result<()> {
        let (workload, name) = (self.workload.name.to_owned(), contender.name.to_owned());
        match &outcome {
            Outcome::Loaded(cost) => log::info!(
                "{workload} {round}/{}: {name} {phase:?} {:.3} s, {} rows wrong",
                self.plan.rounds,
                cost.seconds,
                cost.rows_wrong
            ),
            Outcome::Failed(why) => {
                log::warn!("{workload} {round}/{}: {name} {phase:?}: {why}", self.plan.rounds)
            }
        }
        let (session, machine) = (self.session.clone(), self.machine.clone());
        let must_work = [FLOOR, OURS].contains(&contender.name);
        if let (true, Outcome::Failed(why)) = (must_work, &outcome) {
            bail!("{name} {phase:?}: {why}");
        }
        let rows = self.workload.rows;
        run::add(
            &self.plan.runs,
            &Run { session, machine, workload, rows, round, contender: name, phase, outcome },
        )
    }
}

/// Where it is measured, in one line.
fn machine(server: &str) -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(':').nth(1)).map(|value| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let kib = memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default();
    let model = field(&read("/proc/cpuinfo"), "model name");
    format!("{cores} cores of {model}, {} GiB, PostgreSQL {server}", kib.div_ceil(1024 * 1024))
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}
