//! Tools as children: started, fed, heard, waited for.

use crate::ending::Ending;
use anyhow::{Context, Result, anyhow};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use tool::{Judge, Verdict, printable};

/// Longest error that is kept of a child, in characters.
const LONGEST_ERROR: usize = 300;

/// How a child ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    /// Its last line on stderr, or how it ended.
    pub(crate) last_words: String,
}

impl Ended {
    /// Done, or done with some records set aside.
    pub(crate) fn is_well(&self) -> bool {
        matches!(self.status.code(), Some(0 | 3))
    }

    /// What the run must end with when it is not the data's fault; none when it may be.
    pub(crate) fn environment(&self) -> Option<Verdict> {
        self.status.code().map_or(Some(Verdict::Busy), Verdict::of_environment)
    }

    /// Whether it may only have been the victim of a reader that left.
    fn lost_its_reader(&self) -> bool {
        self.environment() == Some(Verdict::Io) || self.status.signal() == Some(Signal::SIGPIPE)
    }

    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal().is_some()
    }
}

struct Signal;

impl Signal {
    const SIGPIPE: i32 = rustix::process::Signal::PIPE.as_raw();
}

/// Runs one tool without input; gives its lines.
pub(crate) fn lines(ending: &Ending, command: &mut Command) -> Result<(Ended, Vec<String>)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = ending.spawn(command)?;
    let words = listen(&mut child);
    let mut text = String::new();
    let read = child.stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_string(&mut text));
    let ended = end(ending, command, child, words)?;
    read.context("what a tool printed").verdict(Verdict::Failed)?;
    Ok((ended, text.lines().map(str::to_owned).collect()))
}

/// Runs `first | second` with this input; every line that goes through is shown to `see`. Gives the one that says why it
/// failed, or the second.
pub(crate) fn pipe(
    ending: &Ending,
    [first, second]: [&mut Command; 2],
    input: &str,
    see: impl FnMut(&[u8]),
) -> Result<Ended> {
    first.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    second.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut source = ending.spawn(first)?;
    let source_words = listen(&mut source);
    let sink = ending.spawn(second);
    let Ok(mut sink) = sink else {
        // It has nobody to talk to.
        drop((source.stdin.take(), source.stdout.take()));
        end(ending, first, source, source_words)?;
        return Err(sink.map(drop).err().unwrap_or_else(|| anyhow!("a child that is no child")));
    };
    let sink_words = listen(&mut sink);
    // A hundred ids fit into a pipe; a tool that does not read them says why by its exit code.
    drop(source.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes())));
    let copied = copy(&mut source, &mut sink, see);
    let source = end(ending, first, source, source_words)?;
    let sink = end(ending, second, sink, sink_words)?;
    copied.context("between two tools").verdict(Verdict::Failed)?;
    let innocent = source.is_well() || (!sink.is_well() && source.lost_its_reader());
    Ok(if innocent { sink } else { source })
}

/// Copies line by line, until the one side has no more or the other takes no more.
fn copy(source: &mut Child, sink: &mut Child, mut see: impl FnMut(&[u8])) -> std::io::Result<()> {
    let (Some(from), Some(mut to)) = (source.stdout.take(), sink.stdin.take()) else { return Ok(()) };
    let mut from = BufReader::with_capacity(1 << 16, from);
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        see(&line);
        if to.write_all(&line).is_err() {
            return Ok(());
        }
    }
}

/// Reads what a child says to people, so that it never waits for a reader; keeps its last line.
fn listen(child: &mut Child) -> Option<JoinHandle<String>> {
    let stderr = child.stderr.take()?;
    Some(std::thread::spawn(move || {
        let mut last = String::new();
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            log::info!("{}", printable(&line));
            if !line.is_empty() {
                last = line;
            }
        }
        last
    }))
}

fn end(ending: &Ending, command: &Command, child: Child, words: Option<JoinHandle<String>>) -> Result<Ended> {
    let status = ending.wait(child)?;
    let words = words.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let name = command.get_program().display();
    let words = match (status.code(), words.is_empty()) {
        (None, _) => format!("{name}: {status}"),
        (_, true) => format!("{name}: {status}, without a word"),
        (_, false) => words,
    };
    let last_words = printable(&words).chars().take(LONGEST_ERROR).collect();
    Ok(Ended { status, last_words })
}
