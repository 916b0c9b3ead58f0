//! Any bytes as what is asked of monitor-server.

#![no_main]
#![allow(dead_code, clippy::unwrap_used, unreachable_pub, reason = "the module is one of the tests, with what they need")]

#[path = "../../tests/security/fuzzing/queries.rs"]
mod queries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| queries::one(data));
