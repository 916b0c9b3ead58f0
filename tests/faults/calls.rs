//! A tool whose system calls are counted, by strace: killed before any of them, or told that the disk is full.
//!
//! Only its main thread is followed, which is the one that writes; so the n-th call is the same one each time.

use end_to_end::World;
use testkit::{Run, Workdir};

/// Whether strace may trace here; the reason when it may not.
pub(crate) fn obstacle() -> Option<String> {
    let run = Workdir::new().shell("strace -qq -o /dev/null true");
    let said = run.stderr.lines().next().unwrap_or_default().to_owned();
    (run.code != 0).then(|| format!("strace cannot be used here ({said})"))
}

/// What is done to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Injected {
    /// The process is killed before it.
    Kill,
    /// It fails, because no space is left.
    NoSpace,
}

/// Runs a tool, and does this to the `nth` of these system calls. Nothing happens when there are fewer.
pub(crate) fn run(world: &World, injected: Injected, calls: &str, nth: u32, line: &[&str]) -> Run {
    let fault = match injected {
        Injected::Kill => "signal=KILL",
        Injected::NoSpace => "error=ENOSPC",
    };
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:{fault}:when={nth}"));
    let strace = ["-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    world.workdir.run("/usr/bin/strace", &[&strace, line].concat())
}

/// The calls of a tool's main thread, one a line, with the files that they are about.
pub(crate) fn trace(world: &World, calls: &str, line: &[&str]) -> Vec<String> {
    let trace = format!("trace={calls}");
    let run =
        world.workdir.run("/usr/bin/strace", &[&["-qq", "-y", "-o", "trace", "-e", &trace], line].concat());
    drop(run.expect(0));
    world.workdir.read("trace").lines().map(str::to_owned).collect()
}
