//! What is in `deploy/`, held against what the tools really do.
//!
//! - `metrics`: the script that measures every minute, and the text it gives.
//! - `rules`: alert rules: valid, tested both ways, at the thresholds of pipeline-status.
//! - `dashboard`: every expression asks for something that is there.
//! - `units`: crontab and systemd say the same.
//! - `rotation`: logs are renamed under those who write them.
//! - `discretion`: what logs never hold.
//! - `families`: the names of the metrics.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod dashboard;
mod discretion;
mod families;
mod metrics;
mod rotation;
mod rules;
mod units;

use std::path::{Path, PathBuf};
use testkit::{Run, Workdir};

/// A file of the project.
fn project(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap().join(below)
}

/// The text of a file of the project.
fn text(below: &str) -> String {
    std::fs::read_to_string(project(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
}

/// Runs a line of bash with what the system brings on its PATH: promtool, logrotate, systemd-analyze.
fn system(workdir: &Workdir, line: &str) -> Run {
    let tools = project("target/tools");
    workdir.shell(&format!("PATH=$PATH:{}:/usr/sbin; {line}", tools.display()))
}

/// A command that is not there fails its test, with the way to bring it.
fn need(workdir: &Workdir, command: &str, way_out: &str) {
    let found = system(workdir, &format!("command -v {command}"));
    assert!(found.code == 0, "this test needs {command}; scripts/need.sh {way_out} brings it");
}

/// Runs promtool in a folder of the project.
fn promtool(workdir: &Workdir, line: &str) -> Run {
    need(workdir, "promtool", "--alone promtool prometheus");
    system(workdir, &format!("cd {} && promtool {line}", project("deploy/prometheus").display()))
}
