//! Tools as children: those of a step together, each reading what the one before prints.

use crate::action::Step;
use anyhow::{Context, Result, anyhow};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use tool::{Judge, Verdict};

/// How a step ended.
pub(crate) struct Ended {
    /// Of the first tool that did not end well, or of the last one; 128 + the number of a signal.
    pub(crate) code: i32,
    /// What the last one printed.
    pub(crate) printed: String,
}

impl Ended {
    /// Done, or done with some records set aside.
    pub(crate) const fn is_well(&self) -> bool {
        matches!(self.code, 0 | 3)
    }
}

/// Runs a step to its end. What its tools say goes to our own stderr.
///
/// # Errors
/// [`Verdict::Config`] when a tool cannot be started.
pub(crate) fn run(step: &Step) -> Result<Ended> {
    let mut children: Vec<Child> = Vec::new();
    for (place, words) in step.tools.iter().enumerate() {
        let stdin = match children.last_mut().and_then(|child| child.stdout.take()) {
            Some(stdout) => Stdio::from(stdout),
            None if place == 0 && step.input.is_some() => Stdio::piped(),
            None => Stdio::null(),
        };
        match start(words, stdin) {
            Ok(child) => children.push(child),
            Err(error) => {
                // They have nobody to talk to.
                for mut child in children {
                    drop((child.stdin.take(), child.stdout.take()));
                    child.wait()?;
                }
                return Err(error);
            }
        }
    }
    if let (Some(mut stdin), Some(input)) =
        (children.first_mut().and_then(|child| child.stdin.take()), &step.input)
    {
        // A thousand ids fit into a pipe; a tool that does not read them says why by its exit code.
        drop(stdin.write_all(input.as_bytes()));
    }
    let mut printed = String::new();
    if let Some(mut stdout) = children.last_mut().and_then(|child| child.stdout.take()) {
        stdout.read_to_string(&mut printed).context("what a tool printed")?;
    }
    let mut code = 0;
    for mut child in children {
        let ended = exit_code(child.wait()?);
        if matches!(code, 0 | 3) && ended != 0 {
            code = ended;
        }
    }
    Ok(Ended { code, printed })
}

fn start(words: &[String], stdin: Stdio) -> Result<Child> {
    let (name, arguments) = words.split_first().context("a step without a tool")?;
    let mut command = Command::new(sibling::program(name));
    let child = command.args(arguments).stdin(stdin).stdout(Stdio::piped()).spawn();
    child.map_err(|error| anyhow!("{name} cannot be started: {error}").verdict(Verdict::Config))
}

fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}
