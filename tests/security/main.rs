//! What docs/SECURITY.md promises.
//!
//! - `document`: each row of it names tests that are there.
//! - `outputs`: what is planted in every world is looked for in all that tools say, and found where it is.
//! - `secrets`: where secrets may not be: arguments, manuals, files that others read.
//! - `roles`: what each role of the database may do, and what not.
//! - `fuzzing`: inputs of strangers, changed at random.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on, helpers of tests too")]

mod document;
mod fuzzing;
mod outputs;
mod roles;
mod secrets;
