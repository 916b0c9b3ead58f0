//! bench: what a load costs, beside the floor and what others need for the same. For developers; scripts/bench.sh runs it.
//!
//! # Layout
//! - `workload`: what is loaded. `generate`: its records, from a seed.
//! - `contender`: who loads it, and how. `peers`: those that are no program of ours and not psql alone.
//! - `server`: what PostgreSQL says before and after. `child`: what the system says of a process.
//! - `rounds`: everybody once a round, in an order by chance. `run`: one measured load, a line of NDJSON.
//! - `ratio`: time over the floor of the same round, or nothing. `table`, `growth`: the same as Markdown.

mod chance;
mod child;
mod contender;
mod generate;
mod growth;
mod peers;
mod ratio;
mod rounds;
mod run;
mod server;
mod table;
mod workload;

use anyhow::Result;
use clap::Parser;
use rounds::Plan;
use std::path::PathBuf;
use std::process::ExitCode;
use tool::{Deadline, Verdict};

/// Measure what a load costs, beside raw COPY and other loaders
///
/// Makes two databases of its own on the server that DATABASE_URL names, and fills and empties them: never give it a server
/// that is in use. scripts/bench.sh brings up a private one. Every run is a line of NDJSON in the file given with --runs;
/// the tables are made of those lines, and no ratio is printed of a run without the floor of its own round.
#[derive(Parser)]
#[command(name = "bench", version, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    deadline: Deadline,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Measure every contender in rounds
    Measure(Plan),
    /// Measure load-table alone, at 10,000 rows and ten times as many up to --rows
    Growth(Plan),
    /// Print the tables of runs that were measured
    Table {
        /// Files of runs
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<Verdict> {
    arguments.deadline.start("bench");
    match &arguments.action {
        Action::Measure(plan) => rounds::measure(plan, &workload::usual(plan.rows)),
        Action::Growth(plan) => rounds::measure(plan, &workload::growing(plan.rows)),
        Action::Table { files } => {
            let runs = run::read(files)?;
            tool::print(&[table::markdown(&runs)?, growth::markdown(&runs)?].concat())?;
            Ok(Verdict::Done)
        }
    }
}
