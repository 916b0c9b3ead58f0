//! What a row costs in small tables and in large ones.

use crate::contender::{FLOOR, OURS, PHASES, Phase};
use crate::ratio::{self, Spread};
use crate::run::Run;
use crate::table;
use anyhow::Result;
use std::fmt::Write;

/// The table of growth; nothing when it was not measured.
pub(crate) fn markdown(runs: &[Run]) -> Result<String> {
    let runs: Vec<&Run> = runs.iter().filter(|run| run.workload == "growth").collect();
    if runs.is_empty() {
        return Ok(String::new());
    }
    let mut sizes: Vec<u64> = runs.iter().map(|run| run.rows).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut text = format!("### growth\n\n{}\n\n", table::when(&runs));
    text.push_str(
        "| rows | raw `\\copy`, µs a row | load-table, µs a row: init | same | delta | x raw: init | same | delta | RSS MiB | WAL MiB at same | rows wrong |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for rows in sizes {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.rows == rows).copied().collect();
        line(&mut text, rows, &runs)?;
    }
    text.push('\n');
    Ok(text)
}

fn line(text: &mut String, rows: u64, runs: &[&Run]) -> Result<()> {
    let per_row = |name, phase| {
        let costs = ratio::loads(runs, name, phase).map(|(_, cost)| cost.seconds * 1e6 / rows as f64);
        Spread::of(costs).median().unwrap_or_default()
    };
    let ours = PHASES.iter().flat_map(|phase| ratio::loads(runs, OURS, *phase)).map(|(_, cost)| cost);
    let costs: Vec<_> = ours.collect();
    let resident = costs.iter().map(|cost| cost.resident_bytes).max().unwrap_or_default();
    let wrong = costs.iter().map(|cost| cost.rows_wrong).max().unwrap_or_default();
    let log = Spread::of(
        ratio::loads(runs, OURS, Phase::Same).map(|(_, cost)| cost.log_bytes as f64 / 1_048_576.0),
    );
    let ratio = |phase| ratio::of(runs, OURS, phase).map(|spread| spread.median().unwrap_or_default());
    writeln!(
        text,
        "| {rows} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {:.2} | {wrong} |",
        per_row(FLOOR, Phase::Init),
        per_row(OURS, Phase::Init),
        per_row(OURS, Phase::Same),
        per_row(OURS, Phase::Delta),
        ratio(Phase::Init)?,
        ratio(Phase::Same)?,
        ratio(Phase::Delta)?,
        resident.div_ceil(1_048_576),
        log.most().unwrap_or_default(),
    )?;
    Ok(())
}
