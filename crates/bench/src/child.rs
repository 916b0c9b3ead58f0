//! A process, and what the system says of it when it is gone.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use verdict::{Judge, Verdict};
use wait4::Wait4;

/// What a process took.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) elapsed: Duration,
    /// Of the processor, by it and all that it waited for.
    pub(crate) processor: Duration,
    /// The most memory that was resident, of the largest process among them.
    pub(crate) resident_bytes: u64,
    /// The end of what it said, when it failed.
    pub(crate) failure: Option<String>,
}

/// Runs a command to its end; what it prints is thrown away unless it fails.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn run(command: &mut Command, words: &mut File) -> Result<Taken> {
    let name = command.get_program().display().to_string();
    let mut io = || -> std::io::Result<Taken> {
        words.set_len(0)?;
        words.rewind()?;
        command.stdin(Stdio::null()).stdout(words.try_clone()?).stderr(words.try_clone()?);
        let start = Instant::now();
        let child = command.spawn()?;
        let used = child.wait4()?;
        let elapsed = start.elapsed();
        let failure = (!used.status.success()).then(|| format!("{}: {}", used.status, tail(words)));
        let processor = used.rusage.utime + used.rusage.stime;
        Ok(Taken { elapsed, processor, resident_bytes: used.rusage.maxrss, failure })
    };
    io().with_context(|| name).verdict(Verdict::Failed)
}

fn tail(words: &mut File) -> String {
    let mut text = Vec::new();
    drop(words.rewind().and_then(|()| words.read_to_end(&mut text)));
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" | ")
}
