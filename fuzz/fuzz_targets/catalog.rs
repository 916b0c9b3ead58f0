//! Any bytes as files of the catalog.

#![no_main]
#![allow(dead_code, clippy::unwrap_used, unreachable_pub, reason = "the module is one of the tests, with what they need")]

#[path = "../../tests/security/fuzzing/catalogs.rs"]
mod catalogs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| catalogs::one(data));
