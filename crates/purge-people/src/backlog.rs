//! The backlog, by its own tool: whichever store it is kept in, and the one that it was kept in before.

use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use tool::{Judge, Verdict};

const STORES: [&str; 2] = ["files", "postgres"];

/// What stands in the backlog about people, as `backlog about` says it, with its place.
///
/// # Errors
/// With the verdict of `backlog`.
pub(crate) fn about(ids: &BTreeSet<i64>) -> Result<Vec<Value>> {
    let mut entries = Vec::new();
    for store in STORES {
        for mut entry in ask(store, "about", ids)? {
            if let Value::Object(members) = &mut entry {
                members.insert("place".to_owned(), format!("backlog ({store})").into());
            }
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Forgets people; says how many entries that were.
///
/// # Errors
/// With the verdict of `backlog`.
pub(crate) fn forget(ids: &BTreeSet<i64>) -> Result<u64> {
    let mut forgotten = 0;
    for store in STORES {
        let said = ask(store, "forget", ids)?;
        forgotten += said.iter().filter_map(|said| said["forgotten"].as_u64()).sum::<u64>();
    }
    Ok(forgotten)
}

/// Runs `backlog` on one of its stores; ids go in by a pipe, objects come out, one a line.
fn ask(store: &str, command: &str, ids: &BTreeSet<i64>) -> Result<Vec<Value>> {
    let mut child = Command::new(sibling::program("backlog"));
    child.args([command, "-", "--json"]).env("BACKLOG_STORE", store);
    child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().context("backlog cannot be run").verdict(Verdict::Failed)?;
    let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
    // It reads all of them before it says anything; one that ends early says why by its exit code.
    drop(child.stdin.take().map(|mut stdin| stdin.write_all(lines.as_bytes())));
    let output = child.wait_with_output().context("backlog").verdict(Verdict::Failed)?;
    if !output.status.success() {
        let verdict = output.status.code().and_then(Verdict::of_environment).unwrap_or(Verdict::Failed);
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.lines().last().map_or_else(|| format!("backlog: {}", output.status), str::to_owned);
        return Err(anyhow!(words).verdict(verdict));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("what backlog printed")
}
