//! Any bytes as what is piped into load-table.

#![no_main]
#![allow(dead_code, clippy::unwrap_used, unreachable_pub, reason = "the module is one of the tests, with what they need")]

#[path = "../../tests/security/fuzzing/records.rs"]
mod records;

libfuzzer_sys::fuzz_target!(|data: &[u8]| records::one(data));
