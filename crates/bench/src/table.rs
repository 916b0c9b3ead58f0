//! The runs as one table for each workload, in Markdown.

use crate::contender::{CONTENDERS, FLOOR, PHASES, Phase};
use crate::ratio::{self, Spread};
use crate::run::{Cost, Outcome, Run};
use anyhow::Result;
use std::collections::BTreeSet;
use std::fmt::Write;

const MIB: f64 = 1_048_576.0;

/// The tables of runs, but for those of growth.
pub(crate) fn markdown(runs: &[Run]) -> Result<String> {
    let mut text = String::new();
    for workload in ["users", "rows", "real users", "real projects_users"] {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.workload == workload).collect();
        if !runs.is_empty() {
            one(&mut text, workload, &runs)?;
        }
    }
    Ok(text)
}

fn one(text: &mut String, workload: &str, runs: &[&Run]) -> Result<()> {
    let floor = Spread::of(ratio::loads(runs, FLOOR, Phase::Init).map(|(_, cost)| cost.seconds));
    let rows = runs.iter().map(|run| run.rows).max().unwrap_or_default();
    writeln!(text, "### {workload}, {rows} rows\n\n{}\n", when(runs))?;
    writeln!(text, "Raw `\\copy` took {} s.\n", floor.to_string().replace("**", ""))?;
    text.push_str(
        "| loader | init | same | delta | its own CPU s, init / same | RSS MiB | WAL MiB at same | rows written at same / delta | rows wrong |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for contender in CONTENDERS {
        let own: Vec<_> = runs.iter().filter(|run| run.contender == contender.name).collect();
        if own.is_empty() {
            continue;
        }
        let failure = own.iter().find_map(|run| match &run.outcome {
            Outcome::Failed(why) => Some(why),
            Outcome::Loaded(_) => None,
        });
        match failure {
            Some(why) => writeln!(text, "| {} | {} | | | | | | | |", contender.name, brief(why))?,
            None => line(text, contender.name, runs)?,
        }
    }
    text.push('\n');
    Ok(())
}

fn line(text: &mut String, name: &str, runs: &[&Run]) -> Result<()> {
    let of = |phase, number: fn(&Cost) -> f64| {
        Spread::of(ratio::loads(runs, name, phase).map(|(_, cost)| number(cost)))
    };
    let all = |number: fn(&Cost) -> f64| {
        Spread::of(
            PHASES.iter().flat_map(|phase| ratio::loads(runs, name, *phase)).map(|(_, cost)| number(cost)),
        )
    };
    let say = |number: Option<f64>, digits: usize| {
        number.map_or_else(|| "–".to_owned(), |number| format!("{number:.digits$}"))
    };
    let cpu = |phase| say(of(phase, |cost| cost.processor_seconds).median(), 2);
    let written = |phase| say(of(phase, |cost| cost.rows_written as f64).most(), 0);
    writeln!(
        text,
        "| {name} | {} | {} | {} | {} / {} | {} | {} | {} / {} | {} |",
        ratio::of(runs, name, Phase::Init)?,
        ratio::of(runs, name, Phase::Same)?,
        ratio::of(runs, name, Phase::Delta)?,
        cpu(Phase::Init),
        cpu(Phase::Same),
        say(all(|cost| cost.resident_bytes as f64 / MIB).most(), 0),
        say(of(Phase::Same, |cost| cost.log_bytes as f64 / MIB).most(), 2),
        written(Phase::Same),
        written(Phase::Delta),
        say(all(|cost| cost.rows_wrong as f64).most(), 0),
    )?;
    Ok(())
}

/// The beginning of a failure: what a cell has room for.
fn brief(why: &str) -> String {
    let words = why.split_whitespace().map(|word| word.replace('|', "/"));
    words.take(10).collect::<Vec<_>>().join(" ")
}

/// Where and when runs were, and how busy the machine was.
pub(crate) fn when(runs: &[&Run]) -> String {
    let mut sessions: Vec<_> = runs.iter().map(|run| format!("{}, {}", run.session, run.machine)).collect();
    sessions.sort();
    sessions.dedup();
    let rounds: BTreeSet<_> = runs.iter().map(|run| (&run.session, run.round)).collect();
    let load = Spread::of(runs.iter().filter_map(|run| Some(run.cost()?.load_average)));
    let load = load.to_string().replace("**", "");
    format!("{}; rounds: {}; load average before a run: {load}.", sessions.join("; "), rounds.len())
}
