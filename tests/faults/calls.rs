//! A tool whose system calls are counted, by strace: killed before any of them, or told that the disk is full.
//!
//! Only its main thread is followed, which is the one that writes; so the n-th call of a name is the same one each time.

use crate::fault::{dice, rounds};
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

/// Runs a tool again and again, each time doing this to another one of its system calls of these names, and gives what came
/// of it to `look`; `before` lays out what the tool begins with. In the short form some of the calls, else all. Says how
/// many there were.
pub(crate) fn at_each(
    world: &World,
    injected: Injected,
    calls: &[&str],
    line: &[&str],
    before: impl Fn(),
    mut look: impl FnMut(&str, Run),
) -> u64 {
    let mut met = 0;
    for call in calls {
        for nth in some(13) {
            before();
            let run = run(world, injected, call, nth, line);
            let failed = world.workdir.read("calls");
            let failed = failed.lines().find(|line| line.ends_with("(INJECTED)"));
            if run.code == 0 && failed.is_none() {
                // There are no more of this name.
                break;
            }
            // Words to people that cannot be written are no failure.
            if run.code != 0 || failed.is_none_or(|line| !line.starts_with("write(2<")) {
                look(&format!("{call} {nth}"), run);
            }
            met += 1;
        }
    }
    met
}

/// Every so-manieth number in the short form, from one by chance on; every one in the whole.
pub(crate) fn some(short: u32) -> impl Iterator<Item = u32> {
    let step = (short / rounds(1)).max(1);
    let first = 1 + dice().0.below(step);
    (0..).map(move |turn| first + turn * step)
}

fn run(world: &World, injected: Injected, call: &str, nth: u32, line: &[&str]) -> Run {
    let fault = match injected {
        Injected::Kill => "signal=KILL",
        Injected::NoSpace => "error=ENOSPC",
    };
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{fault}:when={nth}"));
    let strace = ["-qq", "-y", "-o", "calls", "-e", &trace, "-e", &inject];
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
