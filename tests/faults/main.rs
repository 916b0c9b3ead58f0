//! The faults of the matrix, produced on the real tools, the mock and a real PostgreSQL.
//!
//! Every test makes a fault happen and fails when it did not; after it the same command is run without the fault, and the
//! tables equal those of an unbroken run. `matrix.toml` says which test holds which fault; `docs/FAULTS.md` is made of it.
//! This is the short form: `FAULTS_ROUNDS` and `FAULTS_KILLS` make it longer, as `scripts/faults.sh` does.
//! - `fault`: how what happened is counted. `tools`: every tool and what it waits for. `register`: the matrix.
//! - `process`: killed anywhere. `pipes`: readers and writers that die.
//! - `database`: restarts, crashes, sessions that are ended. `commits`: answers that are lost.
//! - `network`: silence, stammering, connections that break. `api`: quota, lists that are too short.
//! - `disk`: no room. `input`: cut, odd and drifting records.
//! - `clock`: clocks that jump. `rivals`: everything at once.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod api;
mod calls;
mod clock;
mod commits;
mod database;
mod disk;
mod fault;
mod input;
mod network;
mod pipes;
mod power;
mod process;
mod register;
mod rivals;
mod tools;
