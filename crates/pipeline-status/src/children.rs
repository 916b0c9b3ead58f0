//! What other tools say.

use anyhow::{Result, anyhow};
use serde_json::Value;
use std::thread::JoinHandle;
use std::time::Duration;

/// The object that a tool prints.
///
/// # Errors
/// What the tool said last when it failed, or that it did not end in time, or printed something else.
pub(crate) fn ask(tool: &str, arguments: &[&str], patience: Duration) -> Result<Value> {
    let heard = sibling::ask(tool, arguments, patience)?;
    // 1 and 3 say how the jobs are, not how the reading went.
    let json = heard.json(&[0, 1, 3])?;
    if json.is_object() { Ok(json) } else { Err(anyhow!("{tool} printed something else than an object")) }
}

/// What a thread came to.
pub(crate) fn joined<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow!("a thread ended early")))
}
