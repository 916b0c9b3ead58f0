//! `LOGS_DIR/backlog_metrics.json`: the status as a file, for whoever collects numbers.

use crate::settings::Settings;
use crate::status::Status;
use crate::store::Store;
use anyhow::{Context, Result};
use std::fs;
use std::time::SystemTime;
use tool::{Judge, Verdict};

/// Writes the file, whole, unless it is younger than the interval or not wanted.
///
/// # Errors
/// [`Verdict::Io`], or as reading the store.
pub(crate) fn write(store: &mut dyn Store, settings: &Settings) -> Result<()> {
    let Some(interval) = settings.metrics else { return Ok(()) };
    let path = settings.logs.join("backlog_metrics.json");
    let written = fs::metadata(&path).and_then(|data| data.modified());
    // A time to come is that of a clock that was wrong.
    let age = written.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    if age.is_some_and(|age| age < interval) {
        return Ok(());
    }
    let mut text = serde_json::to_vec_pretty(&Status::of(&store.count()?, settings))?;
    text.push(b'\n');
    let aside = settings.logs.join(format!(".backlog_metrics.{}", settings.owner));
    let replace = || fs::write(&aside, &text).and_then(|()| fs::rename(&aside, &path));
    replace().with_context(|| path.display().to_string()).verdict(Verdict::Io)
}
