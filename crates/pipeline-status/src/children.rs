//! What other tools say.

use anyhow::{Result, anyhow};
use serde_json::Value;
use std::thread::JoinHandle;
use std::time::Duration;
use tool::{Judge, Verdict};

/// The object that a tool prints.
///
/// # Errors
/// What the tool said last when it failed, or that it did not end in time, or printed something else. How the tool ended
/// is the verdict.
pub(crate) fn ask(tool: &str, arguments: &[&str], patience: Duration) -> Result<Value> {
    let heard = sibling::ask(tool, arguments, patience)?;
    // Up to 4 the code says how things are, not how the reading went.
    let json = heard.json(&[0, 1, 2, 3, 4]).verdict(verdict(heard.code))?;
    match (&json, json["error"].as_str()) {
        (Value::Object(object), Some(error)) if object.len() == 1 => Err(anyhow!("{tool}: {error}")),
        (Value::Object(_), _) => Ok(json),
        _ => Err(anyhow!("{tool} printed something else than an object")),
    }
}

fn verdict(code: Option<i32>) -> Verdict {
    let known = [
        Verdict::Refused,
        Verdict::Unreachable,
        Verdict::Io,
        Verdict::Busy,
        Verdict::Credentials,
        Verdict::Config,
    ];
    known.into_iter().find(|verdict| code == Some(verdict.code().into())).unwrap_or(Verdict::Failed)
}

/// What a thread came to.
pub(crate) fn joined<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow!("a thread ended early")))
}
