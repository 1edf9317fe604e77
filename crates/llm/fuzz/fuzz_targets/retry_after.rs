//! `Retry-After` on the first line, `retry-after-ms` on the second.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| llm::fuzzing::retry_after(bytes));
