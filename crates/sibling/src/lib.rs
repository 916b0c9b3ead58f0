//! Other tools of the house, run as children, and heard for a bounded time.
//!
//! No tool depends on another one: what one needs of another, it asks it on its command line and reads its text. A child gets
//! no input, may print so much and no more, and is killed when its time is up.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use verdict::{Judge, Verdict};

/// Bytes that a tool may print: far more than any of ours has to say.
const LONGEST: u64 = 32 << 20;

/// Pause between two looks whether a child that has nothing more to say has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// What a tool said.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub printed: String,
    /// Its last line on stderr, or what is wrong with its arguments, or how it ended.
    pub last_words: String,
}

impl Heard {
    /// What it printed as JSON, if it is that, and its exit code one of these.
    ///
    /// # Errors
    /// The tool's last words.
    pub fn json(&self, codes: &[i32]) -> Result<Value> {
        let json = serde_json::from_str(&self.printed).ok();
        let is_well = self.code.is_some_and(|code| codes.contains(&code));
        json.filter(|_| is_well).ok_or_else(|| anyhow!(self.last_words.clone()))
    }
}

/// Runs a tool, and waits until it ends.
///
/// # Errors
/// [`Verdict::Config`] when there is no such tool, [`Verdict::Unreachable`] when it has not ended in time.
pub fn ask(tool: &str, arguments: &[&str], patience: Duration) -> Result<Heard> {
    let mut command = Command::new(program(tool));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // This host is asked, not a server that may be the one that asks. And a child that fails is no error of the job that its
    // parent may be a part of.
    command.env("MONITOR_URL", "").env_remove("JOB_PROGRESS");
    let mut child = command.spawn().map_err(|error| not_started(tool, error))?;
    let pipes = (listen(child.stdout.take()), listen(child.stderr.take()));
    let heard = hear(&mut child, &pipes, patience);
    if heard.is_err() {
        // It may have ended by itself meanwhile; it is waited for either way, so that nothing is left behind.
        drop(child.kill());
        drop(child.wait());
    }
    let (status, printed, said) = heard.with_context(|| tool.to_owned())?;
    let last_words = last_words(&said).map_or_else(|| format!("{tool}: {status}"), str::to_owned);
    Ok(Heard { code: status.code(), printed, last_words })
}

/// A tool beside the running one, so that no PATH is needed for what was built together; else its name itself.
#[must_use]
pub fn program(tool: &str) -> PathBuf {
    let here = std::env::current_exe().ok().map(|path| path.with_file_name(tool));
    here.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(tool))
}

fn not_started(tool: &str, error: std::io::Error) -> anyhow::Error {
    let verdict = if error.kind() == ErrorKind::NotFound { Verdict::Config } else { Verdict::Failed };
    anyhow::Error::new(error).context(format!("{tool} cannot be run")).verdict(verdict)
}

/// Where arguments are wrong, help follows.
fn last_words(said: &str) -> Option<&str> {
    said.lines().find(|line| line.starts_with("error: ")).or_else(|| said.lines().last())
}

type Pipe = Receiver<Result<String>>;

/// Reads in a thread of its own, so that the child never waits for a reader.
fn listen(pipe: Option<impl Read + Send + 'static>) -> Pipe {
    let (ended, end) = channel();
    // Nobody listens any more when the child's time is up.
    thread::spawn(move || drop(ended.send(pipe.map_or_else(|| Ok(String::new()), read))));
    end
}

fn read(pipe: impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    pipe.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        bail!("it says more than {} MiB", LONGEST >> 20);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How it ended, what it printed, and what it said. Who started something that goes on without it still holds its pipes:
/// the time is up for all of them together.
fn hear(child: &mut Child, pipes: &(Pipe, Pipe), patience: Duration) -> Result<(ExitStatus, String, String)> {
    let started = Instant::now();
    let late = || anyhow!("no answer within {} s", patience.as_secs()).verdict(Verdict::Unreachable);
    let left = || patience.saturating_sub(started.elapsed());
    let printed = pipes.0.recv_timeout(left()).map_err(|_| late())??;
    let said = pipes.1.recv_timeout(left()).map_err(|_| late())??;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, printed, said));
        }
        if left().is_zero() {
            return Err(late());
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_secs(1);
    const LONG: Duration = Duration::from_secs(60);

    fn shell(line: &str, patience: Duration) -> Result<Heard> {
        ask("sh", &["-c", line], patience)
    }

    #[test]
    fn what_a_tool_prints_and_says_is_heard_and_how_it_ended() {
        let heard = shell("echo '{\"a\":1}'; echo first >&2; echo last >&2; exit 3", LONG).unwrap();
        assert_eq!((heard.code, heard.last_words.as_str()), (Some(3), "last"));
        assert_eq!(heard.json(&[0, 3]).unwrap()["a"], 1);
        assert_eq!(heard.json(&[0, 1]).unwrap_err().to_string(), "last");
        let usage = shell("echo 'error: what?' >&2; echo help >&2; exit 2", LONG).unwrap();
        assert_eq!(usage.last_words, "error: what?");
        let killed = shell("kill -9 $$", LONG).unwrap();
        assert_eq!(killed.code, None);
        assert!(killed.json(&[0]).unwrap_err().to_string().contains("signal: 9"));
        let seen = shell("echo \"[\\\"${MONITOR_URL-unset}${JOB_PROGRESS-unset}\\\"]\"", LONG).unwrap();
        assert_eq!(seen.json(&[0]).unwrap(), serde_json::json!(["unset"]), "an empty address, and no file");
        assert!(shell("echo no json", LONG).unwrap().json(&[0]).is_err());
    }

    #[test]
    fn a_tool_that_is_not_there_is_told_from_one_that_fails() {
        let error = ask("no-such-tool", &[], LONG).unwrap_err();
        assert_eq!(Verdict::of(&error), Verdict::Config);
        assert!(format!("{error:#}").starts_with("no-such-tool cannot be run: "), "{error:#}");
    }

    #[test]
    fn time_is_up_for_a_tool_that_hangs_whatever_it_hangs_on() {
        for line in ["exec sleep 30", "echo half; sleep 30", "exec >&- 2>&-; sleep 30", "sleep 30 & exit 0"] {
            let error = shell(line, SHORT).unwrap_err();
            assert_eq!(Verdict::of(&error), Verdict::Unreachable, "{line}");
            assert_eq!(format!("{error:#}"), "sh: no answer within 1 s", "{line}");
        }
    }

    #[test]
    fn a_tool_that_never_stops_printing_is_stopped() {
        let error = shell("exec cat /dev/zero", LONG).unwrap_err();
        assert_eq!(format!("{error:#}"), "sh: it says more than 32 MiB");
    }
}
