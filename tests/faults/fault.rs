//! A fault as a test makes it happen: counted when it did, and when nothing was lost of it.
//!
//! `FAULTS_ROUNDS` and `FAULTS_SEED` say how much is done and where chance begins; `FAULTS_TALLY` names a file that gets a
//! line for each count, for `count.awk` to add up.

use end_to_end::{Dice, HANGING, NIGHTLY, World, number};
use std::fs::OpenOptions;
use std::io::Write;
use testkit::Run;

/// A row of the matrix that a test is at. It ends with [`Fault::survived`].
#[must_use = "a fault that nobody looks at tests nothing"]
pub(crate) struct Fault {
    number: u32,
    happened: u64,
}

impl Fault {
    /// A fault by its number in the matrix.
    pub(crate) fn of(number: u32) -> Self {
        Self { number, happened: 0 }
    }

    /// Counts what really happened; a fault that did not is no test.
    pub(crate) fn happened(&mut self, times: u64) {
        assert!(times > 0, "fault {} did not happen", self.number);
        self.happened += times;
        tally(&format!("injected {} {times}", self.number));
    }

    /// Ends it: these tables hold the mock's world row by row, so nothing was lost.
    pub(crate) fn survived(self, world: &World, tables: &[&str]) {
        let rows = tables.iter().map(|table| {
            world.assert_mirrored(table);
            world.rows(table)
        });
        self.ended(rows.sum());
    }

    /// Ends it where there are no rows to lose, or the test has compared so many itself.
    pub(crate) fn ended(self, rows: u64) {
        assert!(self.happened > 0, "fault {} did not happen", self.number);
        tally(&format!("survived {} {} {rows}", self.number, self.happened));
    }
}

/// How often something is done: so often in the short form.
pub(crate) fn rounds(short: u32) -> u32 {
    short * number("FAULTS_ROUNDS", 1)
}

/// Tables that a script mirrors, parents first: a few in the short form, else all.
pub(crate) fn some_tables() -> Vec<&'static str> {
    if rounds(1) > 1 {
        NIGHTLY.into_iter().chain(HANGING).collect()
    } else {
        vec!["cursus", "campuses", "users", "cursus_users"]
    }
}

/// Runs the nightly script for these.
pub(crate) fn nightly(world: &World, tables: &[&str]) -> Run {
    world.workdir.script("scripts/cron/nightly_stable_tables.sh", tables)
}

/// Chance, and its seed for messages.
pub(crate) fn dice() -> (Dice, String) {
    let seed = number("FAULTS_SEED", 42);
    (Dice::new(u64::from(seed)), format!("FAULTS_SEED={seed}"))
}

/// Says that something could not be tried here, where the harness cannot hide it.
pub(crate) fn skip(test: &str, reason: &str) {
    drop(writeln!(std::io::stderr(), "SKIPPED faults::{test}: {reason}"));
    tally(&format!("skipped {test}: {reason}"));
}

fn tally(line: &str) {
    let Some(path) = std::env::var_os("FAULTS_TALLY").filter(|path| !path.is_empty()) else { return };
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())).expect("FAULTS_TALLY");
}
