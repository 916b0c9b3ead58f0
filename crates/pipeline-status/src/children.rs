//! What other tools say: run as children, and heard for a bounded time.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Pause between two looks whether a child has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// The object that a tool prints.
///
/// # Errors
/// What the tool said last when it failed, or that it did not end in time, or printed something else.
pub(crate) fn ask(tool: &str, arguments: &[&str], patience: Duration) -> Result<Value> {
    let mut command = Command::new(program(tool));
    // What is shown here is of this host, whatever server people look at elsewhere.
    command.env("MONITOR_URL", "");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("{tool} cannot be run"))?;
    let printed = listen(child.stdout.take());
    let said = listen(child.stderr.take());
    let status = wait(&mut child, patience).with_context(|| tool.to_owned())?;
    let (printed, said) = (joined(printed)?, joined(said)?);
    // 1 and 3 say how the jobs are, not how the reading went.
    let object = serde_json::from_str(&printed).ok().filter(Value::is_object);
    match (status.code(), object) {
        (Some(0 | 1 | 3), Some(object)) => Ok(object),
        _ => Err(anyhow!(said.lines().last().map_or_else(|| format!("{tool}: {status}"), str::to_owned))),
    }
}

/// The tool beside this one, so that no PATH is needed for what was built together.
fn program(tool: &str) -> PathBuf {
    let here = std::env::current_exe().ok().map(|path| path.with_file_name(tool));
    here.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(tool))
}

fn listen(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Result<String>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut text)?;
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    })
}

fn wait(child: &mut Child, patience: Duration) -> Result<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() >= patience {
            child.kill()?;
            child.wait()?;
            bail!("no answer within {} s", patience.as_secs());
        }
        thread::sleep(PAUSE);
    }
}

/// What a thread came to.
pub(crate) fn joined<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow!("a thread ended early")))
}
