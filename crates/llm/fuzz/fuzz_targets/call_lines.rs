//! JSON lines of calls.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| llm::fuzzing::call_lines(bytes));
